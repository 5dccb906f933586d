"""Who is not given a task for what they gave back, read, settled, know or declared about the same subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collegium.kit.database import acting_as
from collegium.notifications.models import Notification, NotificationKind
from collegium.research.pipeline import making, queries, services
from collegium.research.pipeline.errors import ConflictOfInterest
from collegium.research.projects import queries as projects
from collegium.trust.tenancy import services as tenancy
from collegium.trust.tenancy.queries import members
from collegium_testkit.committee import TEXT, Committee

if TYPE_CHECKING:
    from collegium.research.pipeline.models import Task
    from collegium_testkit.world import Person, World

ALONE = TEXT.replace("    timepoints: locked\n", "").replace("    timepoints: beside\n", "")


def gathered(world: World, text: str = TEXT, *, readers: int = 3, adjudicators: int = 1) -> Committee:
    committee = Committee(world)
    committee.gather(text, readers=readers, adjudicators=adjudicators)
    return committee


def hand_back(committee: Committee, task: Task, by: Person | None = None) -> None:
    person = by or committee.people[committee.who(task)]
    with acting_as(person.principal, [committee.world.space_id]):
        services.hand_back(actor=committee.world.actor(person), task_id=task.id, reason="Recognised her.")


def change_role(committee: Committee, name: str, role: str) -> None:
    world, person = committee.world, committee.people[name]
    with acting_as(world.administrator.principal, [world.space_id]):
        actor = world.actor()
        (found,) = [one for one in members(actor) if one.principal == person.principal]
        tenancy.change_role(actor=actor, membership_id=found.id, role=role, reason="New work.")


def rerun(committee: Committee, task: Task) -> Task:
    world = committee.world
    with acting_as(world.administrator.principal, [world.space_id]):
        return services.rerun_step(actor=world.actor(), task_id=task.id, reason="Again.")


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
            person=person.principal.id, kind=NotificationKind.TASK_WITHOUT_PERSON
        )
        return [row.address for row in rows]


@pytest.mark.requirement("R21", "R31")
def test_who_handed_a_task_back_is_not_drawn_for_the_other_slot(world: World) -> None:
    committee = gathered(world)
    first, second = committee.until_reading()

    hand_back(committee, first)
    hand_back(committee, second)

    assert first.assignee not in {task.assignee for task in live(committee)}


@pytest.mark.requirement("R21")
def test_who_handed_a_task_back_is_not_drawn_for_it_again(world: World) -> None:
    committee = gathered(world)
    first, _ = committee.until_reading()
    hand_back(committee, first)
    (fresh,) = [task for task in live(committee) if task.slot == first.slot]

    hand_back(committee, fresh)

    (waiting,) = [task for task in live(committee) if task.slot == first.slot]
    assert (waiting.assignee, waiting.state) == ("", "open")


@pytest.mark.requirement("R21", "R31")
def test_who_handed_one_visit_back_reads_no_other_slot_of_the_subject_where_visits_stand_beside(
    world: World,
) -> None:
    committee = gathered(world, readers=4)
    first, second = committee.until_reading()
    hand_back(committee, first)
    committee.arrive(study_date="20240301")
    later = [task for task in live(committee) if task.unit_id != first.unit_id]

    for task in later:
        hand_back(committee, task)

    assert first.assignee not in {task.assignee for task in live(committee)}
    assert second.assignee in {task.assignee for task in later}


@pytest.mark.requirement("R21")
def test_where_visits_are_read_alone_another_visit_is_drawn_anew(world: World) -> None:
    committee = gathered(world, ALONE, readers=2)
    first, _ = committee.until_reading()
    hand_back(committee, first)

    later = committee.until_reading(study_date="20240301")

    assert first.assignee in {task.assignee for task in later}


def test_nobody_left_leaves_the_task_waiting_and_tells_those_who_manage_tasks(world: World) -> None:
    committee = gathered(world, readers=2)
    first, _ = committee.until_reading()
    second_administrator = world.join("Administrator")

    hand_back(committee, first)

    (waiting,) = [task for task in live(committee) if task.slot == first.slot]
    assert waiting.assignee == ""
    address = f"/projects/{world.space_id}/tasks/"
    assert told(world.administrator) == told(second_administrator) == [address]
    assert told(committee.people["qc"]) == told(committee.people[committee.who(first)]) == []


def test_a_task_that_somebody_gets_tells_no_administrator(world: World) -> None:
    committee = gathered(world)
    first, _ = committee.until_reading()

    hand_back(committee, first)

    assert told(world.administrator) == []


def test_a_manager_may_give_a_task_to_who_handed_it_back(world: World) -> None:
    committee = gathered(world, readers=2)
    first, _ = committee.until_reading()
    hand_back(committee, first)
    (waiting,) = [task for task in live(committee) if task.slot == first.slot]
    reader = committee.people[committee.who(first)]

    with acting_as(world.administrator.principal, [world.space_id]):
        services.reassign_task(
            actor=world.actor(), task_id=waiting.id, to=reader.principal, reason="She was ill; she is back."
        )

    assert [task.assignee for task in live(committee) if task.slot == first.slot] == [first.assignee]


def test_who_lost_tasks_with_their_role_is_drawn_again_when_they_return(world: World) -> None:
    committee = gathered(world, readers=2)
    first, _ = committee.until_reading()
    name = committee.who(first)
    change_role(committee, name, "Viewer")
    hand_back(committee, first, by=world.administrator)
    change_role(committee, name, "Reader")

    with acting_as(world.administrator.principal, [world.space_id]):
        services.assign_missing_tasks(actor=world.actor())

    assert [task.assignee for task in live(committee) if task.slot == first.slot] == [first.assignee]


@pytest.mark.requirement("R21")
@pytest.mark.parametrize("text", [TEXT, ALONE])
def test_a_former_adjudicator_is_never_drawn_as_a_reader_of_the_same(world: World, text: str) -> None:
    committee = gathered(world, text, readers=2)
    first, second = committee.until_reading()
    committee.do(first, response="PR")
    committee.do(second, response="PD")
    committee.do(committee.tasks("adjudicator1")[0], chosen="a")
    change_role(committee, committee.who(first), "Viewer")
    change_role(committee, "adjudicator1", "Reader")

    fresh = rerun(committee, first)

    assert fresh.assignee == ""
    assert allowed(committee, first, "reading") == {committee.who(second)}


@pytest.mark.requirement("R21")
def test_a_former_adjudicator_is_not_given_a_read_of_the_same_by_a_manager(world: World) -> None:
    committee = gathered(world, readers=2)
    first, second = committee.until_reading()
    committee.do(first, response="PR")
    committee.do(second, response="PD")
    adjudicator = committee.people["adjudicator1"]
    change_role(committee, "adjudicator1", "Reader")
    fresh = rerun(committee, first)

    with acting_as(world.administrator.principal, [world.space_id]), pytest.raises(ConflictOfInterest):
        services.reassign_task(
            actor=world.actor(), task_id=fresh.id, to=adjudicator.principal, reason="Holiday."
        )


@pytest.mark.requirement("R21")
def test_a_former_reader_is_never_drawn_as_adjudicator_whatever_became_of_the_read(world: World) -> None:
    committee = gathered(world, readers=3, adjudicators=0)
    first, second = committee.until_reading()
    hand_back(committee, first)
    (fresh,) = [task for task in live(committee) if task.slot == first.slot]
    change_role(committee, committee.who(first), "Adjudicator")
    committee.do(fresh, response="PR")

    committee.do(second, response="PD")

    (adjudication,) = committee.tasks(step="adjudication")
    assert (adjudication.assignee, adjudication.state) == ("", "open")
    assert len(told(world.administrator)) == 1


@pytest.mark.requirement("R21")
def test_a_reader_of_one_visit_does_not_settle_another_visit_of_the_subject(world: World) -> None:
    committee = gathered(world, readers=3)
    committee.until_reading()
    (first, *_) = committee.tasks(step="reading")
    name = committee.who(first)
    change_role(committee, name, "Adjudicator")
    committee.arrive(study_date="20240301")
    week8 = next(task for task in committee.tasks(step="reading") if task.unit_id != first.unit_id)

    assert name not in allowed(committee, week8, "adjudication")
