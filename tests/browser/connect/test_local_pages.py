"""The gateway's local page in a real browser: sound to look at, by key alone, and boxes by the pointer."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from pydicom import dcmread

from collegium_connect.actor import CONSOLE, Role
from collegium_connect.clock import now
from collegium_connect.journal.database import Journal
from collegium_connect.keys import KeyFolder, load_secrets
from collegium_connect.people import People
from collegium_connect.trail import Trail
from collegium_testkit import pacs, phantoms, wordy
from collegium_testkit.browser import profile
from collegium_testkit.captures import captures
from collegium_testkit.channels import channel
from collegium_testkit.fake_server import FakeServer, Fault
from collegium_testkit.gateways import GatewayProcess
from collegium_testkit.patience import until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

PICTURES = Path(__file__).resolve().parents[3] / "test-results" / "connect"
PASSWORD = "a password of this site"
PATHS = ("/", "/exams", "/quarantine", "/links", "/links/1", "/dry-run", "/configuration", "/doctor", "/log")
LOOKS = (("light", 1280), ("dark", 700))


@pytest.fixture(scope="module")
def server() -> Iterator[FakeServer]:
    with FakeServer([channel()]) as made:
        yield made


@pytest.fixture(scope="module")
def gateway(server: FakeServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GatewayProcess]:
    """A gateway with a delivered exam, one screen that waits for a person, and an administrator."""
    folder = tmp_path_factory.mktemp("gateway")
    with GatewayProcess(folder / "hospital", server.url) as made:
        made.enrol(server.url, server.code)
        made.start()
        journal = Journal(made.data_dir / "journal.sqlite3")
        trail = Trail(journal, load_secrets(KeyFolder(made.data_dir / "keys")), now)
        People(journal, trail, now).add(CONSOLE, "Ada Invented", Role.ADMINISTRATOR, PASSWORD)
        journal.close()
        exam = phantoms.ct_exam(folder / "exam", slices=2, size=64)
        (screen,) = captures(folder / "screen", size=128, seed=5)
        pacs.send([*exam.files, screen], "127.0.0.1", made.receive_port, "TRIAL1")
        until(lambda: len(server.receipted) == 2, "the receipt")
        yield made


@pytest.fixture
def page(gateway: GatewayProcess, chromium: Browser) -> Iterator[Page]:
    """Signed in, by key alone."""
    look = {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light", "reduced_motion": "reduce"}
    with profile(chromium, base_url=f"http://127.0.0.1:{gateway.local_port}", **look) as context:
        opened = context.new_page()
        opened.goto("/sign-in")
        until(
            lambda: opened.evaluate("document.activeElement.id") == "name",
            "the name's field to have the focus",
        )
        opened.keyboard.type("Ada Invented")
        opened.keyboard.press("Tab")
        opened.keyboard.type(PASSWORD)
        opened.keyboard.press("Enter")
        opened.get_by_role("button", name="Sign out").wait_for()
        yield opened


def findings(page: Page) -> list[str]:
    response: dict[str, Any] = Axe().run(page, options={"resultTypes": ["violations"]}).response  # Any: JSON
    return [f"{page.url} {item['id']}: {item['nodes'][0]['html'][:120]}" for item in response["violations"]]


@pytest.mark.requirement("U04")
def test_every_local_page_is_sound_to_look_at(page: Page) -> None:
    wrong: list[str] = []
    page.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
    page.on(
        "request",
        lambda sent: None if sent.url.startswith(("http://127.0.0.1", "data:")) else wrong.append(sent.url),
    )
    PICTURES.mkdir(parents=True, exist_ok=True)

    for path in PATHS:
        page.goto(path)
        wrong += seen_in_all_looks(page, path.strip("/").replace("/", "-") or "overview")

    assert wrong == []


@pytest.mark.requirement("C18")
def test_a_box_is_drawn_on_the_picture_and_what_would_leave_hides_it(page: Page) -> None:
    page.goto("/quarantine?reason=deid.release")
    page.get_by_role("link", name="Look at it").click()
    before = page.locator(".picture[data-draw] img")
    until(lambda: before.evaluate("(image) => image.complete && image.naturalWidth > 0"), "the picture")
    page.wait_for_load_state()  # what draws on it is a script
    place = before.bounding_box()
    assert place is not None
    shown = page.locator("section[aria-labelledby=after] img").get_attribute("src")

    page.mouse.move(place["x"] + place["width"] / 4, place["y"] + place["height"] / 4)
    page.mouse.down()
    page.mouse.move(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    page.mouse.up()
    drawn = page.get_by_label("Boxes to hide").input_value()
    page.get_by_role("button", name="Show what would leave").click()
    after = page.locator("section[aria-labelledby=after] img")
    until(lambda: after.get_attribute("src") != shown, "what would leave, shown anew")
    page.locator(".picture .box").wait_for()

    assert drawn == "32, 32, 64, 64"
    assert findings(page) == []
    page.screenshot(path=PICTURES / "look.png", full_page=True)


@pytest.mark.requirement("C13")
def test_the_pictures_of_an_exam_are_sound_side_by_side(page: Page) -> None:
    page.goto("/quarantine")
    page.get_by_role("link", name="Its whole exam").first.click()
    page.get_by_label("I looked at it, it may leave").first.check()

    assert seen_in_all_looks(page, "exam-sheet") == []


@pytest.mark.requirement("C18")
def test_what_has_no_picture_and_what_was_decided_are_sound_to_look_at(
    page: Page, gateway: GatewayProcess, server: FakeServer, tmp_path: Path
) -> None:
    server.faults = [Fault("manifest", "status", status=503, times=10_000)]  # nothing leaves meanwhile
    report = wordy.report(phantoms.ct_exam(tmp_path / "report", slices=1, size=64, seed=11).files[0])
    mixed = phantoms.ct_exam(tmp_path / "mixed", slices=2, size=64, seed=12)
    dataset = dcmread(mixed.files[1])
    dataset.PatientID = "SOMEONE-ELSE"
    dataset.save_as(mixed.files[1])
    pacs.send([report, *mixed.files], "127.0.0.1", gateway.receive_port, "TRIAL1")

    wrong: list[str] = []
    try:
        page.goto("/quarantine?reason=deid.object")
        page.get_by_role("link", name="Look at it").click()
        page.get_by_text("ask the project to take it into the recipe").wait_for()
        wrong += seen_in_all_looks(page, "object-without-picture")
        page.goto("/quarantine")
        page.get_by_role("link", name="Give up 2 objects").first.click()
        page.get_by_role("button", name="Delete 2 objects").wait_for()
        wrong += seen_in_all_looks(page, "group")
        page.get_by_role("link", name="Keep them").click()
        split = page.locator("form", has_text="Neither alone")
        split.get_by_label("Why").fill("Two exams came under one number.")
        split.get_by_role("button").click()
        page.get_by_role("button", name="Take the decision back").wait_for()
        wrong += seen_in_all_looks(page, "decided")
    finally:
        server.faults = []

    assert wrong == []


def seen_in_all_looks(page: Page, name: str) -> list[str]:
    """What is wrong with the page that is open, in light and dark, wide and narrow."""
    wrong = []
    for scheme, width in LOOKS:
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light", reduced_motion="reduce")
        page.set_viewport_size({"width": width, "height": 900})
        wrong += findings(page)
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            wrong.append(f"{name} is wider than {width} px")
        page.screenshot(path=PICTURES / f"{name}-{scheme}.png", full_page=True)
    return wrong


@pytest.mark.requirement("C24")
def test_the_overview_tells_what_comes_without_being_asked(
    page: Page, gateway: GatewayProcess, tmp_path: Path
) -> None:
    page.goto("/")
    exams = page.locator("section[aria-labelledby=exams] tbody tr")
    before = exams.count()
    page.evaluate("window.isTheSamePage = true")
    page.mouse.move(5, 5)
    exam = phantoms.ct_exam(tmp_path, slices=1, size=64, seed=9)

    pacs.send(exam.folder, "127.0.0.1", gateway.receive_port, "TRIAL1")

    # More than one more, where an exam of the test before comes only now.
    until(lambda: exams.count() > before, "the exam to appear")
    assert page.evaluate("window.isTheSamePage")
