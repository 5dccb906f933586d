"""What the tests of images start from. Imports wait for `pytest_configure`, which makes the database."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from collegium_testkit.delivering import CleanExam, Client, Sender
    from collegium_testkit.world import World


@pytest.fixture
def clean_exam(tmp_path: Path) -> Callable[..., CleanExam]:
    from collegium_testkit.delivering import clean_exam as make

    return partial(make, tmp_path)


@pytest.fixture
def client() -> Client:
    from collegium_testkit.delivering import client as make

    return make()


@pytest.fixture
def sender(client: Client, world: World) -> Sender:
    from collegium_testkit.delivering import enrolled

    return enrolled(client, world)
