"""Marks of others are shown by layer: apart from each other and from one's own, switchable, never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from collegium_testkit import phantoms
from tests.browser.viewer.conftest import BASELINE, FOLLOW_UP
from tests.browser.viewer.server import measured

if TYPE_CHECKING:
    from collegium_testkit.phantoms import ExamTruth
    from tests.browser.viewer.driver import Driver
    from tests.browser.viewer.server import Study

pytestmark = pytest.mark.browser

Z, Z_EARLIER = FOLLOW_UP.slice_index * 2.5 - 30.0, BASELINE.slice_index * 2.5 - 30.0
OF_A, OF_B = "a0000000-0000-8000-8000-00000000000a", "b0000000-0000-8000-8000-00000000000b"
TIMES = "\N{MULTIPLICATION SIGN}"


def layered(mark_id: str, exam: ExamTruth, index: int, points: list[list[float]]) -> dict[str, Any]:
    """A mark of a layer as the product's server tells it."""
    return {
        "mark_id": mark_id,
        "kind": "length" if len(points) == 2 else "bidirectional",
        "series_uid": exam.series_uid,
        "instance_uid": phantoms.uid(exam.series_uid, index),
        "frame": 1,
        "frame_of_reference_uid": exam.frame_of_reference_uid,
        "points": points,
        "image_points": [[0.0, 0.0]] * len(points),
        "label": "T1",
        **measured(points),
    }


@pytest.fixture
def adjudicator(study: Study, follow_up: ExamTruth, driver: Driver) -> Driver:
    """Two readers' marks on one lesion: 20 x 8 mm by A, a length of 20 mm by B."""
    study.add(*follow_up.files, change=FOLLOW_UP.paint)
    both = FOLLOW_UP.long(Z) + FOLLOW_UP.short(Z)
    study.layers = [
        {"name": "A", "marks": [layered(OF_A, follow_up, FOLLOW_UP.slice_index, both)]},
        {"name": "B", "marks": [layered(OF_B, follow_up, FOLLOW_UP.slice_index, FOLLOW_UP.long(Z))]},
    ]
    driver.open(study.viewer_page()).wait_for_all().go_to(FOLLOW_UP.slice_index)
    driver.until(lambda: driver.events("marks-loaded"), "the marks")
    return driver


def lines(driver: Driver) -> dict[str, list[tuple[str, str]]]:
    """Colour and dashes of the drawn lines, by mark."""
    script = """() => {
      const root = document.querySelector('collegium-viewer').shadowRoot;
      const read = (line, name) => line.getAttribute(name);
      const look = (line) => [line.dataset.id || '', read(line, 'stroke'), read(line, 'stroke-dasharray')];
      return [...root.querySelectorAll('svg.svg-layer line')].map(look);
    }"""
    found: dict[str, list[tuple[str, str]]] = {}
    for name, colour, dashes in driver.page.evaluate(script):
        found.setdefault(name.split("-line")[0], []).append((colour, dashes or ""))
    return found


def drawn(driver: Driver, words: str) -> bool:
    return words in " ".join(driver.drawn().split())


def test_each_layer_has_its_letter_colour_and_dashes(adjudicator: Driver) -> None:
    adjudicator.until(lambda: drawn(adjudicator, f"A T1 20.00 {TIMES} 8.00 mm"), "the marks of A")
    adjudicator.until(lambda: drawn(adjudicator, "B T1 20.00 mm"), "the marks of B")

    looks = {style for styles in lines(adjudicator).values() for style in styles}
    assert ("rgb(230, 159, 0)", "9,4") in looks
    assert ("rgb(86, 180, 233)", "3,3") in looks


def test_a_layer_is_switched_by_its_box_and_by_its_key(adjudicator: Driver) -> None:
    adjudicator.until(lambda: drawn(adjudicator, "A T1"), "the marks of A")

    adjudicator.page.get_by_role("checkbox", name="A", exact=False).first.uncheck()
    adjudicator.until(lambda: not drawn(adjudicator, "A T1"), "A switched off")
    only_b = drawn(adjudicator, "B T1")
    adjudicator.press("Shift+B")
    adjudicator.until(lambda: not drawn(adjudicator, "B T1"), "B switched off")
    adjudicator.press("Shift+A")
    adjudicator.until(lambda: drawn(adjudicator, "A T1"), "A switched on")

    assert only_b
    shown = [(layer["name"], layer["isShown"]) for layer in adjudicator.state()["layers"]]
    assert shown == [("A", True), ("B", False)]
    assert adjudicator.state()["tool"] == "window"


def test_a_mark_of_a_layer_is_neither_moved_nor_removed(adjudicator: Driver, study: Study) -> None:
    adjudicator.until(lambda: drawn(adjudicator, "A T1"), "the marks of A")
    end = adjudicator.on_screen(FOLLOW_UP.long(Z)[0])

    adjudicator.drag(end, (end[0] + 60, end[1] + 40))
    adjudicator.call(f"show('{OF_A}')")
    adjudicator.until(
        lambda: adjudicator.page.locator(".layers [aria-current]").count() == 1, "A's mark chosen"
    )
    adjudicator.press("Delete")

    assert drawn(adjudicator, f"A T1 20.00 {TIMES} 8.00 mm")
    assert adjudicator.page.locator("collegium-viewer .layers .tool").count() == 0
    assert not [asked for asked in study.asked if asked.startswith(("PUT", "DELETE"))]


def test_show_leads_to_a_mark_of_a_layer_and_switches_it_on(adjudicator: Driver) -> None:
    adjudicator.press("Shift+A", "Home")
    adjudicator.until(lambda: adjudicator.state()["index"] == 0, "another image")

    adjudicator.call(f"show('{OF_A}')")

    adjudicator.until(lambda: adjudicator.state()["index"] == FOLLOW_UP.slice_index, "the image of the mark")
    adjudicator.until(lambda: drawn(adjudicator, "A T1"), "the mark")
    assert adjudicator.state()["layers"][0]["isShown"] is True


def test_own_marks_stand_beside_the_layers_and_look_different(adjudicator: Driver, study: Study) -> None:
    mark = adjudicator.measure([-20.0, 30.0, Z], [10.0, 30.0, Z])
    adjudicator.press("w")
    x, y = adjudicator.centre()
    adjudicator.page.mouse.click(x + 200, y + 200)

    adjudicator.until(lambda: drawn(adjudicator, f"{mark['value']} mm"), "the own mark")
    looks = {style for styles in lines(adjudicator).values() for style in styles}
    assert len(study.marks) == 1
    assert adjudicator.page.locator("collegium-viewer .marks .go").count() == 1
    assert adjudicator.page.locator("collegium-viewer .layers .go").count() == 2
    assert len({colour for colour, _ in looks}) >= 3


def test_layers_tell_the_page_what_they_hold(adjudicator: Driver) -> None:
    (told,) = adjudicator.events("marks-loaded")

    assert [(layer["name"], [mark["mark_id"] for mark in layer["marks"]]) for layer in told["layers"]] == [
        ("A", [OF_A]),
        ("B", [OF_B]),
    ]
    assert told["marks"] == []


def test_nothing_of_it_is_shut_to_a_screen_reader(
    two_timepoints: Study, baseline: ExamTruth, driver: Driver
) -> None:
    marks = [layered(OF_A, baseline, BASELINE.slice_index, BASELINE.long(Z_EARLIER))]
    two_timepoints.layers = [{"name": "Timepoint 1", "marks": marks}, {"name": "B", "marks": []}]
    driver.open(two_timepoints.viewer_page()).wait_for_both()
    driver.until(lambda: driver.page.locator("collegium-viewer .layers .go").count() == 1, "the list")

    found: dict[str, Any] = Axe().run(driver.page).response  # Any: axe's JSON

    assert [
        (each["id"], each["nodes"][0]["html"][:120])
        for each in found["violations"]
        if each["impact"] in {"serious", "critical"}
    ] == []


def test_marks_of_the_earlier_timepoint_stand_on_the_earlier_exam(
    two_timepoints: Study, baseline: ExamTruth, driver: Driver
) -> None:
    both = BASELINE.long(Z_EARLIER) + BASELINE.short(Z_EARLIER)
    earlier = [layered(OF_A, baseline, BASELINE.slice_index, both)]
    two_timepoints.layers = [{"name": "Timepoint 1", "marks": earlier}]
    driver.open(two_timepoints.viewer_page()).wait_for_both()
    driver.until(lambda: driver.events("marks-loaded"), "the marks")

    driver.page.locator("collegium-viewer .layers .go").click()
    driver.until(lambda: driver.areas()[0]["index"] == BASELINE.slice_index, "its image on the left")
    left, right = driver.page.locator("collegium-viewer svg.svg-layer").all()
    driver.until(lambda: "30.00" in (left.text_content() or ""), "the mark")

    assert "30.00" not in (right.text_content() or "")
    assert driver.areas()[1]["index"] == 3
    assert "Timepoint 1, image 6" in driver.text(".layers")
