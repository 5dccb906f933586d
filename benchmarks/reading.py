"""What readers and their managers wait for: task lists at 20,000 tasks, the first image, the check before each frame.

Lists are asked for over HTTP from a whole server. Their peer is the list as one writes it first, on the same rows and
in the same template: a page by offset with its count, and each line asks for what it shows. It runs in this process and
is spared HTTP, session and frame of the page. The peer of the frame check asks the database each time.

    python benchmarks/reading.py [--tasks 20000] [--requests 60] [--runs 5]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import tempfile
import time
from contextlib import closing
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock
from uuid import UUID, uuid4

import first_image
import form_change
import httpx
import psycopg

from collegium.kit.postgres import EmbeddedPostgres
from collegium_testkit.browser import browser
from collegium_testkit.installation import InstallationProcess

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from django.db.models import QuerySet
    from starlette.requests import Request

    from collegium.kit.pages.lists import Asked
    from collegium.kit.principals import Principal
    from collegium.research.pipeline.models import Task
    from collegium_testkit.seed import Seeded

OUT = Path(__file__).parent / "out" / "reading.json"
LIST_MS = 30.0
CHECK_MS = 0.2
READERS = 10
TO_DO = 300
"""Of the tasks of one reader; the rest is signed."""
VISITS = ("baseline", "week8")
SLOTS = 2

Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class Filled:
    """A project with all its tasks, and who looks at them."""

    space_id: UUID
    admin: Principal
    reader: Principal


def main() -> None:
    """Fill, measure in turn, print the table, write the file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tasks", type=int, default=20_000, help="in the lists; 0 leaves them out")
    parser.add_argument("--requests", type=int, default=60)
    parser.add_argument("--runs", type=int, default=5, help="of the first image; 0 leaves it out")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="collegium-bench-"))
    folder.chmod(0o755)
    server = InstallationProcess(folder / "server", more={"DEMO_QUIET_TIME_S": "1"})
    try:
        with server:
            seeded = server.seed()
            os.environ |= server.environment
            import django

            django.setup()
            rows: list[Row] = []
            if asked.tasks:
                filled = fill(seeded, asked.tasks)
                know_the_rows(server)
                rows = lists(server, seeded, filled, asked.requests)
            first_image.deliver(folder, server, seeded, slices=300 if asked.runs else 20)
            with browser() as chromium:
                runs = [first_image.opened(chromium, server, seeded) for _ in range(max(asked.runs, 1) + 1)]
            rows += [first_image.row_of(runs[1:], 300)] if asked.runs else []
            rows += [frame_check(seeded)]
    finally:
        server.remove()
        shutil.rmtree(folder, ignore_errors=True)
    show(rows, asked.tasks)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")


# ---- task lists


def lists(server: InstallationProcess, seeded: Seeded, filled: Filled, requests: int) -> list[Row]:
    """A reader's list and the project's, first page and last, beside the naive ones."""
    from collegium.research.pipeline.states import TO_DO as OPEN_STATES

    first, last = f"/projects/{filled.space_id}/tasks/", deep(filled)
    with closing(signed_in(server, seeded.trial.people["reader1"], seeded)) as reader:
        rows = [
            measure(
                f"a reader's list, {TO_DO} to do",
                lambda: get(reader, "/tasks/"),
                lambda: naive_mine(filled, OPEN_STATES),
                requests,
            ),
            measure(
                "a reader's list, signed",
                lambda: get(reader, "/tasks/?state=signed"),
                lambda: naive_mine(filled, ("signed",)),
                requests,
            ),
        ]
    with closing(signed_in(server, seeded.administrator, seeded)) as manager:
        rows += [
            measure(
                "the project's list, first page",
                lambda: get(manager, first),
                lambda: naive_all(filled, is_last=False),
                requests,
            ),
            measure(
                "the project's list, last page",
                lambda: get(manager, f"{first}?after={last}"),
                lambda: naive_all(filled, is_last=True),
                requests,
            ),
        ]
    return rows


def measure(name: str, ours: Callable[[], None], peer: Callable[[], None], requests: int) -> Row:
    """Medians, ours and the peer's in turn."""
    mine: list[float] = []
    theirs: list[float] = []
    for number in range(requests + 5):
        taken = timed(ours)
        mine += [taken] if number >= 5 else []
        if number < 25:  # a slow peer need not be asked as often
            taken = timed(peer)
            theirs += [taken] if number >= 5 else []
    return row(f"{name}, p50 ms", mine, theirs, LIST_MS)


def row(metric: str, mine: list[float], theirs: list[float], target: float) -> Row:
    median, peer = statistics.median(mine), statistics.median(theirs)
    return {
        "metric": metric,
        "ours": round(median, 4),
        "ours_p95": round(statistics.quantiles(mine, n=20)[-1], 4),
        "quickest": round(min(mine), 4),
        "peer": round(peer, 4),
        "ratio": round(peer / median, 1),
        "target": target,
        "holds": median <= target,
        "load": round(os.getloadavg()[0], 1),
    }


def timed(act: Callable[[], None]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


def get(client: httpx.Client, address: str) -> None:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text[:500]
    assert answer.text.count("<tr>") > 40, "an empty list is quick for everyone"


def signed_in(server: InstallationProcess, email: str, seeded: Seeded) -> httpx.Client:
    client = httpx.Client(base_url=server.url, timeout=30, follow_redirects=True)
    form_change.sign_in(client, email, seeded.password)
    return client


def naive_mine(filled: Filled, states: Iterable[str]) -> None:
    """The person's tasks: a page of 50, counted, and for each line its step, project and open queries."""
    from django.core.paginator import Paginator
    from django.template.loader import render_to_string

    from collegium.forms.definition import in_language
    from collegium.kit import clock
    from collegium.kit.database import acting_as
    from collegium.research.data_queries.models import DataQuery
    from collegium.research.pipeline.models import Task
    from collegium.research.projects import queries as projects
    from collegium.trust.tenancy.models import Space

    with acting_as(filled.reader):
        rows = Task.objects.filter(assignee=filled.reader.text, state__in=list(states)).order_by(
            "label", "id"
        )
        lines = [
            {
                "task": task,
                "project": Space.objects.get(id=task.space_id).name,
                "step": in_language(projects.definition(task.project_version).step(task.step).label, "en"),
                "is_overdue": task.due_on is not None and task.due_on < clock.now().date(),
                "open_queries": DataQuery.objects.filter(task=task, state="open").count(),
            }
            for task in Paginator(rows, 50).page(1)
        ]
        render_to_string("research_reads/tasks.html", {"lines": lines, "chips": [], "asked": nothing_asked()})


def naive_all(filled: Filled, *, is_last: bool) -> None:
    """The project's tasks: a page of 50 by offset, counted, and for each line its step and reader."""
    from django.core.paginator import Paginator
    from django.template.loader import render_to_string

    from collegium.forms.definition import in_language
    from collegium.kit.database import acting_as
    from collegium.kit.principals import Principal
    from collegium.research.projects import queries as projects
    from collegium.trust.identity.queries import names

    with acting_as(filled.admin, [filled.space_id]):
        pages = Paginator(naive_tasks(filled).order_by("-listing"), 50)
        lines = [
            {
                "task": task,
                "step": in_language(projects.definition(task.project_version).step(task.step).label, "en"),
                "visit": task.unit.visit.code if task.unit.visit else "",
                "person": names([Principal.parse(task.assignee).id]).get(
                    Principal.parse(task.assignee).id, ""
                ),
            }
            for task in pages.page(pages.num_pages if is_last else 1)
        ]
        frame = {"space": {"id": filled.space_id}}
        context = {"lines": lines, "frame": frame, "asked": nothing_asked(), "page": {}}
        render_to_string("research_pipeline/tasks.html", context)


def nothing_asked() -> Asked:
    from collegium.kit.pages.lists import Asked

    return Asked("/tasks/", "", {}, None)


def naive_tasks(filled: Filled) -> QuerySet[Task]:
    from collegium.research.pipeline.models import Task

    return Task.objects.filter(space_id=filled.space_id)


def deep(filled: Filled) -> UUID:
    """After which task the last page begins."""
    from collegium.kit.database import acting_as

    with acting_as(filled.admin, [filled.space_id]):
        found: UUID = naive_tasks(filled).order_by("listing").values_list("listing", flat=True)[50]
        return found


def fill(seeded: Seeded, tasks: int) -> Filled:
    """The seeded trial with so many reading tasks, as rows: a reader has a tenth of them, and some hundred to do."""
    from collegium.kit.database import acting_as
    from collegium.kit.principals import Principal
    from collegium.trust.identity.queries import account_by_email

    with acting_as(Principal.system()):
        admin, reader = (
            account_by_email(email) for email in (seeded.administrator, seeded.trial.people["reader1"])
        )
    assert admin
    assert reader
    filled = Filled(UUID(seeded.trial.space_id), admin.principal, reader.principal)
    people = [reader.principal.text, *(f"person:{uuid4()}" for _ in range(READERS - 1))]
    subjects = tasks // (len(VISITS) * SLOTS)
    for begin in range(0, subjects, 500):
        with acting_as(filled.admin, [filled.space_id]):
            add_subjects(filled, people, range(begin, min(begin + 500, subjects)))
    return filled


def know_the_rows(server: InstallationProcess) -> None:
    """Statistics for the planner, for both: the database gathers them by itself within a minute of such a change."""
    with psycopg.connect(EmbeddedPostgres(server.data_dir).addresses.owner, autocommit=True) as owner:
        owner.execute("analyze")


def add_subjects(filled: Filled, people: list[str], numbers: range) -> None:
    """Subjects with two visits, each visit with two tasks."""
    from collegium.research.pipeline.models import ReadingUnit, Task
    from collegium.research.projects.models import ProjectVersion, Site, Subject, Visit

    space = {"space_id": filled.space_id}
    version = ProjectVersion.objects.filter(**space).latest("version")
    site = Site.objects.filter(**space).first()
    subjects = [Subject(**space, code=f"S-{number:05d}", site=site) for number in numbers]
    visits = [
        Visit(**space, subject=one, code=code, exam_date=date(2024, 1, 5))
        for one in subjects
        for code in VISITS
    ]
    units = [
        ReadingUnit(**space, project_version=version, about="visit", subject=visit.subject, visit=visit)
        for visit in visits
    ]
    made = []
    for place, (unit, slot) in enumerate((unit, slot) for unit in units for slot in range(1, SLOTS + 1)):
        at = numbers.start * len(VISITS) * SLOTS + place
        # Every tenth task is the reader's; the first of them are to do.
        own = at // READERS
        is_to_do = own < TO_DO
        state = ("in_progress" if own % 3 == 0 else "open") if is_to_do else "signed"
        made.append(
            Task(
                **space, unit=unit, project_version=version, step="reading", slot=slot, state=state,
                assignee=people[at % READERS], label=f"R-{uuid4().hex[:6].upper()}",
                due_on=date(2024, 2, 1) + timedelta(days=at % 900),
            )
        )  # fmt: skip
    Subject.objects.bulk_create(subjects)
    Visit.objects.bulk_create(visits)
    ReadingUnit.objects.bulk_create(units)
    Task.objects.bulk_create(made)


# ---- the check before a frame


def frame_check(seeded: Seeded, times: int = 20_000) -> Row:
    """Who asks, whether the grant holds, whether the frame is in it: all but the reading of its bytes."""
    from types import SimpleNamespace

    from django.conf import settings
    from starlette.requests import Request

    from collegium.imaging.archive import storage
    from collegium.imaging.dicomweb.projection import GrantView
    from collegium.imaging.dicomweb.search import Search
    from collegium.imaging.grants.models import ViewGrant
    from collegium.imaging.grants.queries import live_grant
    from collegium.kit.database import acting_as
    from collegium.trust.access.api import principal_of
    from collegium.trust.identity.queries import account_by_email, principal_from_session
    from collegium_testkit.delivering import cookie_of
    from collegium_testkit.world import Person

    account = account_by_email(seeded.reader)
    assert account
    cookie = cookie_of(Person(account.principal, account.email, ""))["Cookie"]
    session = cookie.partition("=")[2]
    request: Request = Request({"type": "http", "headers": [(b"cookie", cookie.encode())]})
    with acting_as(account.principal):
        grant = ViewGrant.objects.filter(principal=account.principal.text, revoked_at=None).latest("id")
    view = GrantView(account.principal, grant.id)
    (study,) = json.loads(view.studies(Search.of([])))
    study_uid = study["0020000D"]["Value"][0]
    series_uid = json.loads(view.series(study_uid))[0]["0020000E"]["Value"][0]
    instances = [one["00080018"]["Value"][0] for one in json.loads(view.instances(study_uid, series_uid))]

    def ours(number: int) -> None:
        principal = principal_of(request)
        GrantView(principal, grant.id).frame(study_uid, series_uid, instances[number % len(instances)], 1)

    def peer() -> None:
        principal = principal_from_session(session)
        assert principal
        with acting_as(principal):
            live_grant(principal, grant.id)

    assert request.cookies[settings.SESSION_COOKIE_NAME] == session
    nothing = SimpleNamespace(read=lambda *_place: b"")
    mine: list[float] = []
    theirs: list[float] = []
    with mock.patch.object(storage, "blobs", return_value=nothing):
        ours(0)
        for number in range(times):
            mine.append(timed(lambda number=number: ours(number)))  # type: ignore[misc]  # bound at once
            if number % 100 == 0:
                theirs.append(timed(peer))
    return row(f"check before a frame, {len(instances)} images, p50 ms", mine, theirs, CHECK_MS)


def show(rows: list[Row], tasks: int) -> None:
    print(f"{f'{tasks} tasks':58} {'ours':>8} {'p95':>8} {'peer':>8} {'ratio':>6} {'load':>5}  target")
    for one in rows:
        p95, peer, ratio = (one.get(key) for key in ("ours_p95", "peer", "ratio"))
        cells = (
            f"{cell:8.2f}" if isinstance(cell, float) else f"{'-':>8}" for cell in (one["ours"], p95, peer)
        )
        told = f"{ratio:5.0f}x" if isinstance(ratio, float) else f"{'-':>6}"
        verdict = "holds" if one["holds"] else "FAILS"
        print(f"{one['metric']:58} {' '.join(cells)} {told} {one['load']:>5}  <= {one['target']} {verdict}")


if __name__ == "__main__":
    main()
