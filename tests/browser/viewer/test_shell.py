"""The behaviour that every page shares, under the product's own policy."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from axe_playwright_python.sync_playwright import Axe

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from tests.browser.viewer.driver import Driver
    from tests.browser.viewer.server import Study

pytestmark = pytest.mark.browser

PAGE = """
<div class="app"><header class="app-top"><a class="app-brand" href="/">Collegium</a><nav class="app-where" aria-label="Where am I"><a href="#">Northern Trials</a><span>LUMEN-2</span></nav>
<form class="app-search" role="search"><input class="form-control" type="search" name="q" aria-label="Search" data-search><kbd>/</kbd></form>
<div class="app-tools"><details class="menu"><summary class="btn btn-icon" aria-label="Me"><i class="ti ti-user-circle"></i></summary>
<div class="menu-list"><button type="button" data-theme-choose="auto">As the system</button>
<button type="button" data-theme-choose="light">Light</button><button type="button" data-theme-choose="dark">Dark</button></div></details></div></header>
<nav class="app-rail" aria-label="Main"><a href="/" aria-current="page"><i class="ti ti-home"></i>Home</a><a href="#"><i class="ti ti-microscope"></i>Research</a></nav>
<main class="app-content"><div class="page-head"><div><h1>Subjects <span class="state state-done"><i class="ti ti-circle-check"></i>Open</span></h1>
<p class="page-purpose">Everyone in this project.</p></div><div class="page-actions"><button class="btn btn-primary" type="button">Add subject</button></div></div>
<dl class="facts"><div><dt>Sites</dt><dd>12</dd></div><div><dt>Subjects</dt><dd>148</dd></div></dl>
<div class="board"><a class="figure" href="#"><div class="figure-name">Reads waiting</div><div class="figure-value">17</div><div class="figure-note">3 more than a week ago</div></a></div>
<div class="filters"><a class="chip" href="#" aria-current="true">All <span class="count">148</span></a><a class="chip" href="#">Waiting</a></div>
<div class="sheet"><table class="list"><thead><tr><th>Subject</th><th class="number">Exams</th><th>State</th><th>Last exam</th></tr></thead><tbody>
<tr><td><a href="#">S-001</a></td><td class="number">4</td><td><span class="state state-waiting"><i class="ti ti-clock"></i>Waiting</span></td>
<td><time datetime="2026-11-22T10:42:00Z">2026-11-22 10:42 UTC</time></td></tr>
<tr><td><a href="#">S-002</a></td><td class="number">12</td><td><span class="state state-attention"><i class="ti ti-alert-triangle"></i>Attention</span></td><td>2026-11-02</td></tr>
<tr><td><a href="#">S-003</a></td><td class="number">1</td><td><span class="state state-stopped"><i class="ti ti-circle-x"></i>Stopped</span></td><td>2026-10-12</td></tr></tbody></table></div>
<div class="note note-attention"><i class="ti ti-alert-triangle"></i><div><p>One exam is late.</p></div></div>
<p><button class="btn" type="button" hx-post="/echo" hx-target="#answer">Ask</button> <span id="answer"></span>
<span x-data="{ open: false }"><button class="btn" type="button" x-on:click="open = !open">More</button><b x-show="open" x-cloak>Opened</b></span>
<button class="id" type="button" data-copy="2.25.1">2.25.1</button></p>
<template data-toast="done">Saved</template></main></div>
<dialog class="dialog" id="shortcuts" aria-labelledby="t"><div class="dialog-head"><h2 id="t">Shortcuts</h2></div><div class="dialog-body">Keys</div></dialog>
"""


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

    context = chromium.new_context(color_scheme=theme, viewport={"width": 1280, "height": 800})  # type: ignore[arg-type] # a literal of the two
    try:
        driver = Driver(context.new_page()).open(study.page(PAGE))
        found = Axe().run(driver.page)
    finally:
        context.close()

    assert [f"{each['id']}: {[node['html'][:120] for node in each['nodes']]}" for each in found.response["violations"]] == []
