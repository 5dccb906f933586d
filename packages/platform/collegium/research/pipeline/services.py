"""Place arrived exams, begin and end tasks, give them to others, run steps again.

Lock order: subject, then task.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from collegium.imaging.archive import queries as archive
from collegium.kit import clock
from collegium.notifications.models import NotificationKind
from collegium.notifications.services import withdraw
from collegium.research.pipeline import adjudicating, independence, making, matching, ordering, queries
from collegium.research.pipeline.advancing import advance
from collegium.research.pipeline.errors import (
    CannotHaveTask,
    ConflictOfInterest,
    DecisionNotNeeded,
    NotNewestRun,
    ReasonNeeded,
    TaskNotOpen,
    TaskStarted,
)
from collegium.research.pipeline.models import ExamPlacement, Unplaced
from collegium.research.pipeline.moving import move_task
from collegium.research.pipeline.placers import tell_placers
from collegium.research.pipeline.sequence import earlier_are_signed, is_later, newest_runs, overtaken_by
from collegium.research.pipeline.states import LIVE, NO_CONDITION, TO_DO, UNDECIDED, Move, TaskState
from collegium.research.projects import queries as projects
from collegium.research.projects import services as project_services
from collegium.research.projects.definition import About, How, StepKind, SubjectPolicy, Timepoints
from collegium.research.projects.errors import SubjectCodeInvalid
from collegium.trust.access.policies import Permission, require
from collegium.trust.audit.actions import Action
from collegium.trust.audit.services import record, record_apart

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from collegium.kit.principals import Actor, Principal
    from collegium.research.pipeline.models import Discrepancy, ReadingUnit, Task
    from collegium.research.projects.definition import ProjectDefinition
    from collegium.research.projects.models import Subject


def place_exam(
    *, actor: Actor, exam_id: UUID, subject_code: str, supplement: bool = False, site_code: str = ""
) -> ExamPlacement:
    """Match an arrived exam with its subject and visit and make its tasks. Again is a no-op.

    An exam that has no place is kept, listed with the reason, and tried again by `place_waiting_exams`.
    """
    exam = archive.exam(actor, exam_id)
    placement, is_new = ExamPlacement.objects.select_for_update().get_or_create(
        space_id=actor.space, exam_id=exam_id
    )
    if placement.visit_id and placement.subject_id:
        if supplement and not is_new:
            owner = projects.locked_subject(actor, placement.subject_id)
            _note_supplement(actor, placement)
            _check_again(actor, owner, placement.visit_id)
        return placement
    if placement.unplaced == Unplaced.TAKEN_BACK:
        return placement  # a person said that its date misleads
    version = projects.newest_version(actor)
    if version is None:
        return _leave(actor, placement, Unplaced.NOT_PUBLISHED)
    definition = projects.definition(version)
    subject = _subject(actor, definition, subject_code, site_code)
    if subject is None:
        return _leave(actor, placement, Unplaced.SUBJECT_UNKNOWN)
    exam_date = matching.date_of(exam.study_date)
    taken = {visit.code: visit.exam_date for visit in projects.visits_of(subject)}
    code, why_not = matching.match_visit(definition.visits, taken, exam_date)
    placement.subject = subject
    if not code:
        return _leave(actor, placement, why_not)
    put_in_visit(actor, placement, subject, code)
    return placement


def put_in_visit(
    actor: Actor, placement: ExamPlacement, subject: Subject, code: str, *, by_hand: str = ""
) -> None:
    """Note an exam's visit, make its tasks and open what may open. The caller has locked placement and subject.

    `by_hand` says why a person placed it; it is empty when the exam's date did.
    """
    exam = placement.exam
    how = {"by_hand": True} if by_hand else {}
    visit = project_services.note_visit(
        actor=actor, subject=subject, code=code, exam_date=matching.date_of(exam.study_date)
    )
    placement.subject, placement.visit, placement.unplaced = subject, visit, ""
    placement.placed_by = actor.principal.text if by_hand else ""
    placement.save()
    record(
        actor, Action.EXAM_PLACED, "research.exam", exam.id,
        new={"subject": subject.code, "visit": code, "study_uid": exam.study_uid, **how},
        reason=by_hand,
    )  # fmt: skip
    withdraw(actor, about=exam.id, kinds=[NotificationKind.EXAM_UNPLACED])
    making.make_units(actor, projects.current_version(actor), subject, visit, exam)
    queries.begun_with_exam(actor, placement).update(has_late_images=True)
    _check_again(actor, subject, visit.id)
    advance(actor=actor, subject=subject)


def place_waiting_exams(*, actor: Actor) -> int:
    """Try again to place the exams that had no place, e.g. after publishing. Returns how many found one.

    A subject's earliest exam comes first, for the days of the others count from it.
    """
    found = 0
    for waiting in sorted(queries.waiting_placements(actor), key=_by_subject_and_day):
        placed = place_exam(actor=actor, exam_id=waiting.exam_id, subject_code=waiting.exam.subject_code)
        found += not placed.unplaced
    return found


def _by_subject_and_day(placement: ExamPlacement) -> tuple[str, date, UUID]:
    exam = placement.exam
    return exam.subject_code, matching.date_of(exam.study_date) or date.max, placement.id


def enrol_subject(*, actor: Actor, code: str, site_code: str = "") -> Subject:
    """List a subject and open what is asked about it before any image comes. The caller has permission to list.

    Raises:
        SubjectCodeInvalid: not a code.
        NotPublished: the project has no published version.
    """
    version = projects.current_version(actor)
    subject = project_services.list_subject(actor=actor, code=code, site_code=site_code)
    locked = projects.locked_subject(actor, subject.id)
    making.make_units(actor, version, locked)
    advance(actor=actor, subject=locked)
    return locked


def assign_missing_tasks(*, actor: Actor) -> int:
    """Find people for tasks that have nobody, and make those of people who joined later. Returns how many.

    Raises:
        Refused: the actor does not manage tasks.
    """
    require(actor, Permission.TASK_MANAGE)
    made = 0
    for subject in projects.subjects(actor):
        locked = projects.locked_subject(actor, subject.id)
        for unit in queries.units(actor).filter(subject=locked):
            definition = projects.definition(unit.project_version)
            made += sum(
                making.make_tasks(actor, unit, step) for step in definition.steps_for(About(unit.about))
            )
            made += _assign_adjudications(actor, unit, definition)
        advance(actor=actor, subject=locked)
    return made


def begin_task(*, actor: Actor, task: Task) -> None:
    """The reader opens the task.

    Raises:
        TaskNotOpen: it waits or was cancelled.
        AnotherComesFirst: the step has a fixed order, and another is next.
    """
    if task.state in (TaskState.WAITING, TaskState.CANCELLED):
        raise TaskNotOpen
    if task.state in TO_DO:
        around = queries.tasks_of_subject(actor, task.unit.subject)
        if not earlier_are_signed(around, task):
            raise TaskNotOpen
        if task.state == TaskState.OPEN and overtaken_by(around, task):
            raise TaskNotOpen
    if task.state in (TaskState.OPEN, TaskState.IN_PROGRESS):
        ordering.require_turn(actor, task)
    if task.state == TaskState.OPEN:
        move_task(actor=actor, task=task, move=Move.BEGIN)
    elif task.state == TaskState.IN_PROGRESS and task.has_late_images:
        task.has_late_images = False  # the page that opens now shows them
        task.save(update_fields=["has_late_images"])


def complete_task(*, actor: Actor, task: Task, entry_id: UUID) -> None:
    """A task's record was signed: keep its answers for conditions and open what now may open.

    The caller has locked the subject before the task.
    """
    before, task.entry_id = task.entry_id, entry_id
    task.save(update_fields=["entry"])
    move_task(actor=actor, task=task, move=Move.SIGN)
    if before and before != entry_id:
        _make_stale(actor, task)
    advance(actor=actor, subject=task.unit.subject)


def reopen_task(*, actor: Actor, task: Task) -> None:
    """A task's record is corrected: what settled or built on the signed one waits for it to be signed again.

    The caller has locked the subject before the task.
    """
    move_task(actor=actor, task=task, move=Move.CORRECT)
    advance(actor=actor, subject=task.unit.subject)


def cancel_task(*, actor: Actor, task_id: UUID, reason: str) -> None:
    """Take a task and the sight of its images away from its reader; what was drafted stays readable."""
    require(actor, Permission.TASK_MANAGE)
    subject = projects.locked_subject(actor, queries.subject_id_of(actor, task_id))
    move_task(actor=actor, task=queries.locked_task(actor, task_id), move=Move.CANCEL, note=reason_of(reason))
    advance(actor=actor, subject=subject)


def open_anyway(*, actor: Actor, task_id: UUID, reason: str) -> None:
    """A person decides what a condition could not: the task opens.

    Raises:
        DecisionNotNeeded: the task waits for something else; it opens by itself.
    """
    require(actor, Permission.TASK_MANAGE)
    subject = projects.locked_subject(actor, queries.subject_id_of(actor, task_id))
    task = queries.locked_task(actor, task_id)
    if task.note != UNDECIDED or not earlier_are_signed(queries.tasks_of_subject(actor, subject), task):
        raise DecisionNotNeeded
    move_task(actor=actor, task=task, move=Move.OPEN, note=reason_of(reason))


def reassign_task(*, actor: Actor, task_id: UUID, to: Principal, reason: str) -> None:
    """Give a task that nobody has begun to another person.

    Raises:
        TaskStarted: it was begun; run the step again instead.
        ConflictOfInterest: refused, and kept in the trail.
        CannotHaveTask: not of the role or site, or reading the same thing in another slot.
    """
    require(actor, Permission.TASK_MANAGE)
    subject = projects.locked_subject(actor, queries.subject_id_of(actor, task_id))
    task = queries.locked_task(actor, task_id)
    if task.state not in (TaskState.WAITING, TaskState.OPEN):
        raise TaskStarted
    step = projects.definition(task.project_version).step(task.step)
    _require_fit(actor, task, to.text, independence.unfit(actor, task.unit, step))
    others = queries.people_of_step(actor, task.unit, task.step) - {task.assignee}
    if to.text not in making.allowed(actor, task.unit, step) or to.text in others:
        raise CannotHaveTask
    if making.is_shared(actor, task, step):
        raise CannotHaveTask
    making.give(actor, task, to.text, reason=reason_of(reason))
    making.follow(actor, task)
    advance(actor=actor, subject=subject)  # what another person has signed or begun holds for them alone


def hand_back(*, actor: Actor, task_id: UUID, reason: str) -> None:
    """A task leaves its reader, e.g. for a declared conflict; somebody else gets it.

    Raises:
        Refused: it is somebody else's, and the actor manages no tasks.
        TaskNotOpen: it was signed or cancelled.
    """
    projects.locked_subject(actor, queries.subject_id_of(actor, task_id))
    task = queries.locked_task(actor, task_id)
    is_own = task.assignee == actor.principal.behalf.text
    if not is_own:
        require(actor, Permission.TASK_MANAGE)
    if task.state not in (TaskState.WAITING, *TO_DO):
        raise TaskNotOpen
    take_from_person(actor, task, reason_of(reason), was_handed_back=is_own)
    advance(actor=actor, subject=task.unit.subject)


def take_from_person(actor: Actor, task: Task, reason: str, *, was_handed_back: bool) -> None:
    """End a locked task that is not signed, and give its next run to somebody else who may have it.

    The caller has the lock of the subject, has asked who may do this, and advances the subject afterwards.
    """
    if was_handed_back:
        task.was_handed_back = True
        task.save(update_fields=["was_handed_back"])
    move_task(actor=actor, task=task, move=Move.CANCEL, note=reason)
    if projects.definition(task.project_version).step(task.step).assign.how is not How.EVERY:
        fresh = making.make_again(actor, task, keeps_person=False, sides=task.sides)
        making.follow(actor, fresh)


def deal_anew(actor: Actor, task: Task, reason: str) -> None:
    """Put the next run in the place of a locked task that nobody has begun: another id and label, the same person.

    The caller has the lock of the subject.
    """
    was_open = task.state == TaskState.OPEN
    move_task(actor=actor, task=task, move=Move.CANCEL, note=reason)
    fresh = making.make_again(actor, task, keeps_person=True, sides=task.sides)
    fresh.sequence = task.sequence  # what a person decided about a late visit holds for it too
    fresh.save(update_fields=["sequence"])
    if was_open:
        move_task(actor=actor, task=fresh, move=Move.OPEN)


def rerun_step(*, actor: Actor, task_id: UUID, reason: str) -> Task:
    """Run a task's step again, and all that builds on it. What was signed stays readable, and counts no more.

    Returns the new task.

    Raises:
        NotNewestRun: it was run again already.
    """
    require(actor, Permission.TASK_MANAGE)
    projects.locked_subject(actor, queries.subject_id_of(actor, task_id))
    task = queries.locked_task(actor, task_id)
    if not queries.is_newest_run(actor, task):
        raise NotNewestRun
    return run_again(actor, task, reason_of(reason))


def decide_discrepancy(*, actor: Actor, discrepancy_id: UUID, differs: bool, reason: str) -> Discrepancy:
    """Decide whether reads differ where the rule cannot tell.

    Raises:
        DecisionNotNeeded: the rule could, or somebody did.
    """
    require(actor, Permission.TASK_MANAGE)
    last = queries.discrepancy(actor, discrepancy_id)
    subject = projects.locked_subject(actor, last.unit.subject_id)
    decided = adjudicating.decide(actor, last, differs=differs, reason=reason_of(reason))
    advance(actor=actor, subject=subject)
    return decided


def run_again(actor: Actor, task: Task, reason: str) -> Task:
    """Run a locked task's step again, and all that builds on it; the caller has asked who may."""
    definition = projects.definition(task.project_version)
    again = [task, *_built_on(actor, task, definition)]
    for one in again:
        if one.state in LIVE:
            move = Move.REPLACE if one.state == TaskState.SIGNED else Move.CANCEL
            move_task(actor=actor, task=one, move=move, note=reason)
    fresh = [
        making.make_again(actor, one, keeps_person=True)
        for one in again
        if definition.step(one.step).kind is not StepKind.ADJUDICATION  # its rule makes it anew
    ]
    if definition.step(task.step).kind is StepKind.ADJUDICATION:
        settled_anew = adjudicating.adjudicate_again(actor, task)
        fresh = [settled_anew, *fresh] if settled_anew else fresh
    record(
        actor, Action.TASK_RUN_AGAIN, "research.task", task.id,
        new={"fresh": [str(one.id) for one in fresh], "run": fresh[0].run if fresh else 0}, reason=reason,
    )  # fmt: skip
    advance(actor=actor, subject=task.unit.subject)
    return queries.locked_task(actor, fresh[0].id) if fresh else task


def _make_stale(actor: Actor, task: Task) -> None:
    """Other answers were signed: what rests on the old ones waits anew, or is done again where it was begun."""
    definition = projects.definition(task.project_version)
    for one in _built_on(actor, task, definition):
        if definition.step(one.step).kind is StepKind.ADJUDICATION:
            continue  # its rule judges the new answers
        if one.state == TaskState.OPEN:
            move_task(actor=actor, task=one, move=Move.HOLD, note=STALE)
        elif one.state in (TaskState.IN_PROGRESS, TaskState.SUBMITTED, TaskState.SIGNED):
            move = Move.REPLACE if one.state == TaskState.SIGNED else Move.CANCEL
            move_task(actor=actor, task=one, move=move, note=STALE)
            making.make_again(actor, one, keeps_person=True)
        elif one.state == TaskState.CANCELLED and one.note == NO_CONDITION:
            making.make_again(actor, one, keeps_person=True)


STALE = "An earlier step was corrected."


def _built_on(actor: Actor, task: Task, definition: ProjectDefinition) -> list[Task]:
    """What rests on a task, locked."""
    return [queries.locked_task(actor, one.id) for one in resting_on(actor, task, definition)]


def resting_on(actor: Actor, task: Task, definition: ProjectDefinition) -> list[Task]:
    """Newest tasks of the subject that rest on this one, or on one that does: by condition, timepoint, adjudication."""
    newest = newest_runs(queries.tasks_of_subject(actor, task.unit.subject))
    others = [one for one in newest if one.id != task.id and one.state != TaskState.SUPERSEDED]
    found: list[Task] = []
    frontier = [task]
    while frontier:
        base = frontier.pop()
        resting = [one for one in others if one not in found and _rests_on(one, base, definition)]
        found += resting
        frontier += resting
    return found


def _rests_on(task: Task, base: Task, definition: ProjectDefinition) -> bool:
    if is_later(task, base):
        return definition.step(task.step).timepoints is not Timepoints.ALONE
    if base.unit.visit_id not in (None, task.unit.visit_id):
        return False
    step = projects.definition(task.project_version).step(task.step)
    of = step.adjudication.of if step.adjudication else ""
    return of == base.step or f"{base.step}." in step.open_if


def _assign_adjudications(actor: Actor, unit: ReadingUnit, definition: ProjectDefinition) -> int:
    found = 0
    for task in queries.tasks_of_unit(actor, unit.id):
        step = definition.step(task.step)
        if step.adjudication and not task.assignee and task.state in LIVE:
            found += making.assign(actor, task, step)
    return found


def require_no_conflict(actor: Actor, task: Task, person: str) -> None:
    """Refuse a person who may not act on this task, and keep that in the trail. Raises ConflictOfInterest."""
    step = projects.definition(task.project_version).step(task.step)
    _require_fit(actor, task, person, independence.conflicts(actor, task.unit, step))


def _require_fit(actor: Actor, task: Task, person: str, refused: Mapping[str, str]) -> None:
    why = refused.get(person, "")
    if why:
        record_apart(
            actor, Action.CONFLICT_REFUSED, "research.task", task.id, new={"person": person, "why": why}
        )
        raise ConflictOfInterest


def _check_again(actor: Actor, subject: Subject, visit_id: UUID) -> None:
    """Images came after a signed check: it is made again if it asked for them, or if nobody has begun on its answer."""
    waiting = {task.id for task in queries.waiting_for_correction(actor, visit_id)}
    for task in queries.signed_checks(actor, subject, visit_id):
        built_on = _built_on(actor, task, projects.definition(task.project_version))
        if task.id in waiting or all(one.state in _UNTOUCHED for one in built_on):
            run_again(actor, queries.locked_task(actor, task.id), "New images came after the check.")


_UNTOUCHED = (TaskState.WAITING, TaskState.OPEN, TaskState.CANCELLED)


def reason_of(text: str) -> str:
    """A reason as it is kept. Raises ReasonNeeded."""
    if len(text.strip()) < 3:
        raise ReasonNeeded
    return text.strip()[:200]


def _subject(actor: Actor, definition: ProjectDefinition, code: str, site_code: str) -> Subject | None:
    if definition.subject_policy is SubjectPolicy.ON_ARRIVAL:
        try:
            project_services.list_subject(actor=actor, code=code, site_code=site_code)
        except SubjectCodeInvalid:
            return None
    return projects.subject_by_code(actor, code)


def _leave(actor: Actor, placement: ExamPlacement, why: Unplaced) -> ExamPlacement:
    if placement.unplaced != why:
        placement.unplaced = why
        placement.save()
        record(actor, Action.EXAM_UNPLACED, "research.exam", placement.exam_id, new={"why": why.value})
        if why != Unplaced.NOT_PUBLISHED:
            tell_placers(actor, placement.subject, NotificationKind.EXAM_UNPLACED, about=placement.exam_id)
    return placement


def _note_supplement(actor: Actor, placement: ExamPlacement) -> None:
    """Images came later: open tasks show them when next opened, begun ones are marked."""
    placement.supplemented_at = clock.now()
    placement.save(update_fields=["supplemented_at"])
    marked = queries.begun_with_exam(actor, placement).update(has_late_images=True)
    record(actor, Action.EXAM_SUPPLEMENTED, "research.exam", placement.exam_id, new={"begun_tasks": marked})
