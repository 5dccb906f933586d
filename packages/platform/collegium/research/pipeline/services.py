"""Place arrived exams, make reading units and tasks, and move tasks by the table.

Lock order: subject, then task.
"""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import TYPE_CHECKING

from collegium.forms import queries as forms
from collegium.imaging.archive import queries as archive
from collegium.imaging.grants import services as grants
from collegium.kit import clock
from collegium.kit.rules import Verdict, compile_rule
from collegium.research.pipeline import matching, queries
from collegium.research.pipeline.errors import TaskNotOpen
from collegium.research.pipeline.models import ExamPlacement, ReadingUnit, Task, Unplaced
from collegium.research.pipeline.states import Move, TaskState, after
from collegium.research.projects import queries as projects
from collegium.research.projects import services as project_services
from collegium.research.projects.definition import About, Assignment, SubjectLabel, SubjectPolicy
from collegium.research.projects.errors import SubjectCodeInvalid
from collegium.trust.access.policies import Permission, require
from collegium.trust.audit.actions import Action
from collegium.trust.audit.services import record
from collegium.trust.tenancy.queries import members

if TYPE_CHECKING:
    from uuid import UUID

    from collegium.imaging.archive.models import Exam
    from collegium.kit.principals import Actor
    from collegium.kit.rules import Answer, Rule
    from collegium.research.projects.definition import ProjectDefinition, Step
    from collegium.research.projects.models import ProjectVersion, Subject, Visit

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: nothing that is mistaken for another


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
    if placement.visit_id:
        if supplement and not is_new:
            _note_supplement(actor, placement)
        return placement
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
    visit = project_services.note_visit(actor=actor, subject=subject, code=code, exam_date=exam_date)
    placement.visit, placement.unplaced = visit, ""
    placement.save()
    record(
        actor, Action.EXAM_PLACED, "research.exam", exam_id,
        new={"subject": subject.code, "visit": code, "study_uid": exam.study_uid},
    )  # fmt: skip
    _make_units(actor, version, definition, visit, exam)
    return placement


def place_waiting_exams(*, actor: Actor) -> int:
    """Try again to place the exams that had no place, e.g. after publishing. Returns how many found one."""
    found = 0
    for waiting in queries.placements(actor).exclude(unplaced=""):
        placed = place_exam(actor=actor, exam_id=waiting.exam_id, subject_code=waiting.exam.subject_code)
        found += not placed.unplaced
    return found


def assign_missing_tasks(*, actor: Actor) -> int:
    """Give readers who joined later their tasks of every unit. Returns how many were made. Raises Refused."""
    require(actor, Permission.TASK_MANAGE)
    made = 0
    for unit in queries.units(actor):
        definition = projects.definition(unit.project_version)
        for step in definition.steps_for(About(unit.about)):
            made += _make_tasks(actor, unit, step)
    return made


def begin_task(*, actor: Actor, task: Task) -> None:
    """The reader opens the task for the first time.

    Raises:
        TaskNotOpen: it waits or was cancelled.
    """
    if task.state in (TaskState.WAITING, TaskState.CANCELLED):
        raise TaskNotOpen
    if task.state == TaskState.OPEN:
        move_task(actor=actor, task=task, move=Move.BEGIN)


def move_task(*, actor: Actor, task: Task, move: Move, note: str = "") -> None:
    """Move a locked task by the table. Raises MoveImpossible."""
    before = TaskState(task.state)
    task.state = after(before, move)
    task.changed_at = clock.now()
    task.note = note
    task.save(update_fields=["state", "changed_at", "note"])
    action = _ACTIONS.get(move)
    if action:
        record(
            actor, action, "research.task", task.id, old={"state": before.value}, new={"state": task.state},
            reason=note,
        )  # fmt: skip


def complete_task(*, actor: Actor, task: Task, entry_id: UUID) -> None:
    """A task's read was signed: keep its answers for conditions and open what now may open."""
    task.entry_id = entry_id
    task.save(update_fields=["entry"])
    move_task(actor=actor, task=task, move=Move.SIGN)
    advance(actor=actor, unit=task.unit)


def cancel_task(*, actor: Actor, task_id: UUID, reason: str) -> None:
    """Take a task and the sight of its images away from its reader; what was drafted stays readable."""
    require(actor, Permission.TASK_MANAGE)
    task = queries.locked_task(actor, task_id)
    move_task(actor=actor, task=task, move=Move.CANCEL, note=reason)
    grants.revoke_all(actor, owner=queries.owner_of(task), reason=reason)


def advance(*, actor: Actor, unit: ReadingUnit) -> None:
    """Open the waiting tasks whose rule now holds; what stays unknown waits for a person and says so."""
    tasks = queries.tasks_of_unit(actor, unit.id)
    waiting = [task for task in tasks if task.state == TaskState.WAITING]
    if not waiting:
        return
    definition = projects.definition(unit.project_version)
    answers = _signed_answers(actor, unit, definition)
    for found in waiting:
        rule = _condition(definition, found.step)
        verdict = rule.judge(answers)
        if verdict is Verdict.TRUE:
            move_task(actor=actor, task=queries.locked_task(actor, found.id), move=Move.OPEN)
        elif not _is_decided(rule, tasks):
            continue
        elif verdict is Verdict.FALSE:
            task = queries.locked_task(actor, found.id)
            move_task(actor=actor, task=task, move=Move.CANCEL, note="Its condition does not hold.")
        else:
            task = queries.locked_task(actor, found.id)
            task.note = "Its condition cannot be decided from the signed answers. A person has to decide."
            task.save(update_fields=["note"])


_ACTIONS = {Move.OPEN: Action.TASK_OPENED, Move.BEGIN: Action.TASK_BEGUN, Move.CANCEL: Action.TASK_CANCELLED}
"""Submitting, signing and correcting are recorded by the read, with more to say."""


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
    return placement


def _note_supplement(actor: Actor, placement: ExamPlacement) -> None:
    """Images came later: open tasks show them when next opened, finished ones are marked."""
    placement.supplemented_at = clock.now()
    placement.save(update_fields=["supplemented_at"])
    marked = queries.finished_with_exam(actor, placement).update(has_late_images=True)
    record(
        actor, Action.EXAM_SUPPLEMENTED, "research.exam", placement.exam_id, new={"finished_tasks": marked}
    )


def _make_units(
    actor: Actor, version: ProjectVersion, definition: ProjectDefinition, visit: Visit, exam: Exam
) -> None:
    for about in About:
        steps = definition.steps_for(about)
        if not steps:
            continue
        by_exam = about is About.EXAM
        unit, _ = ReadingUnit.objects.get_or_create(
            space_id=actor.space,
            about=about,
            subject_id=visit.subject_id,
            visit=visit,
            exam=exam if by_exam else None,
            defaults={"project_version": version},
        )
        for step in steps:
            _make_tasks(actor, unit, step)


def _make_tasks(actor: Actor, unit: ReadingUnit, step: Step) -> int:
    has = {task.assignee for task in queries.tasks_of_unit(actor, unit.id) if task.step == step.name}
    made = 0
    for assignee in _assignees(actor, step, has):
        task = Task.objects.create(
            space_id=actor.space,
            unit=unit,
            project_version=unit.project_version,
            step=step.name,
            assignee=assignee,
            state=TaskState.WAITING if step.open_if else TaskState.OPEN,
            label=_label(unit, step),
            due_on=clock.now().date() + timedelta(days=step.due_days) if step.due_days else None,
        )
        record(
            actor, Action.TASK_CREATED, "research.task", task.id,
            new={"assignee": assignee, "state": task.state, "step": step.name, "unit": str(unit.id)},
        )  # fmt: skip
        made += 1
    return made


def _assignees(actor: Actor, step: Step, has: set[str]) -> list[str]:
    readers = [member.principal.text for member in members(actor) if member.role == step.role]
    if step.assign is Assignment.EVERY_READER:
        return [reader for reader in readers if reader not in has]
    if has or not readers:
        return []
    load = queries.load_of(actor, step.name)
    return [min(readers, key=lambda reader: load.get(reader, 0))]  # the first of equals: who joined first


def _label(unit: ReadingUnit, step: Step) -> str:
    if step.blinding.subject_label is SubjectLabel.CODE:
        return unit.subject.code
    return "R-" + "".join(secrets.choice(_LETTERS) for _ in range(6))


def _signed_answers(actor: Actor, unit: ReadingUnit, definition: ProjectDefinition) -> dict[str, Answer]:
    """What the signed reads of this unit say, as `<step>.<item>`."""
    signed = queries.signed_of_unit(actor, unit)
    entries = forms.answers_by_entry(actor, [task.entry_id for task in signed if task.entry_id])
    answers: dict[str, Answer] = {}
    for step in definition.pipeline:
        items = definition.forms[step.form].by_name
        reads = [
            entries[task.entry_id] for task in signed if task.step == step.name and task.entry_id in entries
        ]
        known = [{name: answer.known(items[name]) for name, answer in read.items()} for read in reads]
        answers |= {f"{step.name}.{name}": value for name, value in matching.agreed(known).items()}
    return answers


def _condition(definition: ProjectDefinition, step: str) -> Rule:
    types = {
        f"{earlier.name}.{name}": kind
        for earlier in definition.pipeline
        for name, kind in definition.forms[earlier.form].value_types.items()
    }
    return compile_rule(definition.step(step).open_if, types)


def _is_decided(rule: Rule, tasks: list[Task]) -> bool:
    """Whether every step the condition reads is finished for this unit."""
    reads = {name.split(".")[0] for name in rule.names}
    finished = (TaskState.SIGNED, TaskState.CANCELLED)
    return all(task.state in finished for task in tasks if task.step in reads)
