"""The seeded trial of two readers and an adjudicator in real processes, with a window for each of its people."""

from __future__ import annotations

import json
import subprocess
import sys
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

from collegium.kit.postgres import EmbeddedPostgres
from collegium_testkit import pacs, people, phantoms
from collegium_testkit.browser import profile
from collegium_testkit.gateways import GatewayProcess
from collegium_testkit.installation import InstallationProcess
from collegium_testkit.patience import until
from collegium_testkit.prepared import Prepared

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType
    from typing import Self

    from playwright.sync_api import Browser, Page

    from collegium_testkit.phantoms import Lesion
    from collegium_testkit.seed import Seeded

REPOSITORY = Path(__file__).resolve().parents[2]
Diameters = tuple[float, float]
VISITS = ("20260105", "20260302")
"""Days of baseline and week 8."""
ELIGIBLE = {"measurable": "yes", "eligible": "yes"}
ACCEPTED = {"coverage": "5", "verdict": "accept"}
BASELINE = {"non_target": "none"}
WEEK_8 = {"non_target": "none", "new_lesion": "no"}
"""What is answered in each step beside the lesion; at week 8 the response as well."""
TASKS = """
    select visit.code, account.email, task.id from research_pipeline_task task
    join research_pipeline_readingunit unit on unit.id = task.unit_id
    left join research_projects_visit visit on visit.id = unit.visit_id
    join research_projects_subject subject on subject.id = unit.subject_id
    left join trust_identity_account account on task.assignee like '%%' || account.id
    where subject.code = %s and task.step = %s
"""


class TrialHouse:
    """Server, the trial's gateway, and subjects with a lesion each. Leaving the context ends all of it."""

    def __init__(self, place: Path, chromium: Browser) -> None:
        self._place, self._chromium = place, chromium
        self.server = InstallationProcess(place / "server", copied=Prepared.SEEDED)
        self.seeded: Seeded
        self.gateway: GatewayProcess
        self.lesions: list[list[Lesion]] = []
        """By subject and visit."""
        self.planted: list[str] = []
        self._running, self._windows = ExitStack(), ExitStack()

    def __enter__(self) -> Self:
        with ExitStack() as begun:
            begun.enter_context(self.server)
            self.seeded = self.server.seed()
            callers = ((self.seeded.calling_ae, "127.0.0.1"),)
            self.gateway = begun.enter_context(
                GatewayProcess(self._place / "hospital", self.server.url, callers=callers)
            )
            self.gateway.enrol(self.server.url, self.seeded.trial.gateway_code)
            self.gateway.start()
            begun.callback(self.close_windows)
            self._running = begun.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    @property
    def space(self) -> str:
        return self.seeded.trial.space_id

    def receive(self, subjects: Sequence[Sequence[Diameters]], *, slices: int = 11) -> None:
        """Exams of new subjects, each with one lesion a visit, through the gateway until they have their visits."""
        arrived = len(self.lesions)
        self.lesions += [[] for _ in subjects]
        for visit, study_date in enumerate(VISITS):
            for number, lesions_mm in enumerate(subjects, arrived):
                if visit < len(lesions_mm):
                    self._send(number, visit, study_date, lesions_mm[visit], slices)
            until(lambda: self._placed() == sum(map(len, self.lesions)), "the exams", story=self._story)

    def act(self, *acts: Sequence[Any]) -> None:  # Any: JSON
        """What people do without a window: see `trial_acts`."""
        done = subprocess.run(
            [sys.executable, "-m", "tests.journeys.trial_acts", self.space], input=json.dumps(acts),
            env=self.server.environment, cwd=REPOSITORY, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-3000:]

    @staticmethod
    def letting_in(number: int) -> tuple[list[Any], list[Any]]:  # Any: JSON
        """The acts by which a subject becomes eligible and its images are accepted."""
        code = code_of(number)
        return ["do", code, "eligibility", ELIGIBLE], ["do", code, "image_qc", ACCEPTED]

    def reading(
        self, number: int, visit: int, answers: dict[str, str], *readers: str
    ) -> list[Any]:  # Any: JSON
        """The act of reading a timepoint of a subject, by these readers or by both."""
        people = [self.seeded.trial.people[who] for who in readers or ("reader1", "reader2")]
        return ["read", code_of(number), asdict(self.lesions[number][visit]), answers, people]

    def task(self, number: int, step: str, visit: str = "", who: str = "") -> str:
        """A task's id."""
        email = self.seeded.trial.people.get(who, "")
        found = self.ask(TASKS, code_of(number), step)
        return next(str(id_) for code, whose, id_ in found if visit in ("", code) and email in ("", whose))

    def window(self, who: str, path: str = "/tasks/", **look: Any) -> Page:  # Any: Playwright's own
        """Signed in, at an address. `who` is a short name of the trial's people, or `administrator`."""
        email = self.seeded.trial.people.get(who, self.seeded.administrator)
        given = {"viewport": {"width": 1440, "height": 900}, "reduced_motion": "reduce"} | look
        page = self._windows.enter_context(profile(self._chromium, **given)).new_page()
        page.goto(f"{self.server.url}/accounts/login/")
        page.fill("#id_login", email)
        page.fill("#id_password", self.seeded.password)
        page.click("button[type=submit]")
        page.wait_for_url(f"{self.server.url}/")
        if path != "/":
            page.goto(self.server.url + path.format(space=self.space))
        return page

    def close_windows(self) -> None:
        self._windows.close()

    def ask(self, sql: str, *values: object) -> list[tuple[Any, ...]]:  # Any: whatever the columns hold
        """Rows, as the database's owner."""
        address = EmbeddedPostgres(self.server.data_dir).addresses.owner
        with psycopg.connect(address, autocommit=True) as owner:
            return owner.execute(sql, values).fetchall()

    def _send(self, number: int, visit: int, study_date: str, lesion_mm: Diameters, slices: int) -> None:
        exam = phantoms.ct_exam(
            self._place / f"exam-{number}-{visit}", slices=slices, size=256, seed=300 + 10 * number + visit,
            patient=people.patient(300 + number), study_date=study_date, lesion_mm=lesion_mm,
        )  # fmt: skip
        assert exam.lesion
        self.lesions[number].append(exam.lesion)
        self.planted += exam.planted
        sent = pacs.send(
            exam.folder, "127.0.0.1", self.gateway.receive_port,
            self.seeded.trial.called_ae, self.seeded.calling_ae,
        )  # fmt: skip
        assert {one.status for one in sent} == {pacs.SUCCESS}

    def _placed(self) -> int:
        ((count,),) = self.ask("select count(*) from research_pipeline_examplacement where unplaced = ''")
        return int(count)

    def _story(self) -> str:
        return self.gateway.log_text[-1500:] + self.server.log_text[-2500:]


def code_of(number: int) -> str:
    """The code that a subject gets at its arrival."""
    return f"01-{number + 1:03}"
