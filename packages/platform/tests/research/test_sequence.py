"""The sequence of visits, and what a change of one takes along: rule by rule."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TYPE_CHECKING

import pytest
from django.db import connection, connections

from collegium.forms import queries as forms
from collegium.kit.errors import CollegiumError
from collegium.research.pipeline import ordering, services
from collegium.research.pipeline.errors import (
    CannotHaveTask,
    DecisionNotNeeded,
    TaskNotOpen,
)
from collegium.research.reads import services as reads
from collegium.research.reads.errors import LaterWasOpened, NewImages
from collegium_testkit.committee import TEXT, Committee, being_read, gathered
from collegium_testkit.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable

    from collegium.research.pipeline.models import Task
    from collegium_testkit.beginnings import Beginnings
    from collegium_testkit.world import World

LATER = "20240301"
"""The exam date of week 8."""
_SUM = "required: false}\n  settling"
_BASE = "      - {name: base, type: number, label: {en: At baseline}, unit: mm, given: first.sum}\n  settling"
GIVEN = TEXT.replace(_SUM, "required: false}\n" + _BASE)
FOLLOW_UP = """  - step: followup
    kind: form
    label: {en: Follow up}
    form: eligibility
    role: Site user
    about: visit
    assign: {how: sequential, at_site: true}
    meaning: Done.
    open_if: RULE
    blinding: {subject_label: code}
"""


def follow_up(rule: str) -> str:
    return TEXT + FOLLOW_UP.replace("RULE", rule)


@pytest.fixture
def committee(world: World) -> Committee:
    return gathered(world)


def two_visits(readers: int = 2) -> tuple[Committee, Task, Task]:
    """One slot's tasks of baseline, open, and of week 8, which waits."""
    committee, (first, _) = being_read(readers=readers)
    committee.until_reading(study_date=LATER)
    return committee, first, next(task for task in committee.visit("week8") if task.slot == first.slot)


# Locked timepoints (R28)


@pytest.mark.requirement("R28")
def test_a_later_timepoint_closes_while_the_earlier_one_is_corrected(beginnings: Beginnings) -> None:
    committee, first, later = beginnings.begin(two_visits)
    committee.do(first, response="SD")
    assert committee.now(later).state == "open"

    committee.correct(first)

    assert committee.now(later).state == "waiting"
    with pytest.raises(TaskNotOpen):
        committee.open(later)


@pytest.mark.requirement("R28")
def test_nobody_opens_a_task_by_hand_that_waits_for_something_else(beginnings: Beginnings) -> None:
    committee, _, later = beginnings.begin(two_visits)
    committee.arrive("S-002")
    unchecked = committee.tasks(step="reading")[-1]

    with committee.acting() as actor:
        for task in (later, unchecked):
            with pytest.raises(DecisionNotNeeded):
                services.open_anyway(actor=actor, task_id=task.id, reason="Go on.")


@pytest.mark.requirement("R28")
def test_a_slot_that_changes_hands_does_so_for_all_its_timepoints(beginnings: Beginnings) -> None:
    committee, first, later = beginnings.begin(two_visits, readers=3)

    committee.hand_back(first)

    fresh = next(task for task in committee.visit("baseline") if task.slot == first.slot)
    assert fresh.assignee not in ("", first.assignee)
    assert committee.now(later).assignee == fresh.assignee
    committee.do(fresh, response="SD")
    assert committee.now(later).state == "open"


@pytest.mark.requirement("R28")
def test_a_later_timepoint_is_not_given_away_alone(beginnings: Beginnings) -> None:
    committee, first, later = beginnings.begin(two_visits, readers=3)
    committee.do(first, response="SD")
    had = {task.assignee for task in committee.visit("baseline")}
    third = next(
        name for name in ("reader1", "reader2", "reader3") if committee.people[name].principal.text not in had
    )

    with pytest.raises(CannotHaveTask):
        committee.reassign(later, third)


@pytest.mark.requirement("R28")
def test_who_has_not_read_the_earlier_timepoint_waits_however_they_got_the_later_one(world: World) -> None:
    committee = gathered(world, GIVEN, readers=3)
    for task in committee.until_reading():
        committee.do(task, response="SD", sum="100")
    later = committee.until_reading(study_date=LATER)[0]

    committee.hand_back(later)

    fresh = next(task for task in committee.visit("week8") if task.slot == later.slot)
    assert (fresh.assignee == later.assignee, fresh.state) == (False, "waiting")


@pytest.mark.requirement("R28")
def test_the_first_value_is_that_of_the_first_timepoint(world: World) -> None:
    committee = gathered(world, GIVEN)
    for task in committee.until_reading():
        committee.do(task, response="SD", sum="100")

    opened = committee.open(committee.until_reading(study_date=LATER)[0])

    with committee.acting():
        assert forms.answers_of(opened.version.entry)["base"].value == "100"


@pytest.mark.requirement("R28")
def test_what_was_once_seen_after_it_keeps_an_earlier_read_from_correction(beginnings: Beginnings) -> None:
    committee, first, later = beginnings.begin(two_visits)
    committee.do(first, response="SD")
    committee.open(later)
    committee.run_again(later)

    with pytest.raises(LaterWasOpened):
        committee.correct(first)


@pytest.mark.requirement("R28")
def test_a_timepoint_that_a_person_cancelled_stands_in_the_way_until_it_is_run_again(
    beginnings: Beginnings,
) -> None:
    committee, first, later = beginnings.begin(two_visits)

    committee.cancel(first)
    waits = committee.now(later).state
    committee.run_again(first)
    again = committee.visit("baseline")[first.slot - 1]
    committee.do(again, response="SD")

    assert waits == "waiting"
    assert [task.state for task in committee.visit("week8") if task.slot == first.slot] == ["open"]


# What builds on what was changed


@pytest.mark.requirement("R72")
def test_another_check_of_the_first_visit_takes_the_reads_of_all_visits_along(beginnings: Beginnings) -> None:
    committee, first, later = beginnings.begin(two_visits)
    for task in committee.visit("baseline"):
        committee.do(task, response="SD")
    committee.do(later, response="PD")
    (check,) = committee.visit("baseline", "qc")

    committee.run_again(check)

    assert committee.now(later).state == "superseded"
    assert {task.state for task in committee.visit("baseline")} == {"waiting"}
    assert {task.state for task in committee.visit("week8")} == {"waiting"}
    assert committee.now(first).state == "superseded"


@pytest.mark.requirement("I07")
@pytest.mark.parametrize(
    ("said", "corrected", "states"),
    [("refuse", "accept", ["open", "open"]), ("accept", "refuse", [])],
)
def test_a_corrected_check_opens_or_stops_the_reads(
    committee: Committee, said: str, corrected: str, states: list[str]
) -> None:
    committee.arrive()
    committee.do(committee.tasks(step="eligibility")[0], eligible="yes")
    (check,) = committee.tasks(step="qc")
    committee.do(check, verdict=said)
    for task in committee.visit("baseline")[:1]:
        committee.do(task, response="SD")

    committee.correct(check)
    committee.do(committee.now(check), verdict=corrected)

    assert [task.state for task in committee.visit("baseline")] == states


@pytest.mark.requirement("R28", "R72")
def test_a_corrected_read_takes_along_what_was_read_beside_it(world: World) -> None:
    committee = gathered(world, GIVEN.replace("timepoints: locked", "timepoints: beside"))
    for task in committee.until_reading():
        committee.do(task, response="SD", sum="100")
    later = committee.until_reading(study_date=LATER)[0]
    committee.do(later, response="SD", sum="60")
    first = next(task for task in committee.visit("baseline") if task.assignee == later.assignee)

    committee.correct(first)
    committee.do(committee.now(first), response="SD", sum="50")

    assert committee.now(later).state == "superseded"


@pytest.mark.requirement("R70", "R72")
def test_a_read_that_is_run_again_supersedes_the_adjudication_of_a_later_visit(
    beginnings: Beginnings,
) -> None:
    committee, (first, second) = beginnings.begin(being_read)
    committee.do(first, response="SD")
    committee.do(second, response="SD")
    one, other = committee.until_reading(study_date=LATER)
    committee.do(one, response="PR")
    committee.do(other, response="PD")
    (settling,) = committee.tasks("adjudicator1")
    committee.do(settling, chosen="a")

    committee.run_again(first)

    assert committee.now(settling).state == "superseded"
    assert committee.table("adjudication").rows == []


def test_a_condition_over_two_readers_waits_for_both(beginnings: Beginnings) -> None:
    committee, (first, second) = beginnings.begin(being_read, follow_up("reading.response = 'PD'"))

    committee.do(first, response="PD")
    before = committee.states("followup")
    committee.do(second, response="PD")

    assert (before, committee.states("followup")) == (["waiting"], ["open"])


def test_a_condition_on_an_adjudication_that_never_comes_does_not_wait_for_ever(world: World) -> None:
    committee = gathered(world, follow_up("adjudication.chosen = 'a'"))

    for task in committee.until_reading():
        committee.do(task, response="PD")

    (task,) = committee.tasks(step="followup")
    assert task.state == "cancelled" or task.note


# Images


@pytest.mark.requirement("I07")
def test_an_exam_that_comes_after_the_check_is_checked_before_anybody_reads_it(
    beginnings: Beginnings,
) -> None:
    committee, _ = beginnings.begin(being_read)

    committee.arrive()

    assert committee.states("qc") == ["superseded", "open"]
    assert {task.state for task in committee.visit("baseline")} == {"waiting"}


def test_a_record_names_only_images_that_its_page_showed(beginnings: Beginnings) -> None:
    committee, (first, _) = beginnings.begin(being_read)
    revision = committee.draft(first, response="SD")
    committee.arrive()

    with pytest.raises(NewImages):
        committee.submit(first, revision)

    committee.open(first)
    assert len(committee.submit(first, revision).shown) == 2


def test_images_that_come_after_the_signature_mark_the_read(beginnings: Beginnings) -> None:
    committee, (first, _) = beginnings.begin(being_read)
    committee.do(first, response="SD")

    committee.arrive()

    assert committee.now(first).has_late_images


@pytest.mark.requirement("R42")
def test_a_superseded_task_shows_no_images(beginnings: Beginnings) -> None:
    committee, (first, second) = beginnings.begin(being_read)
    committee.do(first, response="PR")
    committee.do(second, response="PD")
    (settling,) = committee.tasks("adjudicator1")
    committee.do(settling, chosen="a")

    committee.run_again(first)

    for task in (first, settling):
        assert committee.now(task).state == "superseded"
        assert committee.open(task).grant is None


# At the same time


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Do things in threads of their own; what went wrong, in words."""

    def done(act: Callable[[], object]) -> str:
        try:
            act()
        except CollegiumError:
            return ""
        except Exception as error:  # noqa: BLE001  whatever it is, the test says so
            return f"{type(error).__name__}: {error}"
        finally:
            connections.close_all()
        return ""

    with ThreadPoolExecutor(len(acts)) as pool:
        return [text for text in pool.map(done, acts) if text]


@pytest.mark.requirement("R22")
def test_two_windows_that_fix_an_order_at_once_wait_for_one_another(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    committee = gathered(world, TEXT.replace("timepoints: locked", "order: fixed"))
    for number in range(2):
        committee.until_reading(f"S-00{number}")
    mine = committee.tasks("reader1", "reading")
    gate, real = Barrier(2, timeout=PATIENCE_S), ordering.one_at_a_time

    def together(actor: object) -> None:
        gate.wait()
        real(actor)  # type: ignore[arg-type]  # an actor, as the caller has it

    monkeypatch.setattr(reads, "one_at_a_time", together)

    assert at_once(*(lambda task=task: committee.open(task) for task in mine)) == []


def test_a_supplement_moves_tasks_under_the_lock_of_their_subject(committee: Committee) -> None:
    exam_id = committee.arrive()
    committee.do(committee.tasks(step="eligibility")[0], eligible="yes")
    committee.do(committee.tasks(step="qc")[0], verdict="correct")
    locks: list[str] = []

    def watch(execute: Callable[..., object], sql: str, *rest: object) -> object:
        if "FOR UPDATE" in sql:
            locks.append(sql.split(" FROM ")[1].split(" ", maxsplit=1)[0].strip('"'))
        return execute(sql, *rest)

    with committee.acting() as actor, connection.execute_wrapper(watch):
        services.place_exam(
            actor=actor, exam_id=exam_id, subject_code="S-001", supplement=True, site_code="01"
        )

    assert committee.states("qc") == ["superseded", "open"]
    assert locks.index("research_projects_subject") < locks.index("research_pipeline_task")
