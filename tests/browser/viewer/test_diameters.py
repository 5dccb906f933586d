"""Two diameters of a lesion whose diameters are known: drawn, saved, shown, moved, struck, brought back."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest

from tests.browser.viewer.conftest import FOLLOW_UP

if TYPE_CHECKING:
    from collegium_testkit.phantoms import ExamTruth
    from tests.browser.viewer.driver import Driver
    from tests.browser.viewer.server import Study

pytestmark = [pytest.mark.browser, pytest.mark.requirement("R50")]

# A mouse moves in whole pixels of the screen, of some 0.34 mm here.
ONE_PIXEL_MM = 1.0
TIMES = "\N{MULTIPLICATION SIGN}"
LONG, SHORT = FOLLOW_UP.long(-22.5), FOLLOW_UP.short(-22.5)


@pytest.fixture
def reader(study: Study, follow_up: ExamTruth, driver: Driver) -> Driver:
    """The lesion is on the screen."""
    study.add(*follow_up.files, change=FOLLOW_UP.paint)
    return driver.open(study.viewer_page()).wait_for_all().go_to(FOLLOW_UP.slice_index)


@pytest.mark.requirement("V05")
def test_both_diameters_are_as_long_as_those_of_the_lesion(reader: Driver, study: Study) -> None:
    mark = reader.measure_diameters(LONG, SHORT)

    stored = study.marks[mark["mark_id"]]
    assert stored["kind"] == "bidirectional"
    assert math.dist(*stored["points"][:2]) == pytest.approx(20.0, abs=ONE_PIXEL_MM)
    assert math.dist(*stored["points"][2:]) == pytest.approx(8.0, abs=ONE_PIXEL_MM)
    assert len(stored["image_points"]) == 4


def test_what_is_drawn_passes_the_rules_of_the_server(reader: Driver, study: Study) -> None:
    mark = reader.measure_diameters(LONG, SHORT)

    # The server refuses two diameters that are 2 degrees from a right angle, or that do not cross.
    (ax, ay, _), (bx, by, _), (cx, cy, _), (dx, dy, _) = study.marks[mark["mark_id"]]["points"]
    along, across = (bx - ax, by - ay), (dx - cx, dy - cy)
    cosine = (along[0] * across[0] + along[1] * across[1]) / math.hypot(*along) / math.hypot(*across)
    area = along[0] * across[1] - along[1] * across[0]
    on_long = ((cx - ax) * across[1] - (cy - ay) * across[0]) / area
    on_short = ((cx - ax) * along[1] - (cy - ay) * along[0]) / area
    assert abs(math.degrees(math.asin(cosine))) < 0.5
    assert 0 <= on_long <= 1
    assert 0 <= on_short <= 1


def test_the_text_tells_both_diameters(reader: Driver) -> None:
    mark = reader.measure_diameters(LONG, SHORT)

    told = f"{mark['value']} {TIMES} {mark['short_value']} mm"
    reader.until(lambda: told in reader.drawn(), "both values on the image")
    reader.until(lambda: told in reader.text(".marks"), "both values in the list")


def test_a_short_diameter_that_nobody_set_is_not_saved(reader: Driver, study: Study) -> None:
    reader.begin_diameters(LONG)

    reader.until(lambda: "short diameter proposed" in reader.drawn(), "the proposal")
    assert study.marks == {}
    assert reader.events("mark-saved") == []

    reader.press("Escape")
    reader.until(lambda: "short diameter proposed" not in reader.drawn(), "nothing left")
    assert study.marks == {}


def test_a_proposed_short_diameter_can_be_taken_as_it_is(reader: Driver, study: Study) -> None:
    reader.begin_diameters(LONG)

    reader.press("Enter")
    reader.until(lambda: reader.events("mark-saved"), "the mark")

    (mark,) = study.marks.values()
    assert float(mark["short_value"]) == pytest.approx(float(mark["value"]) * 2 / 3, abs=0.1)


def test_a_form_item_waits_until_both_are_set(reader: Driver) -> None:
    reader.call("measure('targets.1.diameter', 'T1', 'bidirectional')")
    reader.until(lambda: reader.state()["tool"] == "bidirectional", "the tool")

    reader.drag(*(reader.on_screen(end) for end in LONG))
    armed = reader.state()["armedFor"]
    proposed = reader.on_screen([-44.0 + 4.0, -4.0 - 16 / 3, -22.5])
    reader.drag(proposed, reader.on_screen(SHORT[0]))
    reader.until(lambda: reader.events("mark-saved"), "the mark")

    saved = reader.events("mark-saved")[0]
    assert armed == "targets.1.diameter"
    assert (saved["itemId"], saved["mark"]["label"]) == ("targets.1.diameter", "T1")
    assert reader.state()["armedFor"] is None
    assert reader.state()["tool"] == "window"


def test_a_begun_measurement_waits_while_the_reader_uses_another_tool(reader: Driver) -> None:
    reader.call("measure('t1', 'T1', 'bidirectional')")
    reader.until(lambda: reader.state()["tool"] == "bidirectional", "the tool")
    reader.drag(*(reader.on_screen(end) for end in LONG))
    proposed = [-44.0 + 4.0, -4.0 - 16 / 3, -22.5]

    reader.press("w", "2")
    x, y = reader.centre()
    reader.drag((x + 150, y), (x + 190, y))
    reader.until(lambda: reader.state()["preset"] is None, "the window dragged")
    reader.drag(reader.on_screen(proposed), reader.on_screen(SHORT[0]))
    reader.until(lambda: reader.events("mark-saved"), "the mark")

    assert reader.events("mark-saved")[0]["itemId"] == "t1"
    assert reader.state()["armedFor"] is None


def test_a_short_diameter_that_grows_longer_becomes_the_long_one(reader: Driver, study: Study) -> None:
    mark = reader.measure_diameters(LONG, SHORT)
    reader.press("w")
    at = study.marks[mark["mark_id"]]["points"][2:]
    beyond = [at[0][0] + 2 * (at[0][0] - at[1][0]), at[0][1] + 2 * (at[0][1] - at[1][1]), at[0][2]]

    reader.drag(reader.on_screen(at[0]), reader.on_screen(beyond))
    reader.until(lambda: study.marks[mark["mark_id"]]["revision"] == mark["revision"] + 1, "the change")

    moved = study.marks[mark["mark_id"]]
    assert float(moved["value"]) == pytest.approx(24.0, abs=3 * ONE_PIXEL_MM)
    assert float(moved["short_value"]) == pytest.approx(20.0, abs=ONE_PIXEL_MM)


@pytest.mark.requirement("V07")
def test_two_diameters_come_back_as_drawn_and_can_be_struck(reader: Driver, study: Study) -> None:
    mark = reader.measure_diameters(LONG, SHORT)
    before = [reader.on_screen(point) for point in mark["points"]]

    reader.page.reload()
    reader.wait_for_all()
    reader.until(lambda: reader.events("marks-loaded"), "the marks")
    reader.page.locator("collegium-viewer .marks .go").click()
    reader.until(lambda: reader.state()["index"] == FOLLOW_UP.slice_index, "the jump to the mark")
    reader.until(lambda: f"{TIMES} {mark['short_value']} mm" in reader.drawn(), "the value on the image")
    after = [reader.on_screen(point) for point in mark["points"]]
    reader.press("Delete")
    reader.until(lambda: study.marks[mark["mark_id"]].get("struck_out"), "the removal")

    assert after == before
    assert study.marks[mark["mark_id"]]["revision"] == mark["revision"] + 1
