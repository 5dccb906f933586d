"""Two diameters in two drags: first the long one, then the short one across it; a line says what comes next."""

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
LONG, SHORT = FOLLOW_UP.long(-22.5), FOLLOW_UP.short(-22.5)
NEXT = "Drag the short diameter across, or press Enter to keep the proposed one. Esc discards."


@pytest.fixture
def reader(study: Study, follow_up: ExamTruth, driver: Driver) -> Driver:
    """The lesion is on the screen, the tool in the hand."""
    study.add(*follow_up.files, change=FOLLOW_UP.paint)
    driver.open(study.viewer_page()).wait_for_all().go_to(FOLLOW_UP.slice_index)
    return driver.press("b")


def hint(driver: Driver) -> str:
    return driver.text(".hint")


def drag(driver: Driver, start: list[float], end: list[float]) -> None:
    driver.drag(driver.on_screen(start), driver.on_screen(end))


def test_a_second_drag_across_the_lesion_is_its_short_diameter(reader: Driver, study: Study) -> None:
    drag(reader, *LONG)
    reader.until(lambda: hint(reader) == NEXT, "the long one drawn")
    drag(reader, *SHORT)
    reader.until(lambda: reader.events("mark-saved"), "the mark")

    (mark,) = study.marks.values()
    assert float(mark["value"]) == pytest.approx(20.0, abs=ONE_PIXEL_MM)
    assert float(mark["short_value"]) == pytest.approx(8.0, abs=ONE_PIXEL_MM)
    assert math.dist(mark["points"][2], SHORT[0]) + math.dist(mark["points"][3], SHORT[1]) < 3 * ONE_PIXEL_MM


def test_a_short_diameter_drawn_from_a_proposed_end_to_the_other_side_is_what_was_drawn(
    reader: Driver, study: Study
) -> None:
    proposed = reader.begin_diameters(LONG, has_tool=True)

    drag(reader, proposed[0], SHORT[1])
    reader.until(lambda: reader.events("mark-saved"), "the mark")

    (mark,) = study.marks.values()
    assert float(mark["value"]) == pytest.approx(20.0, abs=ONE_PIXEL_MM)
    # From the proposed end, a third of 20 mm off the long diameter, to the lesion's edge, 4 mm off it.
    assert float(mark["short_value"]) == pytest.approx(20 / 3 + 4, abs=ONE_PIXEL_MM)


def test_a_drag_that_passes_the_long_diameter_by_changes_nothing(reader: Driver, study: Study) -> None:
    drag(reader, *LONG)
    reader.until(lambda: hint(reader) == NEXT, "the long one drawn")
    x, y, z = LONG[0]
    drag(reader, [x + 40, y - 30, z], [x + 50, y - 40, z])

    assert study.marks == {}
    reader.until(lambda: hint(reader) == NEXT, "the line that says what comes next")
    drag(reader, *SHORT)
    reader.until(lambda: reader.events("mark-saved"), "the mark of the two drags that belong together")
    assert len(study.marks) == 1


def test_one_line_says_what_comes_next(reader: Driver) -> None:
    first = hint(reader)
    drag(reader, *LONG)
    reader.until(lambda: hint(reader) == NEXT, "what comes next")
    drag(reader, *SHORT)
    reader.until(lambda: reader.events("mark-saved"), "the mark")

    assert first == "Drag the long diameter, from edge to edge. Esc stops."


def test_escape_discards_both_and_enter_keeps_what_is_proposed(reader: Driver, study: Study) -> None:
    drag(reader, *LONG)
    reader.until(lambda: hint(reader) == NEXT, "the short one proposed")
    reader.press("Escape")
    reader.until(lambda: hint(reader) != NEXT, "nothing half drawn")
    assert study.marks == {}

    reader.press("b")
    drag(reader, *LONG)
    reader.until(lambda: hint(reader) == NEXT, "the short one proposed")
    reader.press("Enter")
    reader.until(lambda: reader.events("mark-saved"), "the mark")

    (mark,) = study.marks.values()
    assert float(mark["short_value"]) == pytest.approx(float(mark["value"]) * 2 / 3, abs=0.1)
