"""Two exams under one grant stand side by side: each its own images, one in use, scrolled together on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.browser.viewer.conftest import FOLLOW_UP

if TYPE_CHECKING:
    from collegium_testkit.phantoms import ExamTruth
    from tests.browser.viewer.driver import Driver
    from tests.browser.viewer.server import Study

pytestmark = pytest.mark.browser

EARLIER, CURRENT = 0, 1


@pytest.fixture
def reader(two_timepoints: Study, driver: Driver) -> Driver:
    return driver.open(two_timepoints.viewer_page()).wait_for_both()


def in_one_space(dataset: Any) -> None:  # Any: a pydicom dataset
    """As if both exams had been made in one frame of reference, this one 5 mm higher."""
    dataset.FrameOfReferenceUID = f"2.25.{2**127 + 4711}"
    if dataset.StudyDate == "20260303":
        x, y, z = dataset.ImagePositionPatient
        dataset.ImagePositionPatient = [x, y, z + 5]


def indices(driver: Driver) -> list[int]:
    return [area["index"] for area in driver.areas()]


@pytest.mark.requirement("V08")
def test_the_earlier_exam_is_on_the_left_and_the_current_one_in_use(
    reader: Driver, baseline: ExamTruth, follow_up: ExamTruth
) -> None:
    shown = [reader.pixels(EARLIER)["seriesUid"], reader.pixels(CURRENT)["seriesUid"]]

    assert shown == [baseline.series_uid, follow_up.series_uid]
    assert [area["timepoint"] for area in reader.areas()] == [1, 2]
    assert reader.state()["active"] == CURRENT
    assert reader.events("ready") == [{"series": 2, "timepoints": 2}]
    assert reader.problems == []
    assert reader.events("violation") == []


def test_one_exam_has_one_area_and_no_word_of_timepoints(
    study: Study, follow_up: ExamTruth, driver: Driver
) -> None:
    study.add(*follow_up.files)

    driver.open(study.viewer_page()).wait_for_all()

    assert len(driver.areas()) == 1
    assert not driver.page.locator("collegium-viewer .area-head").is_visible()
    assert not driver.page.get_by_role("button", name="Scroll together").is_visible()


def test_the_first_image_asked_for_is_of_the_current_exam(
    reader: Driver, two_timepoints: Study, follow_up: ExamTruth
) -> None:
    first = two_timepoints.instance(reader.frames_asked()[0]).dataset

    assert first.SeriesInstanceUID == follow_up.series_uid


def test_keys_wheel_and_window_act_on_the_area_in_use(reader: Driver) -> None:
    reader.press("Home")
    reader.until(lambda: indices(reader) == [4, 0], "the current exam's first image")
    reader.page.mouse.move(*reader.centre(EARLIER))
    reader.page.mouse.wheel(0, 120)
    reader.until(lambda: indices(reader) == [5, 0], "the wheel over the earlier exam")
    reader.press("End", "3")
    reader.until(lambda: indices(reader) == [8, 0], "the key, which follows the wheel")
    reader.until(lambda: reader.areas()[EARLIER]["preset"] == "3", "the lung window")

    assert reader.state()["active"] == EARLIER
    assert reader.areas()[CURRENT]["preset"] == "1"


def test_the_area_in_use_is_outlined_and_a_key_changes_over(reader: Driver) -> None:
    active = reader.page.locator("collegium-viewer .area.is-active .area-head select")
    before = active.evaluate("(choice) => choice.selectedOptions[0].text")

    reader.press("o")
    reader.until(lambda: reader.state()["active"] == EARLIER, "the other area")

    assert before == "Timepoint 2"
    assert active.evaluate("(choice) => choice.selectedOptions[0].text") == "Timepoint 1"


@pytest.mark.requirement("V02", "V08")
def test_exams_of_different_frames_scroll_together_at_the_distance_they_had(reader: Driver) -> None:
    reader.go_to(2)

    reader.press("k", "ArrowDown")
    reader.until(lambda: indices(reader) == [5, 3], "both, two images apart as before")
    reader.page.mouse.move(*reader.centre(EARLIER))
    reader.page.mouse.wheel(0, 120)
    reader.until(lambda: indices(reader) == [6, 4], "the current one following the earlier one")
    reader.press("End")
    reader.until(lambda: indices(reader) == [8, 6], "the ends")
    reader.press("k", "Home")
    reader.until(lambda: indices(reader) == [0, 6], "alone again")


@pytest.mark.requirement("V02", "V08")
def test_exams_of_one_frame_scroll_to_the_same_place_in_the_patient(
    study: Study, baseline: ExamTruth, follow_up: ExamTruth, driver: Driver
) -> None:
    study.add(*baseline.files, change=in_one_space)
    study.add(*follow_up.files, change=in_one_space)
    driver.open(study.viewer_page()).wait_for_both().go_to(3)

    # Slices are 2.5 mm apart and the current exam lies 5 mm higher: its image n is the earlier one's n + 2.
    driver.press("k")
    driver.until(lambda: indices(driver) == [5, 3], "the same place")
    driver.press("ArrowUp", "ArrowUp")
    driver.until(lambda: indices(driver) == [3, 1], "the same place further down")


def test_another_timepoint_can_be_chosen_for_an_area(reader: Driver, follow_up: ExamTruth) -> None:
    choice = reader.page.get_by_label("Timepoint in this area").first

    choice.select_option("Timepoint 2")
    reader.until(lambda: reader.areas()[EARLIER]["timepoint"] == 2, "the current exam on the left too")

    assert [area["seriesUid"] for area in reader.areas()] == [follow_up.series_uid] * 2


def test_one_area_can_stand_alone_and_both_again(reader: Driver) -> None:
    ports = reader.page.locator("collegium-viewer .port")
    narrow = reader.box(CURRENT)["width"]

    reader.press("d")
    reader.until(lambda: reader.box(CURRENT)["width"] > 1.8 * narrow, "one large area")
    was_hidden = not ports.nth(EARLIER).is_visible()
    reader.press("d")
    reader.until(lambda: reader.box(CURRENT)["width"] == narrow, "both")

    assert was_hidden
    assert ports.nth(EARLIER).is_visible()


def test_marks_are_drawn_on_the_current_timepoint_only(reader: Driver, two_timepoints: Study) -> None:
    start = reader.centre(EARLIER)

    reader.press("l")
    reader.drag(start, (start[0] + 60, start[1] + 20))
    reader.until(lambda: reader.page.locator("collegium-viewer .notice").count() > 0, "the notice")

    assert "Timepoint 2" in reader.text(".notice")
    assert two_timepoints.marks == {}

    current = reader.centre(CURRENT)
    reader.drag(current, (current[0] + 60, current[1] + 20))
    reader.until(lambda: len(two_timepoints.marks) == 1, "a mark on the current one")


def test_a_page_may_allow_marks_on_every_timepoint(
    two_timepoints: Study, baseline: ExamTruth, driver: Driver
) -> None:
    driver.open(two_timepoints.viewer_page(more='draw="all"')).wait_for_both()
    start = driver.centre(EARLIER)

    driver.press("l")
    driver.drag(start, (start[0] + 60, start[1] + 20))
    driver.until(lambda: len(two_timepoints.marks) == 1, "the mark")

    (mark,) = two_timepoints.marks.values()
    assert mark["series_uid"] == baseline.series_uid
    assert mark["frame_of_reference_uid"] == baseline.frame_of_reference_uid


def test_a_form_item_leads_to_the_current_timepoint(reader: Driver) -> None:
    reader.press("o")
    reader.until(lambda: reader.state()["active"] == EARLIER, "the earlier area")

    reader.call("measure('t1', 'T1', 'bidirectional')")

    reader.until(lambda: reader.state()["active"] == CURRENT, "the current area")
    assert reader.state()["tool"] == "bidirectional"


def test_a_mark_is_drawn_and_found_again_on_its_own_exam(
    reader: Driver, two_timepoints: Study, follow_up: ExamTruth
) -> None:
    z = FOLLOW_UP.slice_index * 2.5 - 30.0
    reader.go_to(FOLLOW_UP.slice_index)
    mark = reader.measure_diameters(FOLLOW_UP.long(z), FOLLOW_UP.short(z))
    reader.press("Home", "o")
    reader.until(lambda: reader.areas()[CURRENT]["index"] == 0, "another image")

    reader.call(f"show('{mark['mark_id']}')")
    reader.until(lambda: reader.areas()[CURRENT]["index"] == FOLLOW_UP.slice_index, "the image of the mark")

    assert two_timepoints.marks[mark["mark_id"]]["series_uid"] == follow_up.series_uid
    assert reader.state()["active"] == CURRENT
    assert "Timepoint 2, image 4" in reader.text(".marks")
    assert float(mark["value"]) == pytest.approx(20.0, abs=1.0)


def test_a_failing_exam_says_so_in_its_own_area(
    two_timepoints: Study, baseline: ExamTruth, driver: Driver
) -> None:
    two_timepoints.failing[f"/series/{baseline.series_uid}/metadata"] = 404

    driver.open(two_timepoints.viewer_page()).wait_for_image()
    messages = driver.page.locator("collegium-viewer .area .message")
    driver.until(lambda: messages.nth(EARLIER).get_attribute("role") == "alert", "the problem")

    choice = driver.page.get_by_label("Timepoint in this area").nth(EARLIER)
    assert choice.evaluate("(choice) => choice.selectedOptions[0].text") == "Timepoint 1"
    assert not messages.nth(CURRENT).is_visible()
    assert driver.areas()[CURRENT]["count"] == 7
