"""Who was unblinded in one task of a subject knows the subject: what they are given of it, and what results say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from collegium.kit.database import acting_as
from collegium.notifications.models import Notification, NotificationKind
from collegium.research.pipeline import leaving, services, sight
from collegium.research.pipeline.errors import ConflictOfInterest
from collegium.research.reads import services as reads
from collegium.research.results import services as results
from collegium_testkit.committee import TEXT, Committee, being_read
from collegium_testkit.world import PASSWORD

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from collegium.research.pipeline.models import Task
    from collegium.research.results.rows import ResultRow
    from collegium_testkit.beginnings import Beginnings
    from collegium_testkit.world import Person

pytestmark = pytest.mark.requirement("R44")

ALONE = TEXT.replace("    timepoints: locked\n", "").replace("    timepoints: beside\n", "")


def unblind(committee: Committee, task: Task, *, approve: bool = True) -> None:
    """A monitor asks, the administrator approves or refuses."""
    world, monitor = committee.world, committee.world.join("Monitor")
    with acting_as(monitor.principal, [world.space_id]):
        asked = sight.ask_for_task(actor=world.actor(monitor), task_id=task.id, reason="Safety.")
    with acting_as(world.administrator.principal, [world.space_id]):
        sight.decide(
            actor=world.actor(), request_id=asked.id, approve=approve, reason="Agreed.", password=PASSWORD
        )


def begin(committee: Committee, task: Task) -> None:
    person = committee.people[committee.who(task)]
    with acting_as(person.principal, [committee.world.space_id]):
        reads.open_task(actor=committee.world.actor(person), task_id=task.id)


def live(committee: Committee, *, of: str = "S-001") -> list[Task]:
    ended = {"cancelled", "superseded"}
    found = committee.tasks(step="reading")
    return [task for task in found if task.state not in ended and task.unit.subject.code == of]


def of_reader(tasks: list[Task], first: Task) -> Task:
    """The one task among these that the reader of another visit has."""
    (found,) = [one for one in tasks if one.assignee == first.assignee and one.unit_id != first.unit_id]
    return found


def row_of(committee: Committee, task: Task) -> ResultRow:
    world = committee.world
    with acting_as(world.administrator.principal, [world.space_id]):
        table = results.view_results(actor=world.actor(), step=task.step)
    (found,) = [row for row in table.rows if row.task_id == task.id]
    return found


def page_of(committee: Committee, task: Task, person: Person) -> str:
    browser = Client()
    assert browser.login(email=person.email, password=PASSWORD)
    return browser.get(reverse("project-task", args=[committee.world.space_id, task.id])).content.decode()


def test_another_run_goes_to_somebody_who_does_not_know_the_subject(beginnings: Beginnings) -> None:
    committee, (first, second) = beginnings.begin(being_read, readers=3)
    unblind(committee, first)
    committee.do(first, response="SD")

    fresh = committee.run_again(first)

    assert fresh.assignee not in {"", first.assignee, second.assignee}


def test_another_run_waits_where_everybody_else_reads_already(beginnings: Beginnings) -> None:
    committee, (first, _) = beginnings.begin(being_read, readers=2)
    unblind(committee, first)
    committee.do(first, response="SD")

    fresh = committee.run_again(first)

    assert fresh.assignee == ""


@pytest.mark.parametrize("text", [TEXT, ALONE])
def test_a_later_visit_goes_to_somebody_who_does_not_know_the_subject(
    beginnings: Beginnings, text: str
) -> None:
    committee, (first, _) = beginnings.begin(being_read, text, readers=3)
    unblind(committee, first)
    committee.do(first, response="SD")

    committee.arrive(study_date="20240301")

    later = [task for task in live(committee) if task.unit_id != first.unit_id]
    assert len(later) == 2
    assert first.assignee not in {task.assignee for task in later}


def test_what_they_had_not_begun_leaves_them_with_the_approval(beginnings: Beginnings) -> None:
    committee, (first, _) = beginnings.begin(being_read, ALONE, readers=3)
    unblinded_in = committee.who(first)
    committee.until_reading(study_date="20240301")
    before = [task for task in live(committee) if task.assignee == first.assignee]

    unblind(committee, first)

    after = [task for task in live(committee) if task.assignee == first.assignee]
    assert first.id in {task.id for task in before}
    assert [task.id for task in after] == [first.id]
    assert all(
        task.note in {leaving.KNOWS, ""} for task in committee.tasks(unblinded_in) if task.id != first.id
    )


def test_no_label_that_leaves_tells_what_belonged_together(beginnings: Beginnings) -> None:
    committee, (first, _) = beginnings.begin(being_read, ALONE, readers=2)
    committee.until_reading(study_date="20240301")
    committee.until_reading("S-002")
    name = committee.who(first)
    before = {task.label for task in committee.tasks(name, "reading") if task.state == "open"}

    unblind(committee, first)

    after = [task for task in committee.tasks(name, "reading") if task.state == "open"]
    assert {task.unit.subject.code for task in after} == {"S-001", "S-002"}
    assert {task.label for task in after if task.id != first.id}.isdisjoint(before)


def test_a_refused_request_takes_nothing_from_anybody(beginnings: Beginnings) -> None:
    committee, (first, _) = beginnings.begin(being_read, ALONE, readers=3)
    committee.until_reading(study_date="20240301")
    before = [(task.id, task.assignee) for task in live(committee)]

    unblind(committee, first, approve=False)

    assert [(task.id, task.assignee) for task in live(committee)] == before


def test_a_read_in_progress_stays_theirs_and_its_result_says_that_they_knew(beginnings: Beginnings) -> None:
    committee, (first, _) = beginnings.begin(being_read, ALONE, readers=2)
    later = committee.until_reading(study_date="20240301")
    begun = of_reader(later, first)
    begin(committee, begun)

    unblind(committee, first)
    committee.do(begun, response="SD")

    row = row_of(committee, begun)
    assert row.unblinded_at is not None
    assert row.was_signed_unblinded


def test_a_read_that_was_signed_blind_says_that_the_blinding_ended_later(beginnings: Beginnings) -> None:
    committee, (first, _) = beginnings.begin(being_read, ALONE, readers=2)
    committee.do(first, response="SD")
    later = committee.until_reading(study_date="20240301")
    other = of_reader(later, first)

    unblind(committee, other)

    row = row_of(committee, first)
    assert row.unblinded_at is not None
    assert not row.was_signed_unblinded


def test_the_other_reader_of_the_subject_stays_blinded_in_results(beginnings: Beginnings) -> None:
    committee, (first, second) = beginnings.begin(being_read, readers=3)
    unblind(committee, first)

    committee.do(second, response="SD")

    assert row_of(committee, second).unblinded_at is None


def test_the_page_of_their_other_tasks_says_since_when_to_those_who_may_know(beginnings: Beginnings) -> None:
    committee, (first, _) = beginnings.begin(being_read, ALONE, readers=2)
    later = committee.until_reading(study_date="20240301")
    begun = of_reader(later, first)
    begin(committee, begun)
    unblind(committee, first)
    editor = committee.world.join("Editor")

    told = page_of(committee, begun, committee.world.administrator)
    untold = page_of(committee, begun, editor)

    assert "Was unblinded for this subject on 20" in told
    assert "nblinded" not in untold


def test_nothing_tells_the_reader_which_other_task_is_of_the_subject(beginnings: Beginnings) -> None:
    committee, (first, _) = beginnings.begin(being_read, ALONE, readers=2)
    later = committee.until_reading(study_date="20240301")
    begun = of_reader(later, first)
    begin(committee, begun)
    unblind(committee, first)
    browser = Client()
    assert browser.login(email=committee.people[committee.who(first)].email, password=PASSWORD)

    page = browser.get(reverse("task-read", args=[begun.id])).content.decode()

    assert "Unblinded" not in page
    assert "S-001" not in page


def test_a_manager_cannot_give_them_another_read_of_the_subject(beginnings: Beginnings) -> None:
    committee, (first, second) = beginnings.begin(being_read, ALONE, readers=2)
    unblind(committee, first)
    committee.do(first, response="SD")
    committee.arrive(study_date="20240301")
    (waiting,) = [task for task in live(committee) if task.assignee == ""]
    reader = committee.people[committee.who(first)]

    with (
        acting_as(committee.world.administrator.principal, [committee.world.space_id]),
        pytest.raises(ConflictOfInterest),
    ):
        services.reassign_task(
            actor=committee.world.actor(), task_id=waiting.id, to=reader.principal, reason="Nobody else."
        )

    assert second.assignee in {task.assignee for task in live(committee)}
    with acting_as(committee.world.administrator.principal):
        rows = Notification.objects.filter(
            person=committee.world.administrator.principal.id, kind=NotificationKind.TASK_WITHOUT_PERSON
        )
        assert rows.count() == 1


def test_they_go_on_with_the_task_that_was_unblinded(beginnings: Beginnings) -> None:
    committee, (first, _) = beginnings.begin(being_read, readers=3)
    begin(committee, first)

    unblind(committee, first)
    committee.do(first, response="PD")

    assert row_of(committee, first).was_signed_unblinded


def test_reads_of_other_subjects_stay_blinded(beginnings: Beginnings) -> None:
    committee, (first, _) = beginnings.begin(being_read, readers=2)
    unblind(committee, first)
    other = of_reader(committee.until_reading("S-002"), first)

    committee.do(other, response="SD")

    assert row_of(committee, other).unblinded_at is None


def test_an_approval_locks_all_subjects_in_the_order_in_which_everybody_does(beginnings: Beginnings) -> None:
    committee, _ = beginnings.begin(being_read, readers=2)
    asked_about = committee.until_reading("S-002")[0]
    codes = {str(task.unit.subject_id): task.unit.subject.code for task in committee.tasks()}
    locked: list[str] = []

    def watch(execute: Callable[..., object], sql: str, params: Iterable[object], *rest: object) -> object:
        if 'FROM "research_projects_subject"' in sql and "FOR UPDATE" in sql:
            locked.extend(codes[str(one)] for one in params if str(one) in codes)
        return execute(sql, params, *rest)

    with connection.execute_wrapper(watch):
        unblind(committee, asked_about)

    assert list(dict.fromkeys(locked)) == ["S-001", "S-002"]
