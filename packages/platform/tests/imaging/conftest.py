"""What the tests of images start from. Imports wait for `pytest_configure`, which makes the database."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from collegium_testkit.delivering import CleanExam, Client, Sender
    from collegium_testkit.drawing import Reading
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


@pytest.fixture
def reading(sender: Sender, clean_exam: Callable[..., CleanExam]) -> Reading:
    """A reader before a delivered exam of three images."""
    from collegium_testkit.drawing import Reading

    exam = clean_exam(slices=3)
    receipt = sender.deliver(exam)
    return Reading(sender, exam, receipt["exam_id"], sender.world.join("Reader"))


@pytest.fixture
def grant_addresses() -> Iterator[None]:
    """What is opened under a grant, without the rest of the site's addresses."""
    from django.test import override_settings

    with override_settings(ROOT_URLCONF="collegium.imaging.grants.api"):
        yield
