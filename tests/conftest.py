"""Fixtures of the journeys: real processes in folders that the database's account can reach."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def place() -> Iterator[Path]:
    """An empty folder for one installation; pytest's own are closed to the database's account."""
    path = Path(tempfile.mkdtemp(prefix="collegium-journey-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)
