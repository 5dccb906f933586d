"""The behaviour that every page shares, under the product's own policy."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

from collegium_testkit.browser import profile

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.browser.viewer.driver import Driver
    from tests.browser.viewer.server import Study

pytestmark = pytest.mark.browser

PAGE = (Path(__file__).parent / "frame.html").read_text("utf-8")


@pytest.fixture
def page(study: Study, driver: Driver) -> Driver:
    return driver.open(study.page(PAGE))


def test_slash_searches_and_question_mark_shows_the_keys(page: Driver) -> None:
    page.press("/")
    focused = page.page.evaluate("document.activeElement.name")
    page.page.evaluate("document.activeElement.blur()")
    page.press("?")

    assert focused == "q"
    assert page.page.evaluate("document.getElementById('shortcuts').open") is True


def test_times_are_in_the_readers_zone_with_utc_on_hover(page: Driver) -> None:
    time = page.page.locator("time")

    # Stockholm is one hour ahead of UTC in November.
    assert "11:42" in time.inner_text()
    assert time.get_attribute("title") == "2026-11-22 10:42:00 UTC"


def test_a_pinned_theme_stays_and_auto_follows_the_system(page: Driver) -> None:
    root = page.page.locator("html")
    page.page.locator("details.menu summary").click()
    page.page.get_by_role("button", name="Dark").click()
    pinned = root.get_attribute("data-bs-theme")
    page.page.reload()
    kept = root.get_attribute("data-bs-theme")
    page.page.locator("details.menu summary").click()
    page.page.get_by_role("button", name="As the system").click()
    page.page.emulate_media(color_scheme="dark")
    page.until(lambda: root.get_attribute("data-bs-theme") == "dark", "the dark system")
    page.page.emulate_media(color_scheme="light")
    page.until(lambda: root.get_attribute("data-bs-theme") == "light", "the light system")

    assert (pinned, kept) == ("dark", "dark")


def test_htmx_sends_the_token_and_a_failure_becomes_a_toast(page: Driver, study: Study) -> None:
    page.page.get_by_role("button", name="Ask").click()
    page.until(lambda: page.page.locator("#answer").inner_text() == "token-of-the-test", "the answer")

    study.failing["/echo"] = 500
    page.page.get_by_role("button", name="Ask").click()

    toast = page.page.locator(".toast-stopped")
    page.until(toast.is_visible, "the toast")
    assert "Nothing was changed" in toast.inner_text()


def test_alpine_and_messages_of_the_page_work_without_breaking_the_policy(page: Driver) -> None:
    opened = page.page.get_by_text("Opened")
    was_hidden = opened.is_hidden()
    page.page.get_by_role("button", name="More").click()
    page.until(opened.is_visible, "the opened part")

    assert was_hidden
    assert page.page.locator(".toast-done").inner_text() == "Saved"
    assert page.events("violation") == []
    assert page.problems == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_frame_passes_axe(study: Study, chromium: Browser, theme: str) -> None:
    from tests.browser.viewer.driver import Driver

    with profile(chromium, color_scheme=theme, viewport={"width": 1280, "height": 800}) as context:
        driver = Driver(context.new_page()).open(study.page(PAGE))
        found = Axe().run(driver.page)

    assert [
        f"{each['id']}: {[node['html'][:120] for node in each['nodes']]}"
        for each in found.response["violations"]
    ] == []
