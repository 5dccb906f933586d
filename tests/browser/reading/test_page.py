"""The reading page as a place to work: little stands in the way, keys lead everywhere, and a cut line costs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collegium_testkit.browser import chromium_path
from collegium_testkit.patience import until
from collegium_testkit.trial_form import trial_project
from tests.browser.reading.desk import Reading
from tests.browser.reading.test_form import CHANGES, add_row, item, rows, saved

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator, Page, Route

    from collegium_testkit.installation import InstallationProcess
    from collegium_testkit.seed import Seeded
    from tests.browser.reading.desk import Behind

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium_path() is None, reason="no Chromium on this machine"),
    pytest.mark.timeout(900),
]


@pytest.fixture
def page(place: tuple[InstallationProcess, Seeded], behind: Behind, context: BrowserContext) -> Page:
    """The reading page of a fresh task with the trial's form."""
    server, seeded = place
    return Reading(server, behind, seeded, context, trial_project(), own_space="Trial form").window()


def line(page: Page) -> str:
    return page.locator("[data-saving]").inner_text()


def absence(page: Page, path: str) -> Locator:
    return item(page, path).locator("[data-absences]")


@pytest.mark.requirement("R57")
def test_struck_rows_are_folded_away_and_counted(page: Page) -> None:
    add_row(page)
    add_row(page)
    rows(page).first.get_by_role("button", name="Strike out").click()
    saved(page)
    assert page.evaluate("document.activeElement.matches('[data-unstrike]')")

    page.reload()
    fold = page.locator("[data-struck]")
    assert [row.get_attribute("aria-label") for row in rows(page).all()] == ["T2"]
    assert fold.locator("[data-struck-count]").inner_text() == "1 struck out"
    assert not fold.locator("[data-row]").is_visible()
    fold.locator("[data-struck-count]").click()
    fold.get_by_role("button", name="Undo").click()
    until(lambda: rows(page).count() == 2, "the row among the others")
    assert [row.get_attribute("aria-label") for row in rows(page).all()] == ["T1", "T2"]
    assert fold.is_hidden()


@pytest.mark.requirement("R50")
def test_why_there_is_no_value_is_a_small_menu_that_the_keyboard_reaches(page: Page) -> None:
    menu = absence(page, "quality")
    assert not menu.locator("[data-absent]").first.is_visible()
    menu.locator("summary").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    saved(page)
    chosen = menu.locator("[aria-checked=true]").text_content()
    assert menu.locator("[data-absent-word]").inner_text() == chosen
    assert page.evaluate("document.activeElement.matches('[data-absences] summary')")

    page.reload()
    assert absence(page, "quality").locator("[data-absent-word]").inner_text() == chosen
    item(page, "quality").locator("input[value='4']").check()
    saved(page)
    assert absence(page, "quality").locator("[data-absent-word]").inner_text() == ""


@pytest.mark.requirement("R54")
def test_while_the_server_does_not_answer_the_page_says_what_is_safe_and_goes_on_trying(page: Page) -> None:
    page.route(CHANGES, lambda route: route.abort())
    scanner = item(page, "scanner").locator("[data-answer]")
    scanner.fill("CT-1")
    told = page.locator("[data-told]")
    until(told.is_visible, "what is safe")
    scanner.fill("CT-12")
    scanner.blur()

    assert "kept in this browser" in told.inner_text()
    assert line(page) == "Not saved, trying again"
    held = list["Route"]()
    page.route(CHANGES, lambda route: held.append(route))  # noqa: PLW0108  Playwright marks what it is given
    # What is tried by itself must not save it first and take the button away: every try waits from now on.
    told.get_by_role("button", name="Try now").click()
    until(lambda: told.is_visible() and held, "the next try")
    held[0].continue_()
    page.unroute(CHANGES)
    saved(page)
    assert told.is_hidden()
    page.reload()
    assert item(page, "scanner").locator("[data-answer]").input_value() == "CT-12"


@pytest.mark.requirement("R54")
def test_leaving_with_unsaved_words_asks_first(page: Page) -> None:
    page.route(CHANGES, lambda route: route.abort())
    item(page, "scanner").locator("[data-answer]").press_sequentially("CT-1")

    with page.expect_event("dialog") as asked:
        page.close(run_before_unload=True)

    assert asked.value.type == "beforeunload"
    asked.value.dismiss()
    assert not page.is_closed()


def test_one_key_leads_from_the_form_to_the_images_and_back(page: Page) -> None:
    scanner = item(page, "scanner").locator("[data-answer]")
    viewer = page.locator("collegium-viewer")
    until(lambda: viewer.locator(".port").count() == 1, "the image area")
    scanner.focus()
    page.keyboard.press("F6")
    assert page.evaluate("document.activeElement.localName") == "collegium-viewer"
    page.keyboard.press("F6")

    assert page.evaluate("document.activeElement.name") == "scanner"
    page.keyboard.press("F6")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.localName") != "collegium-viewer"


def test_one_sheet_lists_the_keys_of_images_and_form(page: Page) -> None:
    until(lambda: page.locator("collegium-viewer .port").count() == 1, "the image area")
    item(page, "quality").locator("input").first.focus()
    page.keyboard.press("?")

    sheet = page.locator("collegium-viewer dialog.help")
    until(sheet.is_visible, "the sheet")
    assert sheet.locator("h3").all_inner_texts() == ["Images", "Measuring", "Form"]
    assert "F6" in sheet.inner_text()
