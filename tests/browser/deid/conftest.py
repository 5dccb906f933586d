"""One installation for the folder; a signed-in person on the page that de-identifies."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from collegium_testkit.browser import chromium_path, profile
from collegium_testkit.installation import InstallationProcess
from collegium_testkit.prepared import Prepared
from tests.browser.deid.bench import Bench

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, StorageState


@pytest.fixture(scope="session")
def house() -> Iterator[InstallationProcess]:
    if chromium_path() is None:
        pytest.skip("no Chromium on this machine")
    folder = Path(tempfile.mkdtemp(prefix="collegium-deid-"))
    folder.chmod(0o755)
    server = InstallationProcess(folder / "server", copied=Prepared.SEEDED)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        server.remove()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def signed_in(house: InstallationProcess, chromium: Browser) -> StorageState:
    seeded = house.seed()
    with profile(chromium) as context:
        page = context.new_page()
        page.goto(f"{house.url}/accounts/login/")
        page.fill("#id_login", seeded.reader)
        page.fill("#id_password", seeded.password)
        page.click("button[type=submit]")
        page.wait_for_url(f"{house.url}/")
        return context.storage_state()


@pytest.fixture(scope="session")
def bench(house: InstallationProcess, signed_in: StorageState, chromium: Browser) -> Iterator[Bench]:
    """The page, with Python in it; one for all tests, because its start takes seconds."""
    look = {
        "viewport": {"width": 1280, "height": 900},
        "color_scheme": "light",
        "reduced_motion": "reduce",
    }
    with profile(chromium, storage_state=signed_in, accept_downloads=True, **look) as context:
        yield Bench(context.new_page(), house.url)
