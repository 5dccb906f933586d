"""What is typed in a reading page is never lost: a cut line, a reload, a second window. Real server, real browser."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from collegium_testkit.browser import chromium_path
from collegium_testkit.installation import InstallationProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, BrowserContext, Page

    from collegium_testkit.seed import Seeded

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(chromium_path() is None, reason="no Chromium on this machine"),
    pytest.mark.timeout(300),
]

# An exam without pixels is enough: these tests are about the form beside the viewer.
ARRIVE = """
import django; django.setup()
from collegium.kit.database import acting_as
from collegium.kit.principals import Principal
from collegium.research.pipeline import queries, services
from collegium.trust.access.queries import actor_in
from collegium.trust.identity.queries import account_by_email
from collegium.trust.tenancy.models import SpaceKind
from collegium.trust.tenancy.queries import spaces_of
from collegium_testkit.study import stored_exam
from collegium_testkit.world import Person, World
with acting_as(Principal.system()):
    admin, reader = account_by_email({admin!r}), account_by_email({reader!r})
with acting_as(admin.principal):
    space = spaces_of(admin.principal, SpaceKind.PROJECT).get()
world = World(space.organisation_id, space.id, Person(admin.principal, admin.email, admin.full_name))
with acting_as(admin.principal, [space.id]):
    exam = stored_exam(world, {subject!r}, "20240105")
    services.place_exam(actor=actor_in(admin.principal, space.id), exam_id=exam, subject_code={subject!r})
with acting_as(reader.principal):
    print([task.id for task in queries.my_tasks(reader.principal) if task.unit.exam_id == exam][0])
"""
CHANGES = "**/api/v1/tasks/*/changes"


def until(check: Callable[[], object], what: str, seconds: float = 20) -> None:
    ends = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < ends, f"never: {what}"
        time.sleep(0.05)


class Reading:
    """A signed-in reader with one open task."""

    def __init__(
        self, server: InstallationProcess, seeded: Seeded, context: BrowserContext, subject: str
    ) -> None:
        words = {"admin": seeded.administrator, "reader": seeded.reader, "subject": subject}
        done = subprocess.run(
            [sys.executable, "-c", ARRIVE.format(**words)],
            env=server.environment, capture_output=True, text=True, check=False, timeout=120,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-2000:]
        self.address = f"{server.url}/tasks/{done.stdout.strip().splitlines()[-1]}/read"
        self.context = context
        page = context.new_page()
        page.goto(f"{server.url}/accounts/login/")
        page.fill("#id_login", seeded.reader)
        page.fill("#id_password", seeded.password)
        page.click("button[type=submit]")
        page.wait_for_url(f"{server.url}/")
        self.page = page

    def window(self) -> Page:
        page = self.context.new_page()
        page.goto(self.address)
        return page


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[InstallationProcess, Seeded]]:
    folder: Path = tmp_path_factory.mktemp("reading")
    server = InstallationProcess(folder)
    try:
        server.start()
        yield server, server.seed()
    finally:
        server.stop()
        server.remove()


@pytest.fixture
def reading(
    place: tuple[InstallationProcess, Seeded], chromium: Browser, request: pytest.FixtureRequest
) -> Iterator[Reading]:
    context = chromium.new_context(viewport={"width": 1280, "height": 800})
    yield Reading(*place, context, f"T-{abs(hash(request.node.name)) % 10_000}")
    context.close()


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
    until(lambda: saving(page).startswith("Saved"), "saved", 40)

    page.reload()
    assert quality(page) == "4"
    assert page.locator(".reading").get_attribute("data-revision") == "1"


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
