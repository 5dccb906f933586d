"""The committee, with nothing but real processes: site, QC, two blinded readers, an adjudicator, the final result."""

from __future__ import annotations

import csv
import io
import re
import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from collegium_testkit.browser import chromium_path
from collegium_testkit.patience import until
from collegium_testkit.trial import PEOPLE
from tests.journeys.reading_desk import Desk
from tests.journeys.screenshots import take
from tests.journeys.trial_house import ACCEPTED, BASELINE, ELIGIBLE, TASKS, WEEK_8, TrialHouse, code_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page, Request, Response

    from tests.browser.viewer.driver import Driver

pytestmark = [
    pytest.mark.journey,
    pytest.mark.browser,
    pytest.mark.skipif(chromium_path() is None, reason="no Chromium on this machine"),
    pytest.mark.timeout(1200),
]

DISPUTED, AGREED = 0, 1
"""Subjects, by number."""
SHRUNK = ((39.0, 26.0), (24.0, 16.0))
"""Long and short diameter in mm at both timepoints: 38 % less, a partial response by the rules."""
ONE_PIXEL_MM = 1.0
OUTCOMES = """
    select visit.code, found.outcome from research_pipeline_discrepancy found
    join research_pipeline_readingunit unit on unit.id = found.unit_id
    join research_projects_visit visit on visit.id = unit.visit_id
    join research_projects_subject subject on subject.id = unit.subject_id
    where subject.code = %s order by visit.code
"""
SERIES = """
    select exam.study_uid, series.series_uid from imaging_archive_series series
    join imaging_archive_exam exam on exam.id = series.exam_id
    join research_pipeline_examplacement place on place.exam_id = exam.id
    join research_projects_visit visit on visit.id = place.visit_id
    join research_projects_subject subject on subject.id = place.subject_id
    where subject.code = %s and visit.code = 'week8'
"""


@pytest.fixture(scope="module")
def house(chromium: Browser) -> Iterator[TrialHouse]:
    """Two subjects with a baseline and a follow-up each, and nothing done yet."""
    place = Path(tempfile.mkdtemp(prefix="collegium-committee-"))
    place.chmod(0o755)
    with TrialHouse(place, chromium) as running:
        running.receive([SHRUNK, SHRUNK])
        yield running
    shutil.rmtree(place, ignore_errors=True)


@pytest.fixture
def trial(house: TrialHouse) -> Iterator[TrialHouse]:
    yield house
    house.close_windows()


@pytest.mark.requirement("R28", "R31", "R70", "R71", "R89")
def test_two_readers_differ_and_the_adjudicator_settles_it(trial: TrialHouse) -> None:
    site_and_qc_let_images_in(trial)
    _, qc_of_week_8 = trial.letting_in(DISPUTED)
    trial.act(qc_of_week_8, trial.reading(DISPUTED, 0, BASELINE, "reader2"))
    first, second = desk(trial, "reader1"), desk(trial, "reader2")
    given_to_second = images_given_to(second.page)
    read_week_8(trial, second.open("Independent reading"), response="SD")

    first.open("Independent reading")
    assert_nothing_of_week_8_is_given(trial, first, given_to_second)
    read_baseline(trial, first)
    first.submit_and_sign()
    read_week_8(trial, first.open("Independent reading"), response="PR")
    take(first.page, "two-timepoints")

    adjudicator = desk(trial, "adjudicator")
    told = texts_given_to(adjudicator.page)
    adjudicator.page.mouse.move(5, 600)
    adjudicator.page.evaluate("window.isTheSamePage = true")
    second.submit_and_sign()
    second.page.close()
    assert rows(adjudicator.page) == 0
    first.submit_and_sign()
    wait_for_one_task(adjudicator.page)
    settle(adjudicator)
    assert_no_reader_is_named(trial, [*told, adjudicator.page.content()])

    row = final_row(trial, DISPUTED)
    assert row["final_by"] == "adjudicated: chosen"
    assert row["response"] == "PR"
    assert float(row["sum"]) == pytest.approx(24.0, abs=ONE_PIXEL_MM)
    verified = trial.server.run("audit", "verify")
    assert verified.returncode == 0, verified.stdout


@pytest.mark.requirement("R70")
def test_readers_who_agree_need_no_adjudicator(trial: TrialHouse) -> None:
    trial.act(
        *trial.letting_in(AGREED),
        trial.reading(AGREED, 0, BASELINE),
        trial.reading(AGREED, 1, WEEK_8 | {"response": "PR"}),
    )

    assert trial.ask(OUTCOMES, code_of(AGREED)) == [("baseline", "agreed"), ("week8", "agreed")]
    assert trial.ask(TASKS, code_of(AGREED), "adjudication") == []
    page = trial.window("adjudicator", "/tasks/?state=open")
    assert page.get_by_text("No task matches").is_visible()
    row = final_row(trial, AGREED)
    assert (row["final_by"], row["response"]) == ("agreed", "PR")


def desk(trial: TrialHouse, who: str) -> Desk:
    return Desk(trial.window(who), trial.seeded.password)


def site_and_qc_let_images_in(trial: TrialHouse) -> None:
    site = desk(trial, "site").open("Eligibility", code_of(DISPUTED))
    site.choose(**ELIGIBLE)
    site.submit_and_sign()
    qc = desk(trial, "qc").open("Image QC", code_of(DISPUTED))
    qc.driver.wait_for_all()
    qc.choose(**ACCEPTED)
    qc.submit_and_sign()
    trial.close_windows()


def read_baseline(trial: TrialHouse, reader: Desk) -> None:
    reader.driver.wait_for_all()
    assert len(reader.driver.areas()) == 1
    reader.add_target("liver", "Segment VIII")
    reader.measure(trial.lesions[DISPUTED][0])
    reader.choose(**BASELINE)
    assert mm(reader.shown(reader.item("sum"))) == pytest.approx(39.0, abs=ONE_PIXEL_MM)
    assert not reader.item("response").is_visible()


def read_week_8(trial: TrialHouse, reader: Desk, *, response: str) -> None:
    """The finding comes along, what it is stays, how large it is gets measured again; the rest is computed."""
    reader.driver.wait_for_both()
    assert [area["timepoint"] for area in reader.driver.areas()] == [1, 2]
    assert reader.row().get_attribute("aria-label") == "T1"
    assert "From an earlier timepoint" in reader.row().inner_text()
    assert (reader.shown(reader.part("organ")), reader.shown(reader.part("place"))) == (
        "Liver",
        "Segment VIII",
    )
    assert reader.part("organ").locator("[data-answer]").count() == 0
    assert reader.part("place").locator("[data-answer]").count() == 0

    reader.measure(trial.lesions[DISPUTED][1])
    reader.choose(**WEEK_8, response=response)
    assert mm(reader.shown(reader.item("sum"))) == pytest.approx(24.0, abs=ONE_PIXEL_MM)
    assert mm(reader.shown(reader.item("baseline_sum"))) == pytest.approx(39.0, abs=ONE_PIXEL_MM)
    assert mm(reader.shown(reader.item("change"))) == pytest.approx(-38.5, abs=4.0)
    assert "Partial response" in reader.shown(reader.item("computed_response"))
    told = reader.item("response").locator(".item-told").inner_text()
    assert ("not what the measurements say" in told) is (response != "PR")


def mm(shown: str) -> float:
    return float(shown.split(maxsplit=1)[0])


def images_given_to(page: Page) -> list[str]:
    """Every address below a grant that the page reads from now on."""
    asked: list[str] = []

    def keep(request: Request) -> None:
        if "/grants/" in request.url and request.method == "GET":
            asked.append(urlsplit(request.url).path)

    page.on("request", keep)
    return asked


def assert_nothing_of_week_8_is_given(trial: TrialHouse, reader: Desk, of_another: list[str]) -> None:
    """A reader who has not signed the baseline asks for the next timepoint by every address there is."""
    own = str(reader.page.locator("collegium-viewer").get_attribute("dicomweb"))
    below = [path.split("/", 4)[4] for path in of_another if "/studies/" in path]
    below += [
        f"studies/{study}/series/{series}/metadata" for study, series in trial.ask(SERIES, code_of(DISPUTED))
    ]
    assert [path for path in below if "/frames/" in path]
    images = {path: trial.server.url + path for path in (*of_another, *(f"{own}/{path}" for path in below))}
    tasks = [trial.task(DISPUTED, "reading", "week8", who) for who in ("reader1", "reader2")]
    pages = [reader.page.request.get(f"{trial.server.url}/tasks/{task}/read") for task in tasks]

    assert {path for path, url in images.items() if reader.page.request.get(url).status != 404} == set()
    assert [answer.status for answer in pages] == [404, 404]
    assert not [answer for answer in pages if "/grants/" in answer.text()]
    assert len(reader.page.request.get(f"{trial.server.url}{own}/studies").json()) == 1


def texts_given_to(page: Page) -> list[str]:
    """Every text that the server answers with, from now on."""
    told: list[str] = []

    def keep(response: Response) -> None:
        kind = response.headers.get("content-type", "")
        if response.status == 200 and ("json" in kind or "html" in kind):
            told.append(response.text())

    page.on("response", keep)
    return told


def rows(page: Page) -> int:
    return page.locator("#tasks tbody tr").count()


def wait_for_one_task(page: Page) -> None:
    """The page is told and loads its list by itself: nobody loads it again."""
    until(lambda: rows(page) == 1, "the adjudication to appear in the list by itself")
    assert page.evaluate("window.isTheSamePage")


def settle(adjudicator: Desk) -> None:
    """Look at both reads, switch their marks, choose the one that says partial response."""
    page, driver = adjudicator.page, adjudicator.driver
    page.locator("#tasks tbody a").first.click()
    driver.wait_for_both()
    driver.until(lambda: len(driver.state()["layers"]) == 2, "the marks of both")
    compared = page.locator(".compared-table")
    assert compared.locator("thead .side").all_inner_texts() == ["A", "B"]
    answers = compared.locator("tr.is-different", has_text="Your assessment").locator("td").all_inner_texts()
    assert sorted(answers) == ["Partial response", "Stable disease"]

    page.locator("[data-show-mark]").first.click()
    driver.until(lambda: "mm" in driver.drawn(), "a mark on the image")
    take(page, "adjudication-page")
    for name in "AB":
        for is_on in (False, True):
            page.locator(f"collegium-viewer .layers input[data-layer={name}]").set_checked(is_on)
            driver.until(partial(layer_is, driver, name, is_on), f"layer {name} switched")
    adjudicator.choose(chosen="ab"[answers.index("Partial response")])
    adjudicator.write(adjudicator.item("why"), "The lesion is smaller by the rules' measure.")
    adjudicator.submit_and_sign()


def layer_is(driver: Driver, name: str, is_on: bool) -> bool:
    return (name, is_on) in [(layer["name"], layer["isShown"]) for layer in driver.state()["layers"]]


def assert_no_reader_is_named(trial: TrialHouse, told: list[str]) -> None:
    people = [PEOPLE[who] for who in ("reader1", "reader2")]
    emails = [email for email, *_ in people]
    accounts = trial.ask("select id::text from trust_identity_account where email = any(%s)", emails)
    assert len(accounts) == 2
    for needle in ("Rosa", "Rafael", *emails, *(key for (key,) in accounts)):
        assert not [text for text in told if needle in text], needle


def final_row(trial: TrialHouse, number: int) -> dict[str, str]:
    """The week-8 row that counts, as the administrator sees it and as the file says it."""
    subject = code_of(number)
    page = trial.window("administrator", "/projects/{space}/results/")
    page.get_by_role("link", name="Final results").click()
    page.wait_for_url(re.compile("step=final"))
    shown = page.locator("table.list tbody tr", has_text=subject).filter(has_text="Week 8").inner_text()
    with page.expect_download() as download:
        page.click("text=Download CSV")
    text = Path(str(download.value.path())).read_text("utf-8-sig")
    lines = csv.DictReader(io.StringIO(text))
    (row,) = [line for line in lines if (line["subject"], line["visit"]) == (subject, "week8")]
    assert row["signature"] == "valid"
    assert "Valid" in shown
    assert row["response_label"] in shown
    assert ("Agreement" in shown) is (row["final_by"] == "agreed")
    return row
