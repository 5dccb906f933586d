"""A finding at two timepoints: shown on both at once, named on the image, changed only where it is current."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.viewer.conftest import BASELINE, FOLLOW_UP
from tests.browser.viewer.test_layers import OF_A, Z_EARLIER, Z, layered

if TYPE_CHECKING:
    from collegium_testkit.phantoms import ExamTruth
    from tests.browser.viewer.driver import Driver
    from tests.browser.viewer.server import Study

pytestmark = pytest.mark.browser

EARLIER, CURRENT = 0, 1
BEFORE = BASELINE.long(Z_EARLIER) + BASELINE.short(Z_EARLIER)
NOW = FOLLOW_UP.long(Z) + FOLLOW_UP.short(Z)


@pytest.fixture
def with_earlier(two_timepoints: Study, baseline: ExamTruth) -> Study:
    """The reader measured T1 on the first timepoint."""
    mark = layered(OF_A, baseline, BASELINE.slice_index, BEFORE)
    two_timepoints.layers = [{"name": "Timepoint 1", "marks": [mark]}]
    return two_timepoints


@pytest.fixture
def reader(with_earlier: Study, driver: Driver) -> Driver:
    driver.open(with_earlier.viewer_page()).wait_for_both()
    driver.until(lambda: "30.00" in driver.drawn(), "the earlier mark")
    return driver


def indices(driver: Driver) -> list[int]:
    return [area["index"] for area in driver.areas()]


def test_the_earlier_timepoint_opens_at_its_first_finding(reader: Driver) -> None:
    assert indices(reader) == [BASELINE.slice_index, 3]


@pytest.mark.requirement("V08")
def test_measuring_a_finding_shows_it_at_the_earlier_timepoint(reader: Driver) -> None:
    reader.page.mouse.move(*reader.centre(EARLIER))
    reader.page.mouse.wheel(0, 240)
    reader.until(lambda: indices(reader)[EARLIER] != BASELINE.slice_index, "another image")

    reader.call("measure('targets.t1.size', 'T1', 'bidirectional')")

    reader.until(lambda: indices(reader)[EARLIER] == BASELINE.slice_index, "the finding")


def test_showing_a_finding_goes_there_at_both_timepoints_and_leaves_the_keys_on_the_images(
    reader: Driver, two_timepoints: Study
) -> None:
    reader.call("measure('targets.t1.size', 'T1', 'bidirectional')")
    reader.go_to(FOLLOW_UP.slice_index)
    reader.begin_diameters(FOLLOW_UP.long(Z), has_tool=True)
    reader.press("Enter")
    reader.until(lambda: reader.events("mark-saved"), "the mark")
    (mark,) = two_timepoints.marks
    reader.press("Home")
    reader.until(lambda: reader.state()["index"] == 0, "another image")
    reader.page.mouse.move(*reader.centre(EARLIER))
    reader.page.mouse.wheel(0, 240)
    reader.page.evaluate("document.querySelector('collegium-viewer').blur()")

    reader.call(f"show('{mark}')")
    reader.until(lambda: indices(reader) == [BASELINE.slice_index, FOLLOW_UP.slice_index], "the finding")
    reader.press("ArrowDown")

    reader.until(
        lambda: indices(reader) == [BASELINE.slice_index, FOLLOW_UP.slice_index + 1], "the key on the images"
    )


def test_a_mark_of_an_earlier_timepoint_says_so_under_the_pointer_and_cannot_be_moved(reader: Driver) -> None:
    before = [reader.on_screen(point, EARLIER) for point in BEFORE]
    reader.page.mouse.move(before[0][0] + 1, before[0][1])
    reader.until(lambda: "Timepoint 1" in reader.drawn(), "the timepoint of the mark")

    reader.press("b")
    reader.drag(before[0], (before[0][0] - 30, before[0][1] - 30))

    assert [reader.on_screen(point, EARLIER) for point in BEFORE] == before
    assert reader.events("mark-saved") == []
    assert "30.00" in reader.drawn()


def test_compared_reads_open_at_their_first_mark(study: Study, follow_up: ExamTruth, driver: Driver) -> None:
    study.add(*follow_up.files, change=FOLLOW_UP.paint)
    study.layers = [{"name": "A", "marks": [layered(OF_A, follow_up, 5, NOW)]}]

    driver.open(study.viewer_page(more='begin="mark"')).wait_for_image()

    assert driver.state()["index"] == 5
    assert study.instance(driver.frames_asked()[0]).dataset.InstanceNumber == 6
