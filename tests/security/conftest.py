"""One installation with two organisations for all tests of this folder."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.security.house import running

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.security.house import House


@pytest.fixture
def house(running_house: House) -> House:
    """The house, its reader's page open: opening it again elsewhere has ended an earlier grant."""
    running_house.refresh()
    return running_house


@pytest.fixture(scope="session")
def running_house() -> Iterator[House]:
    """Shared: a test that signs, revokes or locks something uses what no other test needs."""
    place = Path(tempfile.mkdtemp(prefix="collegium-security-"))
    place.chmod(0o755)
    try:
        with running(place) as made:
            yield made
    finally:
        shutil.rmtree(place, ignore_errors=True)
