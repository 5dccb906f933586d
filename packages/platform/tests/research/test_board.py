"""Progress in numbers: right, led to their lists, and silent about what was read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from collegium.kit.database import acting_as
from collegium.kit.errors import Refused
from collegium.research.oversight.board import chart, queries
from collegium_testkit.world import PASSWORD

if TYPE_CHECKING:
    from collegium.research.oversight.board.queries import Progress
    from collegium_testkit.committee import Committee
    from collegium_testkit.study import Study
    from collegium_testkit.world import Person, World


@pytest.fixture
def committee(world: World) -> Committee:
    from collegium_testkit.committee import Committee

    made = Committee(world)
    made.gather()
    return made


def progress(world: World, person: Person | None = None) -> Progress:
    who = person or world.administrator
    with acting_as(who.principal, [world.space_id]):
        return queries.progress(world.actor(who), "en")


def client_of(person: Person) -> Client:
    client = Client()
    client.post("/accounts/login/", {"login": person.email, "password": PASSWORD})
    return client


def test_the_numbers_are_those_of_the_rows(study: Study) -> None:
    study.arrive("S-001")
    study.arrive("S-002")

    found = progress(study.world)

    assert (found.subjects, found.exams, found.to_do, found.signed) == (2, 2, 2, 0)
    assert [step.total for step in found.steps] == [2]
    assert sum(week.exams for week in found.weeks) == 2


def test_a_late_task_is_counted_as_overdue(study: Study) -> None:
    study.arrive()
    with acting_as(study.world.administrator.principal), connection.cursor() as cursor:
        cursor.execute(
            "update research_pipeline_task set due_on = current_date - 1 where space_id = %s",
            [study.world.space_id],
        )

    found = progress(study.world)

    assert (found.overdue, found.steps[0].overdue) == (1, 1)


def test_every_number_leads_to_its_list(study: Study) -> None:
    study.arrive()
    client = client_of(study.world.administrator)

    page = client.get(f"/projects/{study.world.space_id}/board/").content.decode()

    for address in ("subjects/", "exams/", "tasks/?step=reading&amp;state=open", "tasks/?late=yes"):
        assert f'href="/projects/{study.world.space_id}/{address}"' in page, address
    shown = client.get(f"/projects/{study.world.space_id}/tasks/?step=reading&state=open").content.decode()
    assert "S-001" in shown
    assert "S-001" not in client.get(f"/projects/{study.world.space_id}/tasks/?step=none").content.decode()


@pytest.mark.requirement("R12")
def test_a_sponsor_viewer_sees_progress_and_no_way_to_any_list(study: Study) -> None:
    sponsor = study.world.join("Sponsor viewer")
    study.arrive("S-CANARY")
    client, root = client_of(sponsor), f"/projects/{study.world.space_id}/"

    page = client.get(f"{root}board/").content.decode()

    assert "Pipeline" in page
    assert "CANARY" not in page
    assert study.reader.full_name not in page
    assert f'href="{root}tasks/' not in page
    for closed in ("tasks/", "results/", "subjects/", "exams/", "history/", "people/"):
        assert client.get(f"{root}{closed}").status_code in {403, 404}, closed


@pytest.mark.requirement("R12")
def test_by_site_a_sponsor_viewer_is_not_told_where_readers_differed(
    committee: Committee, world: World
) -> None:
    sponsor = world.join("Sponsor viewer")
    first, second = committee.until_reading()
    committee.do(first, response="PR")
    committee.do(second, response="PD")

    (told,) = [site for site in progress(world, sponsor).sites if site.code == "01"]
    (known,) = [site for site in progress(world).sites if site.code == "01"]

    assert committee.states("adjudication") == ["open"]
    assert (known.to_do, told.to_do) == (1, 0)
    assert not progress(world, sponsor).has_all_by_site


def test_who_may_not_see_progress_is_refused(world: World) -> None:
    reader = world.join("Reader")

    with pytest.raises(Refused):
        progress(world, reader)
    assert client_of(reader).get(f"/projects/{world.space_id}/board/").status_code == 403


def test_an_empty_project_says_so(world: World) -> None:
    page = client_of(world.administrator).get(f"/projects/{world.space_id}/board/").content.decode()

    assert "The project is not published yet." in page
    assert "No site has sent anything yet." in page


def test_the_board_asks_the_same_number_of_questions_however_much_there_is(study: Study) -> None:
    study.arrive("S-001")
    few = _questions(study.world)
    for number in range(2, 8):
        study.arrive(f"S-{number:03}")

    assert _questions(study.world) == few


def test_the_parts_of_a_bar_fill_it() -> None:
    step = queries.StepProgress("read", "Read")
    step.counts.update({"open": 1, "signed": 2})

    bars = chart.strip(step)

    assert [bar.kind for bar in bars] == ["signed", "open"]
    assert sum(bar.width for bar in bars) == pytest.approx(100, abs=0.05)


def _questions(world: World) -> int:
    with CaptureQueriesContext(connection) as asked:
        progress(world)
    return len(asked)
