"""What the pages do under the hand: dialogs, keys, and a query whose two sides are open at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from collegium_testkit.browser import chromium_path
from collegium_testkit.patience import until
from tests.browser.test_live import running  # noqa: F401  the fixture is used by its name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

    from tests.browser.test_live import Office

pytestmark = [
    pytest.mark.browser,
    pytest.mark.journey,
    pytest.mark.skipif(chromium_path() is None, reason="no Chromium on this machine"),
    pytest.mark.timeout(900),
]


@pytest.fixture
def office(running: Office) -> Iterator[Office]:  # noqa: F811  pytest hands the fixture in by its name
    yield running
    running.close()


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))


def first_task(page: Page) -> None:
    page.locator("table.list tbody a").first.click()
    page.wait_for_url(re.compile(r"/tasks/[0-9a-f-]{36}/"))


def test_a_dialog_begins_at_its_first_field_and_gives_the_focus_back(office: Office) -> None:
    page = office.window("administrator", "/projects/{space}/tasks/?state=open")
    first_task(page)

    page.get_by_role("button", name="Give to another").click()
    until(lambda: focused(page) == "reassign-to", "the first field to have the focus")
    page.keyboard.press("Escape")

    until(lambda: page.locator("dialog[open]").count() == 0, "the dialog to close")
    until(lambda: focused(page).startswith("Give to another"), "the button to have the focus again")


def test_a_dialog_that_takes_something_away_begins_at_its_safe_button(office: Office) -> None:
    page = office.window("administrator", "/projects/{space}/tasks/?state=open")
    first_task(page)

    page.get_by_role("button", name="Cancel task").first.click()

    until(lambda: focused(page) == "Not now", "the safe button to have the focus")


def test_the_slash_goes_to_the_search_of_the_list_and_the_head_sorts_it(office: Office) -> None:
    page = office.window("administrator", "/projects/{space}/tasks/")

    page.keyboard.press("/")
    page.keyboard.type("S-00")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("q=S-00"))
    page.get_by_role("link", name="Subject", exact=True).click()
    page.wait_for_url(re.compile("sort=subject"))

    assert "q=S-00" in page.url
    assert page.locator("th[aria-sort=ascending]").inner_text() == "Subject"


def test_a_query_is_answered_before_the_eyes_of_who_asked_and_own_words_stay(office: Office) -> None:
    asking = office.window("administrator", "/projects/{space}/queries/new")
    asking.locator("tr", has_text="Eligibility").get_by_role("link", name="Ask about it").first.click()
    asking.fill("#query-text", "Is the date right?")
    asking.get_by_role("button", name="Open query").click()
    asking.wait_for_url(re.compile(r"/queries/[0-9a-f-]{36}/"))
    address = asking.url.removeprefix(office.server.url)
    asking.fill("#said", "Thank you, and")
    asking.mouse.click(5, 600)
    answering = office.window("site", address)

    answering.fill("#said", "Yes, it is.")
    answering.get_by_role("button", name="Send answer").click()
    until(lambda: "Yes, it is." in asking.locator("#dialogue").inner_text(), "the answer")
    until(lambda: asking.locator("#state").inner_text() == "Answered", "the state")
    kept = asking.input_value("#said")
    asking.reload()

    assert kept == "Thank you, and"
    assert asking.input_value("#said") == "Thank you, and"
