"""One installation for all, one reader with a fresh task a test; each test publishes the project it reads in."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

import pytest

from collegium_testkit.installation import InstallationProcess
from collegium_testkit.prepared import Prepared
from tests.browser.reading.desk import Reading

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

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


@pytest.fixture
def reading(
    place: tuple[InstallationProcess, Seeded], chromium: Browser, request: pytest.FixtureRequest
) -> Iterator[Reading]:
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    yield Reading(*place, context, f"T-{abs(hash(request.node.name)) % 10_000}", LESION)
    context.close()
