"""Every page kind in light and dark at two widths: no serious axe finding, nothing from another host, nothing cut off.

The pictures land in test-results/look, for a person to look at.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from collegium_testkit import pacs, phantoms
from collegium_testkit.browser import chromium_path
from collegium_testkit.gateways import GatewayProcess
from collegium_testkit.installation import InstallationProcess

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext, Page

    from collegium_testkit.seed import Seeded

pytestmark = [
    pytest.mark.browser,
    pytest.mark.journey,
    pytest.mark.skipif(chromium_path() is None, reason="no Chromium on this machine"),
    pytest.mark.timeout(300),
    pytest.mark.xdist_group("look"),
]

PICTURES = Path(__file__).resolve().parents[2] / "test-results" / "look"
ADMINISTRATOR_PAGES = ("/", "/projects/", "/notifications/", *(f"/projects/{{space}}/{tab}" for tab in (
    "", "subjects/", "exams/", "tasks/", "results/", "gateways/", "history/", "setup/", "board/",
    "people/", "queries/", "queries/new", "site/",
)))  # fmt: skip
READER_PAGES = ("/", "/tasks/", "/notifications/", "/projects/{space}/", "/projects/{space}/queries/")
LOOKS = [("light", 1280), ("dark", 1920)]


class Shown:
    """A running installation with one exam that waits for its reader."""

    def __init__(self, server: InstallationProcess, seeded: Seeded, chromium: Browser) -> None:
        self.server, self.seeded, self._chromium = server, seeded, chromium

    def sign_in(self, email: str, scheme: str, width: int) -> BrowserContext:
        context = self._chromium.new_context(
            viewport={"width": width, "height": 900}, color_scheme=scheme, reduced_motion="reduce"  # type: ignore[arg-type]  # one of two words
        )  # fmt: skip
        page = context.new_page()
        page.goto(f"{self.server.url}/accounts/login/")
        page.fill("#id_login", email)
        page.fill("#id_password", self.seeded.password)
        page.click("button[type=submit]")
        page.wait_for_url(f"{self.server.url}/")
        return context


@pytest.fixture(scope="module")
def shown(chromium: Browser) -> Iterator[Shown]:
    place = Path(tempfile.mkdtemp(prefix="collegium-look-"))
    place.chmod(0o755)
    with InstallationProcess(place / "server") as server:
        seeded = server.seed()
        with GatewayProcess(
            place / "hospital", server.url, callers=((seeded.calling_ae, "127.0.0.1"),)
        ) as gateway:
            gateway.enrol(server.url, seeded.gateway_code)
            gateway.start()
            phantoms.ct_exam(place / "ct", slices=8, seed=3)
            pacs.send(place / "ct", "127.0.0.1", gateway.receive_port, seeded.called_ae, seeded.calling_ae)
            deadline = time.monotonic() + 60
            while "delivered" not in gateway.run("status").stdout and time.monotonic() < deadline:
                time.sleep(0.5)
        yield Shown(server, seeded, chromium)
    shutil.rmtree(place, ignore_errors=True)


def serious_findings(page: Page) -> list[str]:
    response: dict[str, Any] = Axe().run(page).response  # Any: axe's JSON
    return [
        f"{finding['id']}: {finding['help']}: {finding['nodes'][0]['html'][:120]}"
        for finding in response["violations"]
        if finding["impact"] in {"serious", "critical"}
    ]


def visit(page: Page, shown: Shown, path: str, picture: str) -> list[str]:
    """What is wrong with one page: foreign requests, script errors, overflow, axe's serious findings."""
    wrong: list[str] = []
    page.on(
        "request",
        lambda request: (
            None
            if request.url.startswith((shown.server.url, "data:", "blob:"))
            else wrong.append(request.url)
        ),
    )
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
    answer = page.goto(shown.server.url + path)
    assert answer
    page.wait_for_load_state("networkidle")
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"):
        wrong.append("the page is wider than the window")
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{picture}.png")
    return [f"{path}: {what}" for what in (*wrong, *serious_findings(page))]


def name_of(path: str) -> str:
    return path.strip("/").replace("{space}/", "").replace("{space}", "overview").replace("/", "-") or "home"


@pytest.mark.requirement("U04")
@pytest.mark.parametrize(("scheme", "width"), LOOKS)
@pytest.mark.parametrize("role", ["administrator", "reader"])
def test_every_page_is_sound_to_look_at(shown: Shown, role: str, scheme: str, width: int) -> None:
    pages = ADMINISTRATOR_PAGES if role == "administrator" else READER_PAGES
    context = shown.sign_in(getattr(shown.seeded, role), scheme, width)

    wrong = []
    for path in pages:
        page = context.new_page()
        picture = f"{role}-{name_of(path)}-{scheme}-{width}"
        wrong += visit(page, shown, path.replace("{space}", shown.seeded.space_id), picture)
        page.close()
    context.close()

    assert wrong == []


@pytest.mark.requirement("U04")
@pytest.mark.parametrize("width", [1280, 1920])
def test_the_reading_page_is_sound_to_look_at(shown: Shown, width: int) -> None:
    context = shown.sign_in(shown.seeded.reader, "light", width)
    page = context.new_page()
    page.goto(f"{shown.server.url}/tasks/")
    address = page.locator("table.list a").first.get_attribute("href")
    assert address

    wrong = visit(page, shown, address, f"reader-read-{width}")
    context.close()

    assert wrong == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_sign_in_page_and_the_nothing_page_are_sound_to_look_at(shown: Shown, scheme: str) -> None:
    context = shown.sign_in(shown.seeded.viewer, scheme, 1280)
    nothing = visit(context.new_page(), shown, "/no/such/page", f"nothing-{scheme}")
    context.clear_cookies()
    sign_in = visit(context.new_page(), shown, "/accounts/login/", f"sign-in-{scheme}")
    context.close()

    assert [line for line in nothing if "404" not in line] == []
    assert sign_in == []
