"""Arrived exams find their place, tasks their readers, and later steps open when their rule holds."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from collegium.imaging.ingest.events import ExamArrived
from collegium.kit.database import acting_as
from collegium.kit.errors import Refused
from collegium.kit.principals import Principal
from collegium.research.pipeline import queries, services
from collegium.research.pipeline.matching import date_of, match_visit
from collegium.research.pipeline.models import Unplaced
from collegium.research.pipeline.reactions import on_exam_arrived
from collegium.research.projects.definition import VisitDefinition
from collegium.research.projects.services import list_subject
from collegium_testkit.study import EXAMPLE, Study
from collegium_testkit.world import PASSWORD

if TYPE_CHECKING:
    from collegium_testkit.world import World

FOLLOW_UP = EXAMPLE.replace(
    "forms:\n", "  - {code: week12, label: {en: Week 12, sv: Vecka 12}, days: [77, 91]}\n\nforms:\n", 1
)
LISTED = EXAMPLE.replace("create: on_arrival ", "create: listed ")
ONE_READER = EXAMPLE.replace("assign: every", "assign: sequential")
TWO_STEPS = (
    EXAMPLE
    + """
  - step: second_look
    kind: reading
    label: {en: Second look, sv: Andra granskning}
    form: lesion
    role: Editor
    about: exam
    assign: sequential
    meaning: I have looked again.
    open_if: reading.lesion = 'yes' and reading.diameter >= 10
"""
)

PLANNED = (
    VisitDefinition("baseline", {"en": "Baseline"}),
    VisitDefinition("week6", {"en": "Week 6"}, 35, 49),
    VisitDefinition("week12", {"en": "Week 12"}, 77, 91),
)
START = date(2024, 1, 5)


@pytest.mark.requirement("I08")
@pytest.mark.parametrize(
    ("taken", "exam_date", "visit", "why_not"),
    [
        ({}, START, "baseline", Unplaced.NOTHING),
        ({}, None, "baseline", Unplaced.NOTHING),
        ({"baseline": START}, START, "baseline", Unplaced.NOTHING),
        ({"baseline": START}, date(2024, 2, 9), "week6", Unplaced.NOTHING),  # day 35
        ({"baseline": START}, date(2024, 2, 8), "", Unplaced.NO_VISIT),  # day 34
        ({"baseline": START}, date(2024, 4, 5), "week12", Unplaced.NOTHING),  # day 91, over 29 February
        ({"baseline": START}, date(2024, 4, 6), "", Unplaced.NO_VISIT),
        ({"baseline": START}, date(2024, 1, 4), "", Unplaced.BEFORE_FIRST),
        ({"baseline": START}, None, "", Unplaced.NO_DATE),
        ({"baseline": None}, START, "", Unplaced.NO_DATE),
    ],
)
def test_a_visit_is_matched_by_days_from_the_subjects_first_exam(
    taken: dict[str, date | None], exam_date: date | None, visit: str, why_not: Unplaced
) -> None:
    assert match_visit(PLANNED, taken, exam_date) == (visit, why_not)


def test_a_project_of_one_visit_needs_no_dates() -> None:
    assert match_visit(PLANNED[:1], {"baseline": START}, None) == ("baseline", Unplaced.NOTHING)


@pytest.mark.parametrize("text", ["", "2024", "20240230", "2024.01.05", "abc"])
def test_what_is_not_a_dicom_date_is_no_date(text: str) -> None:
    assert date_of(text) is None


def test_an_arrived_exam_makes_subject_visit_and_one_task_for_each_reader(study: Study) -> None:
    second = study.world.join("Reader")

    study.arrive("S-007")

    (mine,), (theirs,) = study.tasks(), study.tasks(second)
    assert (mine.state, theirs.state) == ("open", "open")
    assert mine.unit_id == theirs.unit_id
    assert mine.label != theirs.label
    assert mine.unit.visit
    assert (mine.unit.subject.code, mine.unit.visit.code) == ("S-007", "baseline")


def test_an_exam_announced_twice_makes_nothing_twice(study: Study) -> None:
    exam = study.arrive()

    assert study.place(exam) == ""

    assert len(study.tasks()) == 1


def test_the_reaction_places_the_exam_on_behalf_of_the_gateway(study: Study) -> None:
    exam = study.exam()
    event = ExamArrived(study.world.space_id, exam, "S-001", "", supplement=False)

    on_exam_arrived(study.world.administrator.principal.as_job("imaging.exam_arrived"), event)

    assert len(study.tasks()) == 1


@pytest.mark.requirement("R04")
def test_an_exam_of_an_unlisted_subject_waits_in_the_list_and_is_placed_once_listed(world: World) -> None:
    study = Study(world, world.join("Reader"))
    study.publish(LISTED)
    exam = study.exam("S-009")

    why_not = study.place(exam, "S-009")
    with acting_as(world.administrator.principal, [world.space_id]):
        actor = world.actor()
        waiting = [placement.exam_id for placement in queries.placements(actor).exclude(unplaced="")]
        list_subject(actor=actor, code="S-009")
        placed = services.place_waiting_exams(actor=actor)

    assert why_not == "subject_unknown"
    assert waiting == [exam]
    assert placed == 1
    assert len(study.tasks()) == 1


def test_an_exam_before_the_project_is_published_is_kept_and_placed_later(world: World) -> None:
    study = Study(world, world.join("Reader"))
    exam = study.exam()

    why_not = study.place(exam)
    study.publish()
    again = study.place(exam)

    assert (why_not, again) == ("not_published", "")


@pytest.mark.requirement("I08")
def test_an_exam_outside_every_window_is_listed_with_its_reason(world: World) -> None:
    study = Study(world, world.join("Reader"))
    study.publish(FOLLOW_UP)
    study.arrive("S-001", "20240105")

    late = study.place(study.exam("S-001", "20240301"), "S-001")
    fitting = study.place(study.exam("S-001", "20240329"), "S-001")

    assert (late, fitting) == ("no_visit", "")
    assert sorted(task.unit.visit.code for task in study.tasks() if task.unit.visit) == ["baseline", "week12"]


@pytest.mark.parametrize("is_submitted", [False, True])
def test_a_supplement_marks_a_begun_read(study: Study, *, is_submitted: bool) -> None:
    task, revision = study.drafted()
    exam = task.unit.exam_id
    assert exam
    if is_submitted:
        study.submit(task, revision)

    study.place(exam, supplement=True)

    assert study.task().has_late_images


def test_a_supplement_leaves_a_read_alone_that_nobody_began(study: Study) -> None:
    exam = study.arrive()

    study.place(exam, supplement=True)

    assert not study.task().has_late_images


def test_one_reader_each_in_turn_gets_the_next_exam(world: World) -> None:
    first, second = world.join("Reader"), world.join("Reader")
    study = Study(world, first)
    study.publish(ONE_READER)

    for number in range(4):
        study.arrive(f"S-00{number}")

    assert (len(study.tasks(first)), len(study.tasks(second))) == (2, 2)


def test_a_reader_who_joins_later_is_given_the_missing_tasks_once(study: Study) -> None:
    study.arrive()
    late = study.world.join("Reader")

    with acting_as(study.world.administrator.principal, [study.world.space_id]):
        made = services.assign_missing_tasks(actor=study.world.actor())
        again = services.assign_missing_tasks(actor=study.world.actor())

    assert (made, again) == (1, 0)
    assert len(study.tasks(late)) == 1


@pytest.mark.requirement("R06")
@pytest.mark.parametrize(
    ("diameter", "state"), [("10.0000", "open"), ("9.9999", "cancelled"), ("250.0000", "open")]
)
def test_a_step_opens_exactly_when_its_rule_over_signed_answers_holds(
    world: World, diameter: str, state: str
) -> None:
    editor = world.join("Editor")
    study = Study(world, world.join("Reader"))
    study.publish(TWO_STEPS)
    task, revision = study.drafted(diameter)
    before = study.tasks(editor)[0].state

    study.sign(task, study.submit(task, revision).digest, PASSWORD)

    assert before == "waiting"
    assert study.tasks(editor)[0].state == state


@pytest.mark.requirement("R06", "R55")
def test_a_condition_that_stays_unknown_waits_for_a_person_and_says_so(world: World) -> None:
    editor = world.join("Editor")
    study = Study(world, world.join("Reader"))
    study.publish(TWO_STEPS)
    task, revision = study.drafted()
    saved = study.save(task, revision, {"diameter": {"absent": "not_evaluable"}})

    study.sign(task, study.submit(task, saved.revision).digest, PASSWORD)

    waiting = study.tasks(editor)[0]
    assert waiting.state == "waiting"
    assert "cannot be decided" in waiting.note


def test_cancelling_a_task_needs_the_permission_and_keeps_its_reason(study: Study) -> None:
    study.arrive()
    task = study.task()

    with acting_as(study.reader.principal, [study.world.space_id]), pytest.raises(Refused):
        services.cancel_task(actor=study.world.actor(study.reader), task_id=task.id, reason="no")
    with acting_as(study.world.administrator.principal, [study.world.space_id]):
        services.cancel_task(actor=study.world.actor(), task_id=task.id, reason="Sent by mistake.")

    assert (study.task().state, study.task().note) == ("cancelled", "Sent by mistake.")


def test_the_system_is_a_member_of_no_project(study: Study) -> None:
    exam = study.exam()

    with pytest.raises(Exception, match="nothing here"):
        on_exam_arrived(
            Principal.system(), ExamArrived(study.world.space_id, exam, "S-001", "", supplement=False)
        )
