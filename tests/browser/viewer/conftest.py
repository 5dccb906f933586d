"""One Chromium a worker, a fresh page and a fresh server a test."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from collegium_testkit import phantoms

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser

    from collegium_testkit.phantoms import ExamTruth
    from tests.browser.viewer.driver import Driver
    from tests.browser.viewer.server import Study

REPOSITORY = Path(__file__).resolve().parents[3]
BUILT = REPOSITORY / "packages" / "platform" / "collegium" / "web" / "static" / "built"


@pytest.fixture(scope="session")
def ct(tmp_path_factory: pytest.TempPathFactory) -> ExamTruth:
    return phantoms.ct_exam(tmp_path_factory.mktemp("ct"), slices=9, size=256)


@pytest.fixture(scope="session")
def pet(tmp_path_factory: pytest.TempPathFactory, ct: ExamTruth) -> ExamTruth:
    return phantoms.pet_exam(tmp_path_factory.mktemp("pet"), ct=ct, slices=7, size=64)


@pytest.fixture
def study() -> Iterator[Study]:
    """A server with no images yet."""
    from tests.browser.viewer.server import Study, serving

    if not (BUILT / "assets.json").is_file():
        pytest.skip("The viewer is not built; run `make viewer`.")
    with serving(Study(BUILT)) as served:
        yield served


@pytest.fixture
def driver(chromium: Browser) -> Iterator[Driver]:
    """A page in a profile of its own."""
    from tests.browser.viewer.driver import Driver

    context = chromium.new_context(viewport={"width": 1280, "height": 800}, timezone_id="Europe/Stockholm")
    context.set_default_timeout(20_000)
    yield Driver(context.new_page())
    context.close()
