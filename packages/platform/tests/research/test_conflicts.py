"""Who is not given a task for what they gave back, read, settled, know or declared about the same subject."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.test import Client
from django.urls import reverse

from collegium.imaging.grants.queries import live_grants
from collegium.kit.database import acting_as
from collegium.notifications.models import Notification, NotificationKind
from collegium.research.pipeline import leaving, making, queries, services
from collegium.research.pipeline.errors import ConflictOfInterest
from collegium.research.pipeline.models import Sequence
from collegium.research.projects import queries as projects
from collegium.research.projects.people.services import declare_conflict
from collegium.research.reads import services as reads
from collegium.trust.tenancy import services as tenancy
from collegium.trust.tenancy.queries import members
from collegium_testkit.committee import TEXT, Committee, being_read
from collegium_testkit.world import PASSWORD

if TYPE_CHECKING:
    from collegium.research.pipeline.models import Task
    from collegium_testkit.beginnings import Beginnings
    from collegium_testkit.world import Person

ALONE = TEXT.replace("    timepoints: locked\n", "").replace("    timepoints: beside\n", "")


def change_role(committee: Committee, name: str, role: str) -> None:
    world, person = committee.world, committee.people[name]
    with acting_as(world.administrator.principal, [world.space_id]):
        actor = world.actor()
        (found,) = [one for one in members(actor) if one.principal == person.principal]
        tenancy.change_role(actor=actor, membership_id=found.id, role=role, reason="New work.")


def live(committee: Committee, step: str = "reading") -> list[Task]:
    ended = {"cancelled", "superseded"}
    return [task for task in committee.tasks(step=step) if task.state not in ended]


def allowed(committee: Committee, task: Task, step: str) -> set[str]:
    """The short names of those who may have a task of a step about what `task` is about."""
    world = committee.world
    with acting_as(world.administrator.principal, [world.space_id]):
        actor = world.actor()
        unit = queries.task(actor, task.id).unit
        asked = projects.definition(unit.project_version).step(step)
        found = making.allowed(actor, unit, asked)
    return {name for name, person in committee.people.items() if person.principal.text in found}


def told(person: Person) -> list[str]:
    with acting_as(person.principal):
        rows = Notification.objects.filter(
            person=person.principal.id, kind=NotificationKind.TASK_WITHOUT_PERSON, done_at=None
        )
        return [row.address for row in rows]


@pytest.mark.requirement("R21", "R31")
def test_who_handed_a_task_back_is_not_drawn_for_the_other_slot(beginnings: Beginnings) -> None:
    committee, (first, second) = beginnings.begin(being_read, readers=3)

    committee.hand_back(first)
    committee.hand_back(second)

    assert first.assignee not in {task.assignee for task in live(committee)}


@pytest.mark.requirement("R21")
def test_who_handed_a_task_back_is_not_drawn_for_it_again(beginnings: Beginnings) -> None:
    committee, (first, _) = beginnings.begin(being_read, readers=3)
    committee.hand_back(first)
    (fresh,) = [task for task in live(committee) if task.slot == first.slot]

    committee.hand_back(fresh)

    (waiting,) = [task for task in live(committee) if task.slot == first.slot]
    assert (waiting.assignee, waiting.state) == ("", "open")


@pytest.mark.requirement("R21", "R31")
def test_who_handed_one_visit_back_reads_no_other_slot_of_the_subject_where_visits_stand_beside(
    beginnings: Beginnings,
) -> None:
    committee, (first, second) = beginnings.begin(being_read, readers=4)
    committee.hand_back(first)
    committee.arrive(study_date="20240301")
    later = [task for task in live(committee) if task.unit_id != first.unit_id]

    for task in later:
        committee.hand_back(task)

    assert first.assignee not in {task.assignee for task in live(committee)}
    assert second.assignee in {task.assignee for task in later}


@pytest.mark.requirement("R21")
def test_where_visits_are_read_alone_another_visit_is_drawn_anew(beginnings: Beginnings) -> None:
    committee, (first, _) = beginnings.begin(being_read, ALONE, readers=2)
    committee.hand_back(first)

    later = committee.until_reading(study_date="20240301")

    assert first.assignee in {task.assignee for task in later}


def test_nobody_left_leaves_the_task_waiting_and_tells_those_who_manage_tasks(beginnings: Beginnings) -> None:
    committee, (first, _) = beginnings.begin(being_read, readers=2)
    second_administrator = committee.world.join("Administrator")

    committee.hand_back(first)

    (waiting,) = [task for task in live(committee) if task.slot == first.slot]
    assert waiting.assignee == ""
    address = f"/projects/{committee.world.space_id}/tasks/"
    assert told(committee.world.administrator) == told(second_administrator) == [address]
    assert told(committee.people["qc"]) == told(committee.people[committee.who(first)]) == []


def test_a_task_that_somebody_gets_tells_no_administrator(beginnings: Beginnings) -> None:
    committee, (first, _) = beginnings.begin(being_read, readers=3)

    committee.hand_back(first)

    assert told(committee.world.administrator) == []


def test_a_manager_may_give_a_task_to_who_handed_it_back(beginnings: Beginnings) -> None:
    committee, (first, _) = beginnings.begin(being_read, readers=2)
    committee.hand_back(first)
    (waiting,) = [task for task in live(committee) if task.slot == first.slot]
    reader = committee.people[committee.who(first)]

    with acting_as(committee.world.administrator.principal, [committee.world.space_id]):
        services.reassign_task(
            actor=committee.world.actor(),
            task_id=waiting.id,
            to=reader.principal,
            reason="She was ill; she is back.",
        )

    assert [task.assignee for task in live(committee) if task.slot == first.slot] == [first.assignee]
    assert told(committee.world.administrator) == []


def test_who_lost_tasks_with_their_role_is_drawn_again_when_they_return(beginnings: Beginnings) -> None:
    committee, (first, _) = beginnings.begin(being_read, readers=2)
    name = committee.who(first)
    change_role(committee, name, "Viewer")
    committee.hand_back(first, "")
    change_role(committee, name, "Reader")

    with acting_as(committee.world.administrator.principal, [committee.world.space_id]):
        services.assign_missing_tasks(actor=committee.world.actor())

    assert [task.assignee for task in live(committee) if task.slot == first.slot] == [first.assignee]


@pytest.mark.requirement("R21")
@pytest.mark.parametrize("text", [TEXT, ALONE])
def test_a_former_adjudicator_is_never_drawn_as_a_reader_of_the_same(
    beginnings: Beginnings, text: str
) -> None:
    committee, (first, second) = beginnings.begin(being_read, text, readers=2)
    committee.do(first, response="PR")
    committee.do(second, response="PD")
    committee.do(committee.tasks("adjudicator1")[0], chosen="a")
    change_role(committee, committee.who(first), "Viewer")
    change_role(committee, "adjudicator1", "Reader")

    fresh = committee.run_again(first)

    assert fresh.assignee == ""
    assert allowed(committee, first, "reading") == {committee.who(second)}


@pytest.mark.requirement("R21")
def test_a_former_adjudicator_is_not_given_a_read_of_the_same_by_a_manager(beginnings: Beginnings) -> None:
    committee, (first, second) = beginnings.begin(being_read, readers=2)
    committee.do(first, response="PR")
    committee.do(second, response="PD")
    adjudicator = committee.people["adjudicator1"]
    change_role(committee, "adjudicator1", "Reader")
    fresh = committee.run_again(first)

    with (
        acting_as(committee.world.administrator.principal, [committee.world.space_id]),
        pytest.raises(ConflictOfInterest),
    ):
        services.reassign_task(
            actor=committee.world.actor(), task_id=fresh.id, to=adjudicator.principal, reason="Holiday."
        )


@pytest.mark.requirement("R21")
def test_a_former_reader_is_never_drawn_as_adjudicator_whatever_became_of_the_read(
    beginnings: Beginnings,
) -> None:
    committee, (first, second) = beginnings.begin(being_read, readers=3, adjudicators=0)
    committee.hand_back(first)
    (fresh,) = [task for task in live(committee) if task.slot == first.slot]
    change_role(committee, committee.who(first), "Adjudicator")
    committee.do(fresh, response="PR")

    committee.do(second, response="PD")

    (adjudication,) = committee.tasks(step="adjudication")
    assert (adjudication.assignee, adjudication.state) == ("", "open")
    assert len(told(committee.world.administrator)) == 1


@pytest.mark.requirement("R21")
def test_a_reader_of_one_visit_does_not_settle_another_visit_of_the_subject(beginnings: Beginnings) -> None:
    committee, _ = beginnings.begin(being_read, readers=3)
    (first, *_) = committee.tasks(step="reading")
    name = committee.who(first)
    change_role(committee, name, "Adjudicator")
    committee.arrive(study_date="20240301")
    week8 = next(task for task in committee.tasks(step="reading") if task.unit_id != first.unit_id)

    assert name not in allowed(committee, week8, "adjudication")


def declare(committee: Committee, task: Task) -> None:
    """The task's reader says on its page that they know the subject."""
    browser = signed_in(committee.people[committee.who(task)])
    answer = browser.post(reverse("task-conflict", args=[task.id]), {"reason": "My neighbour."})
    assert answer.status_code == 302


def signed_in(person: Person) -> Client:
    browser = Client()
    assert browser.login(email=person.email, password=PASSWORD)
    return browser


def in_list(committee: Committee, name: str) -> dict[str, str]:
    """Subject code by label of the tasks that a reader has to do."""
    states = {"open", "in_progress", "submitted"}
    return {
        task.label: task.unit.subject.code
        for task in committee.tasks(name, "reading")
        if task.state in states
    }


@pytest.mark.requirement("R21", "R42")
def test_a_declared_conflict_leaves_no_label_by_which_others_could_be_told(beginnings: Beginnings) -> None:
    committee, (first, _) = beginnings.begin(being_read, ALONE, readers=3)
    committee.until_reading(study_date="20240301")
    committee.until_reading("S-002")
    committee.until_reading("S-003")
    name = committee.who(first)
    before = in_list(committee, name)

    declare(committee, first)

    after = in_list(committee, name)
    assert "S-001" not in after.values()
    assert sorted(after.values()) == sorted(code for code in before.values() if code != "S-001")
    assert before.keys().isdisjoint(after.keys())


@pytest.mark.requirement("R21", "R42")
def test_after_a_declared_conflict_every_address_of_before_answers_alike(beginnings: Beginnings) -> None:
    committee, (first, second) = beginnings.begin(being_read, ALONE, readers=2)
    committee.until_reading(study_date="20240301")
    committee.until_reading("S-002")
    name = committee.who(first)
    before = [task for task in committee.tasks(name, "reading") if task.state == "open"]
    browser = signed_in(committee.people[name])

    declare(committee, first)
    browser.get("/tasks/?state=cancelled")

    pages = [browser.get(reverse("task-read", args=[task.id])) for task in before]
    saves = [
        browser.post(
            reverse("task-correct", args=[task.id]), {"reason": "x"}, content_type="application/json"
        )
        for task in before
    ]
    others = browser.get(reverse("task-read", args=[second.id]))
    assert len(before) == 3
    assert {page.status_code for page in [*pages, *saves]} == {404}
    said = {_said(page.content.decode()) for page in [*pages, others]}
    assert len(said) == 1
    assert not any(task.label in browser.get("/tasks/?state=cancelled").content.decode() for task in before)


def _said(page: str) -> str:
    """The words of a page's main part, without the number under which it is found in the log."""
    main = page[page.index("<main") : page.index("</main>")]
    return re.sub(r"<[^>]*>|\b[0-9a-f]{8}\b", "", main)


@pytest.mark.requirement("R21")
def test_what_is_dealt_anew_keeps_its_person_and_is_open_as_before(beginnings: Beginnings) -> None:
    committee, (first, _) = beginnings.begin(being_read, ALONE, readers=2)
    committee.until_reading("S-002")
    name = committee.who(first)

    declare(committee, first)

    (fresh,) = [task for task in committee.tasks(name, "reading") if task.state == "open"]
    (old,) = [
        task
        for task in committee.tasks(name, "reading")
        if task.state == "cancelled" and task.unit_id == fresh.unit_id
    ]
    assert (fresh.run, fresh.slot) == (2, old.slot)
    assert old.note == leaving.DEALT
    committee.do(fresh, response="SD")


@pytest.mark.requirement("R21", "R28")
def test_what_was_decided_about_a_late_visit_holds_for_what_is_dealt_anew(beginnings: Beginnings) -> None:
    committee, (first, _) = beginnings.begin(being_read, ALONE, readers=2)
    committee.until_reading("S-002")
    name = committee.who(first)
    with acting_as(committee.world.administrator.principal, [committee.world.space_id]):
        rows = queries.tasks(committee.world.actor()).filter(unit__subject__code="S-002", step="reading")
        rows.update(sequence=Sequence.OUT)

    declare(committee, first)

    (fresh,) = [task for task in committee.tasks(name, "reading") if task.state == "open"]
    assert fresh.sequence == Sequence.OUT


@pytest.mark.requirement("R21")
def test_what_was_begun_of_other_subjects_stays_as_it_is(beginnings: Beginnings) -> None:
    committee, (first, _) = beginnings.begin(being_read, ALONE, readers=2)
    committee.until_reading("S-002")
    name = committee.who(first)
    (other,) = [task for task in committee.tasks(name, "reading") if task.unit.subject.code == "S-002"]
    person = committee.people[name]
    with acting_as(person.principal, [committee.world.space_id]):
        reads.open_task(actor=committee.world.actor(person), task_id=other.id)

    declare(committee, first)

    assert in_list(committee, name) == {other.label: "S-002"}


@pytest.mark.requirement("R21")
def test_a_signed_read_of_a_declared_subject_shows_its_images_no_more(beginnings: Beginnings) -> None:
    committee, (first, _) = beginnings.begin(being_read, ALONE, readers=3)
    committee.do(first, response="SD")
    name = committee.who(first)
    person = committee.people[name]
    with acting_as(person.principal, [committee.world.space_id]):
        grant = reads.open_task(actor=committee.world.actor(person), task_id=first.id).grant
    assert grant

    with acting_as(committee.world.administrator.principal, [committee.world.space_id]):
        actor = committee.world.actor()
        declare_conflict(
            actor=actor, principal=person.principal, subject_id=first.unit.subject_id, reason="A friend."
        )
        leaving.take_barred(actor=actor, principal=person.principal, reason="A friend.")

    with acting_as(person.principal, [committee.world.space_id]):
        assert live_grants(committee.world.actor(person), owner=grant.owner, principal=person.principal) == []


@pytest.mark.requirement("R21")
def test_somebody_who_joins_a_site_loses_its_subjects_at_once_and_learns_no_label(
    beginnings: Beginnings,
) -> None:
    committee, (first, _) = beginnings.begin(being_read, ALONE, readers=3)
    committee.arrive("S-900", site="02")
    name = committee.who(first)
    before = in_list(committee, name)
    with acting_as(committee.world.administrator.principal, [committee.world.space_id]):
        actor = committee.world.actor()
        (member,) = [one for one in members(actor) if one.principal == committee.people[name].principal]
        (site,) = [one for one in projects.sites(actor) if one.code == "01"]

    signed_in(committee.world.administrator).post(
        reverse("person", args=[committee.world.space_id, member.id]), {"act": "join", "id": str(site.id)}
    )

    after = in_list(committee, name)
    assert "S-001" not in after.values()
    assert before.keys().isdisjoint(after.keys())
