"""One installation for all, one reader with a fresh task a test; each test publishes the project it reads in."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

from collegium_testkit.browser import profile
from collegium_testkit.installation import InstallationProcess
from collegium_testkit.prepared import Prepared
from tests.browser.reading.desk import Behind, Reading

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, StorageState

    from collegium_testkit.seed import Seeded

LESION = files("collegium.research").joinpath("examples/ct-lesion.yaml").read_text("utf-8")


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[InstallationProcess, Seeded]]:
    folder: Path = tmp_path_factory.mktemp("reading")
    server = InstallationProcess(folder / "server", copied=Prepared.SEEDED)
    try:
        server.start()
        yield server, server.seed()
    finally:
        server.stop()
        server.remove()


@pytest.fixture(scope="session")
def behind(place: tuple[InstallationProcess, Seeded]) -> Iterator[Behind]:
    hands = Behind(place[0])
    try:
        yield hands
    finally:
        hands.end()


@pytest.fixture(scope="session")
def signed_in(place: tuple[InstallationProcess, Seeded], chromium: Browser) -> StorageState:
    """The reader's session: signing in is no part of these tests."""
    server, seeded = place
    with profile(chromium) as context:
        page = context.new_page()
        page.goto(f"{server.url}/accounts/login/")
        page.fill("#id_login", seeded.reader)
        page.fill("#id_password", seeded.password)
        page.click("button[type=submit]")
        page.wait_for_url(f"{server.url}/")
        return context.storage_state()


@pytest.fixture
def context(chromium: Browser, signed_in: StorageState) -> Iterator[BrowserContext]:
    """A browser of its own a test, the reader signed in."""
    with profile(chromium, viewport={"width": 1280, "height": 900}, storage_state=signed_in) as opened:
        yield opened


@pytest.fixture
def reading(place: tuple[InstallationProcess, Seeded], behind: Behind, context: BrowserContext) -> Reading:
    server, seeded = place
    return Reading(server, behind, seeded, context, LESION)
