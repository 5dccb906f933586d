"""Every page kind in light and dark at two widths: no serious axe finding, nothing from another host, nothing cut off.

One trial at one moment, in which every kind of page has something to show. The pictures land in test-results/look,
for a person to look at.
"""

from __future__ import annotations

import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from collegium_testkit.browser import chromium_path, profile
from tests.browser.viewer.driver import Driver
from tests.journeys.trial_house import BASELINE, WEEK_8, TrialHouse, code_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = [
    pytest.mark.browser,
    pytest.mark.journey,
    pytest.mark.skipif(chromium_path() is None, reason="no Chromium on this machine"),
    pytest.mark.timeout(1800),
]

PICTURES = Path(__file__).resolve().parents[2] / "test-results" / "look"
DIFFERING, BEING_READ, IN_QC, NEW = range(4)
"""Subjects, by how far they are."""
SHRUNK = ((39.0, 26.0), (24.0, 16.0))
PAGES = {
    "administrator": (
        "/", "/projects/", "/notifications/", *(f"/projects/{{space}}/{tab}" for tab in (
            "", "subjects/", "exams/", "exams/{exam}/", "exams/{exam}/images/", "tasks/", "tasks/{settling}/",
            "results/?step=reading", "results/?step=final.adjudication", "gateways/", "history/", "setup/", "board/",
            "people/", "people/{membership}/", "queries/", "queries/new", "queries/{query}/", "site/", "unblinding/",
            "visits/", "tasks/{signed}/", "tasks/?state=open&sort=-due", "gateways/{gateway}/",
            "gateways/{gateway}/channels/{channel}/", "gateways/{gateway}/channels/new",
        )),
    ),
    "reader1": (
        "/", "/tasks/", "/tasks/?state=signed", "/notifications/", "/projects/{space}/", "/projects/{space}/queries/",
        "/tasks/{two_timepoints}/read", "/tasks/{signed}/read", "/tasks/{two_timepoints}/conflict",
    ),
    "reader2": ("/tasks/{one_timepoint}/read",),
    "adjudicator": ("/tasks/", "/tasks/{settling}/read"),
    "qc": ("/tasks/", "/tasks/{checking}/read", "/projects/{space}/queries/"),
    "site": ("/tasks/", "/tasks/{form_only}/read", "/projects/{space}/", "/projects/{space}/site/"),
    "sponsor": ("/projects/{space}/", "/projects/{space}/board/"),
}  # fmt: skip
"""What each person opens."""
LOOKS = (("light", 1280), ("dark", 1920))
"""A page is loaded in the first and turned into the second: nothing but colours and widths differs between them."""
RULES_OF_COLOUR = ("color-contrast", "link-in-text-block")
"""Of axe's rules, those whose answer another colour scheme may change."""


class Shown:
    """The trial, the addresses of what there is in it, and a signed-in browser for each of its people."""

    def __init__(self, house: TrialHouse, chromium: Browser) -> None:
        self.house, self._chromium = house, chromium
        self._sessions: dict[str, Any] = {}  # Any: Playwright's storage state
        self.ids = {
            "space": house.space,
            "settling": house.task(DIFFERING, "adjudication"),
            "signed": house.task(DIFFERING, "reading", "week8", "reader1"),
            "two_timepoints": house.task(BEING_READ, "reading", "week8", "reader1"),
            "one_timepoint": house.task(BEING_READ, "reading", "baseline", "reader2"),
            "checking": house.task(IN_QC, "image_qc"),
            "form_only": house.task(NEW, "eligibility"),
            "exam": self._first("imaging_archive_exam"),
            "query": self._first("research_data_queries_dataquery"),
            "membership": self._first("trust_tenancy_membership"),
            "gateway": self._first("imaging_connections_gateway"),
            "channel": self._first("imaging_connections_channel"),
        }

    @contextmanager
    def session(self, who: str) -> Iterator[BrowserContext]:
        """A browser in the first look; signed in once a person."""
        if who not in self._sessions:
            self._sessions[who] = self.house.window(who, "/").context.storage_state()
        look = {
            "viewport": {"width": LOOKS[0][1], "height": 900},
            "color_scheme": "light",
            "reduced_motion": "reduce",
        }
        with profile(self._chromium, storage_state=self._sessions[who], **look) as opened:
            yield opened

    def _first(self, table: str) -> str:
        ((found,),) = self.house.ask(
            f"select id from {table} where space_id = %s order by id limit 1", self.house.space
        )
        return str(found)


@pytest.fixture(scope="module")
def shown(chromium: Browser) -> Iterator[Shown]:
    """One subject is to be settled, one is being read, one is checked, one has just come."""
    place = Path(tempfile.mkdtemp(prefix="collegium-look-"))
    place.chmod(0o755)
    with TrialHouse(place, chromium) as house:
        house.receive([SHRUNK, SHRUNK, SHRUNK[:1], SHRUNK[:1]])
        eligible, _ = house.letting_in(IN_QC)
        house.act(
            *house.letting_in(DIFFERING),
            house.reading(DIFFERING, 0, BASELINE),
            house.reading(DIFFERING, 1, WEEK_8 | {"response": "PR"}, "reader1"),
            house.reading(DIFFERING, 1, WEEK_8 | {"response": "SD"}, "reader2"),
            *house.letting_in(BEING_READ),
            house.reading(BEING_READ, 0, BASELINE, "reader1"),
            ["ask", code_of(BEING_READ), "reading", "Is the lesion in segment VIII the one you mean?"],
            eligible,
        )
        yield Shown(house, chromium)
    shutil.rmtree(place, ignore_errors=True)


def serious_findings(page: Page, rules: Sequence[str]) -> list[str]:
    """What axe finds by these rules; by all that it applies of itself if none is named."""
    options: dict[str, Any] = {"resultTypes": ["violations"]}  # Any: axe's own
    if rules:
        options["runOnly"] = {"type": "rule", "values": list(rules)}
    response: dict[str, Any] = Axe().run(page, options=options).response  # Any: axe's JSON
    return [
        f"{finding['id']}: {finding['help']}: {finding['nodes'][0]['html'][:120]}"
        for finding in response["violations"]
        if finding["impact"] in {"serious", "critical"}
    ]


def visit(page: Page, shown: Shown, path: str, picture: str) -> list[str]:
    """What is wrong with one page in any look: foreign requests, script errors, overflow, axe's serious findings."""
    wrong: list[str] = []
    url = shown.house.server.url
    page.on(
        "request",
        lambda request: (
            None if request.url.startswith((url, "data:", "blob:")) else wrong.append(request.url)
        ),
    )
    page.on("console", lambda line: wrong.append(line.text) if line.type == "error" else None)
    driver = Driver(page).open(url + path.format(**shown.ids))
    PICTURES.mkdir(parents=True, exist_ok=True)
    for scheme, width in LOOKS:
        turn_to(driver, scheme, width)
        if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth + 1"):
            wrong.append(f"the page is wider than the window of {width}")
        page.screenshot(path=PICTURES / f"{picture}-{scheme}-{width}.png")
        found = serious_findings(page, () if (scheme, width) == LOOKS[0] else RULES_OF_COLOUR)
        wrong += [f"{scheme}: {finding}" for finding in found]
    return [f"{path}: {what}" for what in (*wrong, *driver.problems)]


def turn_to(driver: Driver, scheme: str, width: int) -> None:
    """Other colours and another width, until the page has taken both on and shows its images."""
    page = driver.page
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of two words
    page.set_viewport_size({"width": width, "height": 900})
    taken_on = f"""(({{dataset, clientWidth}}) => clientWidth > {width - 50} && clientWidth <= {width}
        && ('themeFixed' in dataset || dataset.bsTheme === '{scheme}'))(document.documentElement)"""
    driver.until(lambda: page.evaluate(taken_on), f"{scheme} at {width}")
    if page.locator("collegium-viewer").count():
        driver.wait_for_image()
        driver.until(
            lambda: all(0 < area["total"] == area["loaded"] for area in driver.areas()), "all images"
        )


def name_of(path: str) -> str:
    bare = path.strip("/").removeprefix("projects/{space}").strip("/") or (
        "overview" if "{space}" in path else "home"
    )
    return "".join(letter if letter.isalnum() else "-" for letter in bare)


@pytest.mark.requirement("U04")
@pytest.mark.parametrize("who", PAGES)
def test_every_page_is_sound_to_look_at(shown: Shown, who: str) -> None:
    wrong = []
    with shown.session(who) as context:
        for path in PAGES[who]:
            page = context.new_page()
            wrong += visit(page, shown, path, f"{who}-{name_of(path)}")
            page.close()

    assert wrong == []


def test_the_images_of_an_exam_are_those_of_that_exam_alone(shown: Shown) -> None:
    path = "/projects/{space}/exams/{exam}/images/".format(**shown.ids)
    with shown.session("administrator") as context:
        driver = Driver(context.new_page()).open(shown.house.server.url + path).wait_for_all()
        areas, series = len(driver.areas()), driver.page.locator("collegium-viewer .series button").count()

    assert (areas, series) == (1, 1)


def test_the_sign_in_page_and_the_nothing_page_are_sound_to_look_at(shown: Shown) -> None:
    with shown.session("sponsor") as context:
        nothing = visit(context.new_page(), shown, "/no/such/page", "nothing")
        context.clear_cookies()
        sign_in = visit(context.new_page(), shown, "/accounts/login/", "sign-in")

    assert [line for line in nothing if "404" not in line] == []
    assert sign_in == []
