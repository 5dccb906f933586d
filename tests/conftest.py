"""Fixtures of the journeys: real processes in folders that the database's account can reach."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from collegium_testkit import browser, prepared

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

REPOSITORY = Path(__file__).resolve().parents[1]

# Tests are no packages here; what stands beside them is found from the root of the checkout.
if str(REPOSITORY) not in sys.path:
    sys.path.insert(0, str(REPOSITORY))


_copied = contextlib.ExitStack()


def pytest_configure() -> None:
    """A folder for the installations that tests copy; the workers of a run inherit its name."""
    _copied.enter_context(prepared.kept())


def pytest_unconfigure() -> None:
    _copied.close()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser a worker: Playwright allows one at a time, and holds the thread's event loop while it is open."""
    if browser.chromium_path() is None:
        pytest.skip("No Chromium on this machine (set COLLEGIUM_CHROMIUM).")
    with browser.browser() as opened:
        yield opened


@pytest.fixture
def place() -> Iterator[Path]:
    """An empty folder for one installation; pytest's own are closed to the database's account."""
    path = Path(tempfile.mkdtemp(prefix="collegium-journey-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)
