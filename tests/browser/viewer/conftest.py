"""One Chromium a worker, a fresh page and a fresh server a test."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from collegium_testkit import phantoms
from collegium_testkit.browser import profile
from tests.browser.viewer.lesions import Lesion

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


BASELINE = Lesion(slice_index=5, centre=(-46.0, -6.0), half_axes_mm=(15.0, 7.5))
"""In the liver: 30 x 15 mm."""
FOLLOW_UP = Lesion(slice_index=3, centre=(-44.0, -4.0), half_axes_mm=(10.0, 4.0))
"""The same lesion later: 20 x 8 mm."""


@pytest.fixture(scope="session")
def baseline(tmp_path_factory: pytest.TempPathFactory) -> ExamTruth:
    return phantoms.ct_exam(tmp_path_factory.mktemp("baseline"), slices=9, size=256, seed=5)


@pytest.fixture(scope="session")
def follow_up(tmp_path_factory: pytest.TempPathFactory, baseline: ExamTruth) -> ExamTruth:
    """Of the same person seven weeks later, with fewer slices, in a frame of reference of its own."""
    return phantoms.ct_exam(
        tmp_path_factory.mktemp("follow-up"),
        slices=7,
        size=256,
        seed=5,
        patient=baseline.patient,
        study_date="20260303",
    )


@pytest.fixture
def two_timepoints(study: Study, baseline: ExamTruth, follow_up: ExamTruth) -> Study:
    """Both exams under one grant, each with its lesion."""
    study.add(*baseline.files, change=BASELINE.paint)
    study.add(*follow_up.files, change=FOLLOW_UP.paint)
    return study


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

    look = {"viewport": {"width": 1280, "height": 800}, "timezone_id": "Europe/Stockholm"}
    with profile(chromium, **look) as context:
        yield Driver(context.new_page())
