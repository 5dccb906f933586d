"""A drawn length is saved as drawn, comes back as saved, and is never lost."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from tests.browser.viewer.server import MARKS

if TYPE_CHECKING:
    from collegium_testkit.phantoms import ExamTruth
    from tests.browser.viewer.driver import Driver
    from tests.browser.viewer.server import Study

pytestmark = pytest.mark.browser

# A mouse moves in whole pixels of the screen; at the size used here one is 0.34 of an image pixel.
ONE_PIXEL_MM = 1.0


@pytest.fixture
def reader(study: Study, ct: ExamTruth, driver: Driver) -> Driver:
    """The phantom's rod is on the screen."""
    study.add(*ct.files)
    return driver.open(study.viewer_page()).wait_for_all().go_to(ct.rod.slice_index)


def failures(reader: Driver) -> list[str]:
    """What the page was told of each saving that failed."""
    return [told["message"] for told in reader.events("save-state") if told["state"] == "failed"]


@pytest.mark.requirement("V05")
def test_a_drawn_length_is_where_and_as_long_as_the_rod(reader: Driver, study: Study, ct: ExamTruth) -> None:
    mark = reader.measure(*ct.rod.world_points)

    stored = study.marks[mark["mark_id"]]
    assert stored["instance_uid"] == ct.rod.sop_instance_uid
    assert stored["series_uid"] == ct.series_uid
    assert stored["frame_of_reference_uid"] == ct.frame_of_reference_uid
    assert stored["kind"] == "length"
    assert math.dist(*stored["points"]) == pytest.approx(ct.rod.length_mm, abs=ONE_PIXEL_MM)
    for drawn, true in zip(stored["points"], ct.rod.world_points, strict=True):
        assert drawn == pytest.approx(true, abs=ONE_PIXEL_MM)
    for placed, pixel in zip(stored["image_points"], ct.rod.image_points, strict=True):
        assert placed == pytest.approx(pixel, abs=ONE_PIXEL_MM)


def test_points_in_the_patient_and_in_the_image_are_the_same_points(
    reader: Driver, study: Study, ct: ExamTruth
) -> None:
    mark = reader.measure(*ct.rod.world_points)

    # PS3.3 C.7.6.2.1.1: position + column * spacing along the row + row * spacing along the column.
    dataset = study.instance(mark["instance_uid"]).dataset
    x, y, z = (float(value) for value in dataset.ImagePositionPatient)
    between_rows, between_columns = (float(value) for value in dataset.PixelSpacing)
    for (column, row), point in zip(mark["image_points"], mark["points"], strict=True):
        assert point == pytest.approx([x + column * between_columns, y + row * between_rows, z], abs=1e-3)


def test_the_servers_value_is_shown_once_saved(reader: Driver, ct: ExamTruth) -> None:
    mark = reader.measure(*ct.rod.world_points)

    reader.until(lambda: f"{mark['value']} mm" in reader.text(".marks"), "the value in the list")
    reader.until(lambda: f"{mark['value']} mm" in reader.drawn(), "the value on the image")
    saved = {"state": "saved", "message": ""}
    reader.until(lambda: reader.events("save-state")[-1] == saved, "that it is saved told")


def test_a_length_asked_for_by_the_form_is_bound_to_its_item_once(
    reader: Driver, study: Study, ct: ExamTruth
) -> None:
    reader.call("measure('lesion-1', 'T1')")
    reader.until(lambda: reader.state()["armedFor"] == "lesion-1", "the tool")

    reader.drag(*(reader.on_screen(point) for point in ct.rod.world_points))
    reader.until(lambda: reader.events("mark-saved"), "the mark")

    saved = reader.events("mark-saved")[0]
    assert saved["itemId"] == "lesion-1"
    assert saved["mark"]["label"] == "T1"
    assert reader.state()["armedFor"] is None
    assert reader.state()["tool"] == "window"
    assert len(study.marks) == 1


@pytest.mark.requirement("V07")
def test_marks_come_back_exactly_as_drawn(reader: Driver, study: Study, ct: ExamTruth) -> None:
    mark = reader.measure(*ct.rod.world_points)
    before = [reader.on_screen(point) for point in mark["points"]]

    reader.page.reload()
    reader.wait_for_all()
    reader.until(lambda: reader.events("marks-loaded"), "the marks")
    reader.page.locator("collegium-viewer .marks .go").click()
    reader.until(lambda: reader.state()["index"] == ct.rod.slice_index, "the jump to the mark")

    assert [reader.on_screen(point) for point in mark["points"]] == before
    reader.until(lambda: f"{mark['value']} mm" in reader.drawn(), "the value on the image")
    assert study.marks[mark["mark_id"]]["revision"] == 1


def test_a_moved_end_is_a_new_revision(reader: Driver, study: Study, ct: ExamTruth) -> None:
    mark = reader.measure(*ct.rod.world_points)
    end = reader.on_screen(mark["points"][1])
    reader.press("w")

    reader.drag(end, (end[0] + 40, end[1] + 30))
    reader.until(lambda: study.marks[mark["mark_id"]]["revision"] == 2, "the second revision")

    moved = study.marks[mark["mark_id"]]
    assert moved["points"][0] == mark["points"][0]
    assert moved["points"][1] != mark["points"][1]
    reader.until(lambda: f"{moved['value']} mm" in reader.text(".marks"), "the new value")


def test_only_one_request_is_in_flight_for_a_mark_and_the_latest_drawing_wins(
    reader: Driver, study: Study, ct: ExamTruth
) -> None:
    mark = reader.measure(*ct.rod.world_points)
    reader.press("w")
    x, y = reader.on_screen(mark["points"][1])

    study.gate.clear()  # the first change stays under way while two more are drawn
    for step in range(3):
        reader.drag((x + 10 * step, y), (x + 10 * (step + 1), y))
        reader.until(lambda: study.puts_at_once[mark["mark_id"]] == 1, "the first change on its way")
    study.gate.set()

    def saved_end() -> int:
        return reader.on_screen(study.marks[mark["mark_id"]]["points"][1])[0]

    reader.until(lambda: saved_end() == pytest.approx(x + 30, abs=1), "the latest drawing at the server")
    reader.until(lambda: reader.events("save-state")[-1]["state"] == "saved", "everything saved")
    assert saved_end() == pytest.approx(x + 30, abs=1)
    assert study.most_parallel_puts == 1


def test_a_mark_changed_elsewhere_is_shown_and_told(reader: Driver, study: Study, ct: ExamTruth) -> None:
    mark = reader.measure(*ct.rod.world_points)
    study.marks[mark["mark_id"]] = {
        **mark,
        "revision": 7,
        "value": "12.50",
        "points": [[-5.0, 20.0, mark["points"][0][2]], [7.5, 20.0, mark["points"][0][2]]],
    }
    reader.press("w")

    end = reader.on_screen(mark["points"][1])
    reader.drag(end, (end[0] + 40, end[1] + 30))
    reader.until(lambda: reader.page.locator("collegium-viewer .notice").count() > 0, "the notice")
    reader.until(lambda: reader.events("mark-saved")[-1]["mark"]["revision"] == 7, "the other change told")

    assert "changed elsewhere" in reader.text(".notice")
    assert "12.50 mm" in reader.text(".marks")
    assert study.marks[mark["mark_id"]]["revision"] == 7


def test_a_mark_drawn_without_network_is_saved_when_it_is_back(
    reader: Driver, study: Study, ct: ExamTruth
) -> None:
    study.failing["/marks/"] = 0
    reader.press("l")
    reader.drag(*(reader.on_screen(point) for point in ct.rod.world_points))
    reader.until(lambda: failures(reader), "the failure")
    told = failures(reader)[0]
    listed = reader.text(".marks")

    study.failing.clear()
    reader.until(lambda: reader.events("save-state")[-1]["state"] == "saved", "the repetition")

    assert "kept" in told
    assert "not saved yet" in listed
    assert len(study.marks) == 1


def test_a_mark_drawn_without_network_survives_the_tab(reader: Driver, study: Study, ct: ExamTruth) -> None:
    study.failing["/marks/"] = 0
    reader.press("l")
    reader.drag(*(reader.on_screen(point) for point in ct.rod.world_points))
    reader.until(lambda: failures(reader), "the failure")

    study.failing.clear()
    reader.page.reload()
    reader.wait_for_all()
    reader.until(lambda: len(study.marks) == 1, "the saving")

    (mark,) = study.marks.values()
    assert mark["revision"] == 1
    assert math.dist(*mark["points"]) == pytest.approx(ct.rod.length_mm, abs=ONE_PIXEL_MM)


def test_an_answer_that_got_lost_is_not_saved_twice(reader: Driver, study: Study, ct: ExamTruth) -> None:
    mark = reader.measure(*ct.rod.world_points)

    study.loses_next_answer = True
    reader.press("w")
    end = reader.on_screen(mark["points"][1])
    reader.drag(end, (end[0] + 20, end[1]))
    reader.until(lambda: reader.events("mark-saved")[-1]["mark"]["revision"] == 2, "the repetition")

    assert study.marks[mark["mark_id"]]["revision"] == 2


def test_a_refused_mark_says_why_and_stays_visible(reader: Driver, study: Study, ct: ExamTruth) -> None:
    study.failing["/marks/"] = 422
    reader.press("l")
    reader.drag(*(reader.on_screen(point) for point in ct.rod.world_points))
    reader.until(lambda: reader.page.locator("collegium-viewer .notice").count() > 0, "the notice")
    reader.until(lambda: failures(reader), "the failure told")

    assert "The test made this fail." in reader.text(".notice")
    assert "not saved" in reader.text(".marks")


def test_a_chosen_mark_can_be_removed_and_brought_back(reader: Driver, study: Study, ct: ExamTruth) -> None:
    mark = reader.measure(*ct.rod.world_points)

    reader.press("Delete")
    reader.until(lambda: study.marks[mark["mark_id"]].get("struck_out"), "the removal")
    reader.until(lambda: reader.page.locator("collegium-viewer .marks .go").count() == 0, "the empty list")
    reader.page.get_by_role("button", name="Undo").click()
    reader.until(lambda: len(study.marks) == 2, "the mark again")

    again = next(each for each in study.marks.values() if not each.get("struck_out"))
    assert again["points"] == mark["points"]
    reader.until(lambda: reader.events("mark-removed") == [{"markId": mark["mark_id"]}], "the removal told")


def test_show_opens_the_image_of_a_mark(reader: Driver, ct: ExamTruth) -> None:
    mark = reader.measure(*ct.rod.world_points)
    reader.press("Home")
    reader.until(lambda: reader.state()["index"] == 0, "another image")

    reader.call(f"show('{mark['mark_id']}')")

    reader.until(lambda: reader.state()["index"] == ct.rod.slice_index, "the image of the mark")


def test_a_click_without_a_drag_measures_nothing(reader: Driver, study: Study) -> None:
    reader.press("l")
    x, y = reader.centre()
    reader.page.mouse.click(x, y)
    reader.page.mouse.click(x, y)
    reader.drag((x - 40, y), (x - 20, y))
    reader.until(lambda: reader.events("mark-saved"), "the drawn mark")

    assert len(study.marks) == 1


def test_whoever_only_looks_cannot_draw(study: Study, ct: ExamTruth, driver: Driver) -> None:
    study.add(*ct.files)
    driver.open(study.viewer_page(mode="view")).wait_for_all()

    driver.press("l")
    driver.drag(*(driver.on_screen(point) for point in ct.rod.world_points))

    assert driver.page.get_by_role("button", name="Length").count() == 0
    assert driver.state()["tool"] == "window"
    assert f"PUT {MARKS}" not in " ".join(study.asked)
