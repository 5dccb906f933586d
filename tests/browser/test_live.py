"""What one person signs, another sees: in the list, at the bell and on the board, without loading it again."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from collegium_testkit.browser import chromium_path, profile
from collegium_testkit.installation import InstallationProcess
from collegium_testkit.patience import until
from collegium_testkit.prepared import Prepared

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.journey,
    pytest.mark.skipif(chromium_path() is None, reason="no Chromium on this machine"),
    pytest.mark.timeout(900),
]

REPOSITORY = Path(__file__).resolve().parents[2]


class Office:
    """A committee's project in a running installation, and a window for each of its people."""

    def __init__(self, server: InstallationProcess, chromium: Browser) -> None:
        self.server, self._chromium = server, chromium
        self._windows = ExitStack()
        done = subprocess.run(
            [sys.executable, "-m", "tests.browser.live_house", "5"],
            env=server.environment, cwd=REPOSITORY, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        self.made: dict[str, str] = json.loads(done.stdout)

    def window(self, who: str, path: str) -> Page:
        """Signed in, at an address, listening."""
        look = {"viewport": {"width": 1280, "height": 900}, "reduced_motion": "reduce"}
        page = self._windows.enter_context(profile(self._chromium, **look)).new_page()
        page.goto(f"{self.server.url}/accounts/login/")
        page.fill("#id_login", self.made[who])
        page.fill("#id_password", self.made["password"])
        page.click("button[type=submit]")
        page.wait_for_url(f"{self.server.url}/")
        with page.expect_request(lambda request: "/live" in request.url):
            page.goto(self.server.url + path.format(**self.made))
        page.mouse.move(5, 600)
        page.evaluate("window.isTheSamePage = true")
        return page

    def close(self) -> None:
        self._windows.close()

    def sign_next(self, page: Page) -> None:
        """The site user answers, submits and signs the next eligibility form, with the mouse."""
        page.locator("table.list tbody a", has_text="Eligibility").first.click()
        page.get_by_text("Yes", exact=True).click()
        until(
            lambda: page.locator("[data-saving]").inner_text().startswith("Saved"), "the answer to be saved"
        )
        page.click("[data-submit]")
        page.locator("[data-dialog=sign]").wait_for()
        page.wait_for_load_state()  # a dialog opens by script
        page.click("[data-dialog=sign]")
        page.fill("dialog[open] input[type=password]", self.made["password"])
        page.locator("dialog[open] button[type=submit], dialog[open] button.btn-primary").click()
        page.locator(".state", has_text="Signed").first.wait_for()


@pytest.fixture(scope="module")
def running(chromium: Browser) -> Iterator[Office]:
    place = Path(tempfile.mkdtemp(prefix="collegium-live-pages-"))
    place.chmod(0o755)
    with InstallationProcess(place / "server", copied=Prepared.EMPTY) as server:
        yield Office(server, chromium)
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def office(running: Office) -> Iterator[Office]:
    yield running
    running.close()


@pytest.mark.requirement("R89")
def test_a_signed_step_appears_to_everyone_who_waits_for_it_within_five_seconds(office: Office) -> None:
    site = office.window("site", "/tasks/")
    next_ = office.window("qc", "/tasks/")
    board = office.window("administrator", "/projects/{space}/board/")
    overview = office.window("administrator", "/projects/{space}/")
    tasks, told, signed = rows(next_), bell(next_), figure(board, "Signed")
    assert figure(overview, "Signed") == signed

    office.sign_next(site)

    # Nobody asks again: the pages are told, and stay. How soon, a slow machine cannot say.
    until(lambda: rows(next_) == tasks + 1, "the next person's list")
    until(lambda: bell(next_) == told + 1, "the next person's bell")
    until(lambda: figure(board, "Signed") == signed + 1, "the board")
    until(lambda: figure(overview, "Signed") == signed + 1, "the overview")
    assert [page.evaluate("window.isTheSamePage") for page in (next_, board, overview)] == [True] * 3


def test_nothing_changes_under_the_pointer_and_a_bar_offers_what_is_new(office: Office) -> None:
    site, next_ = office.window("site", "/tasks/"), office.window("qc", "/tasks/")
    before = rows(next_)
    next_.hover("#tasks")

    office.sign_next(site)
    next_.locator(".live-bar").wait_for()
    under_the_pointer = rows(next_)
    next_.locator(".live-bar button").click()

    assert under_the_pointer == before
    until(lambda: rows(next_) == before + 1, "what the bar offered")
    assert next_.locator(".live-bar").count() == 0


def test_what_is_typed_meanwhile_stays_with_its_focus(office: Office) -> None:
    site, next_ = office.window("site", "/tasks/"), office.window("qc", "/tasks/")
    before = rows(next_)
    next_.fill(".filters input[name=q]", "half a wo")

    office.sign_next(site)
    until(lambda: rows(next_) == before + 1, "the list")

    assert next_.input_value(".filters input[name=q]") == "half a wo"
    assert next_.evaluate("document.activeElement.name") == "q"


def test_a_reading_page_listens_to_nothing(office: Office) -> None:
    site = office.window("site", "/tasks/")
    if not site.locator("table.list tbody a").count():  # all are signed by the tests before
        site = office.window("site", "/tasks/?state=signed")
    asked: list[str] = []
    site.on("request", lambda request: asked.append(request.url))

    site.locator("table.list tbody a").first.click()
    site.locator("[data-reading]").wait_for()
    site.wait_for_load_state()  # the script that opens the stream has run

    assert [url for url in asked if "/live" in url] == []


def rows(page: Page) -> int:
    return page.locator("#tasks tbody tr").count()


def bell(page: Page) -> int:
    found = page.locator("#bell .count")
    return int(found.inner_text()) if found.count() else 0


def figure(page: Page, name: str) -> int:
    return int(page.locator(".figure", has_text=name).locator(".figure-value").inner_text())
