"""What is typed in a reading page is never lost: a cut line, a reload, a second window. Real server, real browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collegium_testkit.browser import chromium_path
from collegium_testkit.patience import until

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

    from tests.browser.reading.desk import Reading

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium_path() is None, reason="no Chromium on this machine"),
    pytest.mark.timeout(900),
]

CHANGES = "**/api/v1/tasks/*/changes"


def type_quality(page: Page, text: str) -> None:
    page.locator("[data-item=quality] input[data-answer]").fill(text)


def quality(page: Page) -> str:
    return page.locator("[data-item=quality] input[data-answer]").input_value()


def saving(page: Page) -> str:
    return page.locator("[data-saving]").inner_text()


@pytest.mark.requirement("R54", "U05")
def test_what_could_not_be_sent_survives_a_reload_and_is_saved_when_the_line_is_back(
    reading: Reading,
) -> None:
    page = reading.window()
    page.route(CHANGES, lambda route: route.abort())
    type_quality(page, "4")
    until(lambda: "Not saved" in saving(page), "a failed save that is told")

    page.on("dialog", lambda dialog: dialog.accept())
    page.reload()
    until(lambda: quality(page) == "4", "the value back in its field")
    page.unroute(CHANGES)
    until(lambda: saving(page).startswith("Saved"), "saved")

    page.reload()
    assert quality(page) == "4"
    assert page.locator(".reading").get_attribute("data-revision") == "1"


@pytest.mark.requirement("R54", "U05")
def test_what_is_answered_before_the_page_has_its_script_is_saved(reading: Reading) -> None:
    page, held = reading.context.new_page(), list["Route"]()
    page.route("**/built/reading-*.js", lambda route: held.append(route))  # noqa: PLW0108  Playwright marks what it is given
    page.goto(reading.address, wait_until="commit")
    type_quality(page, "4")
    page.get_by_label("Yes", exact=True).check()

    until(lambda: page.locator("[data-saving]").count() and held, "the page without its script")
    held[0].continue_()
    until(lambda: saving(page).startswith("Saved "), "saved once the script is there")

    page.reload(wait_until="commit")
    assert quality(page) == "4"
    assert page.get_by_label("Yes", exact=True).is_checked()


@pytest.mark.requirement("R54")
def test_a_second_window_is_told_and_shows_what_the_first_saved_after_loading_again(reading: Reading) -> None:
    first, second = reading.window(), reading.window()
    type_quality(first, "5")
    until(lambda: saving(first).startswith("Saved "), "saved in the first window")

    type_quality(second, "2")
    until(lambda: second.locator("[data-told]").is_visible(), "the second window told")

    assert "changed in another window" in second.locator("[data-told]").inner_text()
    assert second.locator("[data-submit]").is_disabled()
    second.get_by_role("button", name="Load again").click()
    until(lambda: quality(second) == "5", "the first window's value")


@pytest.mark.requirement("R52")
def test_typing_is_never_replaced_under_the_hand_and_a_hidden_item_appears(reading: Reading) -> None:
    page = reading.window()
    type_quality(page, "9")
    until(lambda: page.locator("[data-item=quality] .item-problem").count() == 1, "the problem told")

    assert page.evaluate("document.activeElement.name") == "quality"
    assert quality(page) == "9"
    assert page.locator("[data-item=diameter]").is_hidden()
    page.get_by_label("Yes", exact=True).check()
    until(lambda: page.locator("[data-item=diameter]").is_visible(), "the measured item shown")
    page.click("[data-submit]")
    until(lambda: page.locator("[data-told]").is_visible(), "what is missing told")
    assert page.locator(".item.is-asked").count() == 2


def test_images_that_come_while_the_page_is_open_are_told_and_loaded_on_request(reading: Reading) -> None:
    page = reading.window()
    note = page.locator("[data-late-images]")
    type_quality(page, "3")
    until(lambda: saving(page).startswith("Saved"), "saved")
    assert note.is_hidden()

    reading.late_images()
    type_quality(page, "4")
    until(note.is_visible, "new images that are told")

    note.get_by_role("button").click()
    until(
        lambda: note.is_hidden() and quality(page) == "4", "the page with the new images and what was entered"
    )
