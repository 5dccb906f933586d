"""The form of a trial beside the images: every kind of item, rows, computed values. Real server, real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collegium_testkit.browser import chromium_path
from collegium_testkit.patience import until
from collegium_testkit.trial_form import trial_project
from tests.browser.reading.desk import Reading

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Locator, Page

    from collegium_testkit.installation import InstallationProcess
    from collegium_testkit.seed import Seeded
    from tests.browser.reading.desk import Behind

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium_path() is None, reason="no Chromium on this machine"),
    pytest.mark.timeout(900),
]

CHANGES = "**/api/v1/tasks/*/changes"


@pytest.fixture
def trial(place: tuple[InstallationProcess, Seeded], behind: Behind, context: BrowserContext) -> Page:
    """The reading page of a fresh task with the trial's form."""
    server, seeded = place
    return Reading(server, behind, seeded, context, trial_project(), own_space="Trial form").window()


def item(page: Page, path: str) -> Locator:
    return page.locator(f'[data-item="{path}"]')


def rows(page: Page) -> Locator:
    return page.locator("[data-rows] > [data-row]")


def field(row: Locator, name: str) -> Locator:
    return row.locator(f'[data-item$=".{name}"] [data-answer]')


def saved(page: Page) -> None:
    until(lambda: page.locator("[data-saving]").inner_text().startswith("Saved "), "saved")


def add_row(page: Page) -> Locator:
    page.get_by_role("button", name="Add target lesion").click()
    return rows(page).last


def fill(row: Locator, organ: str, counted: str) -> None:
    field(row, "organ").select_option(organ)
    field(row, "counted").fill(counted)
    field(row, "counted").blur()


@pytest.mark.requirement("R50", "R52")
def test_every_kind_of_item_is_answered_by_keyboard_and_judged_like_on_the_server(trial: Page) -> None:
    page = trial
    item(page, "scanned").locator("[data-answer]").fill("2999-1-1")
    item(page, "diagnosed").locator("[data-answer]").fill("2019-07")
    item(page, "findings").get_by_label("Ascites").check()
    item(page, "scanner").locator("[data-answer]").fill("ct 1")
    page.keyboard.press("Tab")
    item(page, "quality").locator("input").first.focus()
    page.keyboard.press("Space")
    until(lambda: page.locator("[data-form-told] .item-problem").count() == 1, "the check across items")
    until(lambda: item(page, "scanner").locator(".item-problem").count() == 1, "the pattern told")

    assert "and today is possible" in item(page, "scanned").locator(".item-told").inner_text()
    assert item(page, "diagnosed").locator(".item-problem").count() == 0
    page.keyboard.press("ArrowRight")
    until(lambda: page.locator("[data-form-told] .item-problem").count() == 0, "the check holds")
    page.reload()
    assert item(page, "quality").locator("input:checked").get_attribute("value") == "2"
    assert item(page, "findings").get_by_label("Ascites").is_checked()
    assert item(page, "scanned").locator("[data-answer]").input_value() == "2999-01-01"


@pytest.mark.requirement("R50")
def test_what_was_chosen_by_mistake_is_taken_back_with_one_key(trial: Page) -> None:
    page = trial
    item(page, "quality").locator("input[value='4']").check()
    saved(page)
    page.keyboard.press("Delete")
    saved(page)

    page.reload()
    assert item(page, "quality").locator("input:checked").count() == 0


@pytest.mark.requirement("R52", "R57")
def test_rows_are_added_computed_over_struck_out_and_taken_back(trial: Page) -> None:
    page = trial
    fill(add_row(page), "liver", "20,5")
    fill(add_row(page), "lung", "10")
    total = item(page, "sum").locator("[data-shown]")
    until(lambda: total.inner_text() == "30.5 mm", "the sum of both")

    rows(page).nth(1).get_by_role("button", name="Strike out").click()
    until(lambda: total.inner_text() == "20.5 mm", "the sum of the first")
    fill(add_row(page), "bone", "1")
    assert [row.get_attribute("aria-label") for row in rows(page).all()] == ["T1", "T3"]
    page.locator("[data-struck]").get_by_role("button", name="Undo").click()
    until(lambda: total.inner_text() == "31.5 mm", "the sum of three")
    assert page.get_by_role("button", name="Add target lesion").is_disabled()

    page.reload()
    assert [row.get_attribute("aria-label") for row in rows(page).all()] == ["T1", "T2", "T3"]
    assert field(rows(page).first, "organ").input_value() == "liver"
    assert total.inner_text() == "31.5 mm"


@pytest.mark.requirement("R54", "R57")
def test_a_row_that_could_not_be_sent_survives_a_reload_with_its_answers(trial: Page) -> None:
    page = trial
    page.route(CHANGES, lambda route: route.abort())
    fill(add_row(page), "node", "12")
    until(lambda: "Not saved" in page.locator("[data-saving]").inner_text(), "a failed save that is told")

    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    until(lambda: rows(page).count() == 1, "the row is back")
    assert (
        field(rows(page).first, "organ").input_value(),
        field(rows(page).first, "counted").input_value(),
    ) == (
        "node",
        "12",
    )
    page.unroute(CHANGES)
    until(lambda: page.locator("[data-saving]").inner_text().startswith("Saved"), "saved")

    page.reload()
    assert field(rows(page).first, "counted").input_value() == "12"
    assert "15 mm" in rows(page).first.locator(".item-problem").inner_text()


@pytest.mark.requirement("R60")
def test_measuring_in_a_row_arms_its_own_path_under_the_row_s_label(trial: Page) -> None:
    page = trial
    page.evaluate(
        "document.querySelector('collegium-viewer').measure = (...asked) => { window.asked = asked; }"
    )
    row = add_row(page)
    row.locator('[data-kind="bidirectional"] [data-measure]').click()

    path, label, kind = page.evaluate("window.asked")
    assert path == f"{row.get_attribute('data-row')}.size"
    assert (label, kind) == ("T1", "bidirectional")


@pytest.mark.requirement("R52")
def test_what_is_missing_in_a_row_is_shown_where_it_is_missing(trial: Page) -> None:
    page = trial
    page.click("[data-submit]")
    until(lambda: page.locator("[data-told]").is_visible(), "what is missing told")
    assert page.locator(".group.is-asked").count() == 1

    add_row(page)
    saved(page)
    page.click("[data-submit]")
    until(lambda: page.locator(".group-row .is-asked").count() == 2, "the row's items marked")
