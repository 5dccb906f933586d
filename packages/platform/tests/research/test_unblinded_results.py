"""What unblinding shows on pages: the task's own page and results, the final results of who looks on, the list."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

import pytest
from django.test import Client

from collegium.imaging.archive import queries as archive
from collegium.kit.database import acting_as
from collegium.kit.errors import Refused
from collegium.research.oversight.leaks import queries as leaks
from collegium.research.pipeline import sight
from collegium.research.projects.models import Unblinding
from collegium.research.projects.unblinding import services
from collegium.research.results import services as results
from collegium_testkit.committee import being_read
from collegium_testkit.world import PASSWORD, new_world

if TYPE_CHECKING:
    from collegium.research.oversight.leaks.facts import Facts
    from collegium.research.pipeline.models import Task
    from collegium_testkit.beginnings import Beginnings
    from collegium_testkit.committee import Committee
    from collegium_testkit.world import Person, World

pytestmark = pytest.mark.requirement("R44")

FINAL = "final.adjudication"


@pytest.fixture
def committee(beginnings: Beginnings) -> Committee:
    committee, _ = beginnings.begin(being_read)
    return committee


@pytest.fixture
def world(committee: Committee) -> World:
    return committee.world


@pytest.fixture
def monitor(world: World) -> Person:
    return world.join("Monitor")


def client_of(person: Person) -> Client:
    client = Client()
    assert client.login(email=person.email, password=PASSWORD)
    return client


def page_of(world: World) -> str:
    return f"/projects/{world.space_id}/unblinding/"


def unblind(world: World, monitor: Person, task: Task | None, *, approve: bool = True) -> None:
    """A monitor asks and the administrator decides; without a task about the final results."""
    with acting_as(monitor.principal, [world.space_id]):
        actor = world.actor(monitor)
        if task is None:
            scope = Unblinding.Scope.RESULTS
            request = services.ask_unblinding(actor=actor, scope=scope, reason="The trial is locked.")
        else:
            request = sight.ask_for_task(actor=actor, task_id=task.id, reason="Safety.")
    with acting_as(world.administrator.principal, [world.space_id]):
        services.decide_unblinding(
            actor=world.actor(), request_id=request.id, approve=approve, reason="Agreed.", password=PASSWORD
        )


def rows(world: World, step: str) -> list[dict[str, str]]:
    with acting_as(world.administrator.principal, [world.space_id]):
        file = results.export_csv(actor=world.actor(), step=step)
    return list(csv.DictReader(io.StringIO(file.body.decode())))


def facts(world: World) -> Facts:
    with acting_as(world.administrator.principal, [world.space_id]):
        return leaks.facts(world.actor())


def test_the_page_of_an_unblinded_task_shows_code_site_and_visit_and_another_does_not(
    committee: Committee, monitor: Person
) -> None:
    first, second = committee.visit("baseline")
    unblind(committee.world, monitor, first)

    opened = client_of(committee.people[committee.who(first)]).get(f"/tasks/{first.id}/read").content.decode()
    other = (
        client_of(committee.people[committee.who(second)]).get(f"/tasks/{second.id}/read").content.decode()
    )

    assert "data-subject-label>S-001<" in opened
    assert "Unblinded" in opened
    assert all(word in opened for word in ("Baseline", "North hospital"))
    assert "S-001" not in other
    assert f"data-subject-label>{second.label}<" in other


def test_results_say_that_a_read_was_unblinded_and_whether_before_its_signature(
    committee: Committee, monitor: Person
) -> None:
    first, second = committee.visit("baseline")
    unblind(committee.world, monitor, first)
    committee.do(first, response="PR")
    committee.do(second, response="PR")
    unblind(committee.world, monitor, second)

    found = {row["reader"]: row for row in rows(committee.world, "reading")}
    (final,) = rows(committee.world, FINAL)

    names = [committee.people[committee.who(task)].full_name for task in (first, second)]
    assert [found[name]["unblinded"] for name in names] == ["before_signature", "after_signature"]
    assert all(found[name]["unblinded_at_utc"] for name in names)
    assert final["unblinded"] == "before_signature"


def test_a_read_of_a_task_that_stayed_blinded_says_no(committee: Committee, monitor: Person) -> None:
    first, second = committee.visit("baseline")
    unblind(committee.world, monitor, first, approve=False)
    committee.do(first, response="PR")
    committee.do(second, response="PR")

    assert [(row["unblinded"], row["unblinded_at_utc"]) for row in rows(committee.world, "reading")] == [
        ("no", ""), ("no", ""),
    ]  # fmt: skip


def test_a_sponsor_sees_final_results_only_after_approval_without_readers_and_without_a_file(
    committee: Committee, monitor: Person
) -> None:
    sponsor = committee.world.join("Sponsor viewer")
    root = f"/projects/{committee.world.space_id}/"
    for task in committee.visit("baseline"):
        committee.do(task, response="PR")
    client = client_of(sponsor)
    before = (
        client.get(f"{root}results/").status_code,
        f"{root}results/" in client.get(root).content.decode(),
    )
    unblind(committee.world, monitor, None)

    shown = client.get(f"{root}results/")
    body = shown.content.decode()

    assert before == (403, False)
    assert shown.status_code == 200
    assert "S-001" in body
    assert f"{root}results/" in client.get(root, follow=True).content.decode()
    assert not [one for one in committee.people.values() if one.full_name in body]
    assert client.get(f"{root}results/?step=reading").status_code == 403
    assert client.post(f"{root}results/csv", {"step": FINAL}).status_code == 403
    assert "Download" not in body


def test_a_refused_request_leaves_the_final_results_closed(committee: Committee, monitor: Person) -> None:
    sponsor = committee.world.join("Sponsor viewer")
    unblind(committee.world, monitor, None, approve=False)

    answer = client_of(sponsor).get(f"/projects/{committee.world.space_id}/results/")

    assert answer.status_code == 403


@pytest.mark.parametrize("role", ["Reader", "Adjudicator", "Data manager", "Site user", "Viewer", "Monitor"])
def test_open_final_results_are_still_closed_to_everybody_else(
    committee: Committee, monitor: Person, role: str
) -> None:
    person = committee.world.join(role)
    unblind(committee.world, monitor, None)

    with acting_as(person.principal, [committee.world.space_id]), pytest.raises(Refused):
        results.view_results(actor=committee.world.actor(person), step=FINAL)


def test_the_leak_check_takes_what_is_unblinded_for_allowed_and_no_more(
    committee: Committee, monitor: Person
) -> None:
    first, second = committee.visit("baseline")
    sponsor = committee.world.join("Sponsor viewer")
    before = facts(committee.world)
    unblind(committee.world, monitor, first)
    unblind(committee.world, monitor, None)

    after = facts(committee.world)

    def kept(found: Facts, person: Person) -> set[str]:
        member = next(one for one in found.members if one.principal == person.principal)
        return {needle.value for needle in found.kept_from(member, found.tasks_of(member))}

    unblinded, blinded = (committee.people[committee.who(task)] for task in (first, second))
    assert all("S-001" in kept(before, one) for one in (unblinded, blinded, sponsor))
    assert ["S-001" in kept(after, one) for one in (unblinded, blinded, sponsor)] == [False, True, False]
    assert {task.label for task in after.tasks if task.id == first.id} == {"S-001"}
    assert {task.label for task in after.tasks if task.id == second.id} == {second.label}


def test_a_task_is_asked_for_on_its_page_and_decided_in_the_list(
    committee: Committee, monitor: Person, world: World
) -> None:
    first, _ = committee.visit("baseline")
    asking, deciding = client_of(monitor), client_of(world.administrator)
    task_page = f"/projects/{world.space_id}/tasks/{first.id}/"
    before = asking.get(task_page).content.decode()
    asked = asking.post(page_of(world), {"act": "ask-task", "id": first.id, "reason": "An adverse event."})
    listed = deciding.get(page_of(world)).content.decode()
    found = re.search(r'data-dialog="decide-([0-9a-f-]{36})"', listed)
    assert found

    decided = deciding.post(
        page_of(world),
        {"act": "approve", "id": found[1], "reason": "Agreed.", "password": PASSWORD},
        follow=True,
    )

    assert 'data-dialog="ask-unblinding"' in before
    assert asked.status_code == 302
    assert "An adverse event." in listed
    assert "Approved and signed." in decided.content.decode()
    assert "Unblinded" in asking.get(task_page).content.decode()
    assert "approved the unblinding" in asking.get(task_page).content.decode()


def test_who_asked_is_offered_to_withdraw_and_not_to_decide(committee: Committee, world: World) -> None:
    first, _ = committee.visit("baseline")
    client = client_of(world.administrator)
    client.post(page_of(world), {"act": "ask-task", "id": first.id, "reason": "An adverse event."})
    body = client.get(page_of(world)).content.decode()
    found = re.search(r'data-dialog="withdraw-([0-9a-f-]{36})"', body)
    assert found

    refused = client.post(
        page_of(world), {"act": "approve", "id": found[1], "reason": "Mine.", "password": PASSWORD}
    )

    assert "decide-" not in body
    assert refused.status_code == 422
    assert "Somebody else who may decide" in refused.content.decode()


def test_the_only_administrator_is_told_that_nobody_can_decide(committee: Committee, world: World) -> None:
    first, _ = committee.visit("baseline")
    client = client_of(world.administrator)
    client.post(page_of(world), {"act": "ask-task", "id": first.id, "reason": "An adverse event."})
    alone = client.get(page_of(world)).content.decode()
    world.join("Administrator")

    both = client.get(page_of(world)).content.decode()

    assert "Nobody else may decide yet" in alone
    assert "Nobody else may decide yet" not in both


def test_a_wrong_password_is_said_and_what_was_typed_as_reason_stays(
    committee: Committee, monitor: Person, world: World
) -> None:
    first, _ = committee.visit("baseline")
    client_of(monitor).post(page_of(world), {"act": "ask-task", "id": first.id, "reason": "Safety."})
    client = client_of(world.administrator)
    found = re.search(r"decide-([0-9a-f-]{36})", client.get(page_of(world)).content.decode())
    assert found

    refused = client.post(
        page_of(world), {"act": "approve", "id": found[1], "reason": "Typed words.", "password": "wrong"}
    )

    assert refused.status_code == 422
    assert "Typed words." in refused.content.decode()


def test_nobody_but_who_asks_or_decides_sees_the_list(
    committee: Committee, monitor: Person, world: World
) -> None:
    first, _ = committee.visit("baseline")
    stranger = new_world("Elsewhere").administrator
    reader = committee.people[committee.who(first)]

    found = [client_of(one).get(page_of(world)).status_code for one in (monitor, reader, stranger)]

    assert found == [200, 403, 404]


def test_an_unblinded_page_names_no_uid_of_the_archive(
    committee: Committee, monitor: Person, world: World
) -> None:
    first, _ = committee.visit("baseline")
    unblind(world, monitor, first)
    opened = client_of(committee.people[committee.who(first)]).get(f"/tasks/{first.id}/read").content.decode()

    with acting_as(world.administrator.principal, [world.space_id]):
        uids = {exam.study_uid for exam in archive.exams(world.actor())}

    assert not [uid for uid in uids if uid in opened]
