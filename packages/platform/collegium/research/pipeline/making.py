"""Make reading units and their tasks, and give tasks to people. The caller holds the lock of the subject."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from collegium.kit.principals import Principal
from collegium.notifications.services import withdraw
from collegium.research.pipeline import assignment, independence, queries, unassigned
from collegium.research.pipeline.models import ReadingUnit, Task
from collegium.research.pipeline.moving import TOLD, tell_assignee
from collegium.research.pipeline.sequence import newest_runs
from collegium.research.pipeline.states import LIVE, NOT_BEGUN, TAKEN_BACK, TaskState
from collegium.research.projects import queries as projects
from collegium.research.projects.definition import About, How, SubjectLabel, Timepoints
from collegium.research.projects.people import queries as people
from collegium.trust.audit.actions import Action
from collegium.trust.audit.services import record
from collegium.trust.tenancy.queries import members

if TYPE_CHECKING:
    from collections.abc import Collection

    from collegium.imaging.archive.models import Exam
    from collegium.kit.principals import Actor
    from collegium.research.projects.definition import Step
    from collegium.research.projects.models import ProjectVersion, Subject, Visit

_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's base 32: nothing that is mistaken for another


def make_units(
    actor: Actor,
    version: ProjectVersion,
    subject: Subject,
    visit: Visit | None = None,
    exam: Exam | None = None,
) -> None:
    """The units of a subject, of a visit and of an exam that are here now, each with its tasks. Again is a no-op."""
    things: dict[About, tuple[Visit | None, Exam | None]] = {About.SUBJECT: (None, None)}
    if visit:
        things[About.VISIT] = (visit, None)
    if exam:
        things[About.EXAM] = (visit, exam)
    for about, (of_visit, of_exam) in things.items():
        if not projects.definition(version).steps_for(about):
            continue
        unit = _unit(actor, version, about, subject, of_visit, of_exam)
        for step in projects.definition(unit.project_version).steps_for(about):
            make_tasks(actor, unit, step)
        for task in _taken_back(actor, unit):
            make_again(actor, task, keeps_person=True)


def _unit(  # noqa: PLR0913, PLR0917  a unit has this many facts
    actor: Actor,
    version: ProjectVersion,
    about: About,
    subject: Subject,
    visit: Visit | None,
    exam: Exam | None,
) -> ReadingUnit:
    """The unit about a thing, made when it is new; an exam that was taken out of its visit brings its unit along."""
    rows = ReadingUnit.objects.filter(space_id=actor.space, about=about, subject=subject, exam=exam)
    unit = (rows if exam else rows.filter(visit=visit)).first()
    if unit is None:
        return ReadingUnit.objects.create(
            space_id=actor.space,
            about=about,
            subject=subject,
            visit=visit,
            exam=exam,
            project_version=version,
        )
    if unit.visit != visit:
        unit.visit = visit
        unit.save(update_fields=["visit"])
    return unit


def _taken_back(actor: Actor, unit: ReadingUnit) -> list[Task]:
    """The newest runs of a unit that were cancelled because its exam was taken out of the visit."""
    newest = newest_runs(queries.tasks_of_unit(actor, unit.id))
    return [one for one in newest if one.state == TaskState.CANCELLED and one.note == TAKEN_BACK]


def make_tasks(actor: Actor, unit: ReadingUnit, step: Step) -> int:
    """The tasks of a step for a unit that do not exist yet, and people for those that have nobody. Returns how many."""
    known = [task for task in queries.tasks_of_unit(actor, unit.id) if task.step == step.name]
    if step.assign.how is How.EVERY:
        has = {task.assignee for task in known}
        fresh = [person for person in allowed(actor, unit, step) if person not in has]
        first = max((task.slot for task in known), default=0) + 1
        for slot, person in enumerate(fresh, first):
            _make(actor, unit, step, slot=slot, assignee=person)
        return len(fresh)
    slots = {task.slot for task in known}
    missing = [slot for slot in range(1, step.assign.readers + 1) if slot not in slots]
    made = [_make(actor, unit, step, slot=slot) for slot in missing]
    waiting = [task for task in known if not task.assignee and task.state in LIVE]
    given = sum(assign(actor, task, step) for task in [*waiting, *made])
    nobodys = [one for one in made if not one.assignee]
    for one in nobodys:
        unassigned.tell_if_nobody(actor, one)
    return given + len(nobodys)


def make_again(
    actor: Actor, task: Task, *, keeps_person: bool, sides: dict[str, str] | None = None, to: str = ""
) -> Task:
    """The next run of a task that was cancelled or superseded, for the same person if they still may.

    `to`: for this person instead, of whom the caller knows that they may have it.
    """
    step = projects.definition(task.project_version).step(task.step)
    fresh = _make(actor, task.unit, step, slot=task.slot, run=task.run + 1, sides=sides)
    taken = queries.people_of_step(actor, task.unit, task.step)
    if to:
        give(actor, fresh, to)
    elif keeps_person and task.assignee not in taken and task.assignee in allowed(actor, task.unit, step):
        give(actor, fresh, task.assignee, draw={"kept": True})
    else:
        assign(actor, fresh, step, besides={task.assignee} if task.assignee else set())
    unassigned.tell_if_nobody(actor, fresh)
    return fresh


def make_adjudication(actor: Actor, unit: ReadingUnit, step: Step, sides: dict[str, str]) -> Task:
    """The task that settles a unit's reads; its next run when an earlier one no longer counts."""
    known = [task for task in queries.tasks_of_unit(actor, unit.id) if task.step == step.name]
    if known:
        return make_again(actor, max(known, key=lambda task: task.run), keeps_person=True, sides=sides)
    task = _make(actor, unit, step, slot=1, sides=sides)
    assign(actor, task, step)
    unassigned.tell_if_nobody(actor, task)
    return task


def assign(actor: Actor, task: Task, step: Step, *, besides: Collection[str] = ()) -> bool:
    """Give a task to somebody of its role who may have it. False: there is nobody yet."""
    unit = task.unit
    besides = {*besides, *independence.passed_over(actor, unit, step)}
    may = [person for person in allowed(actor, unit, step) if person not in besides]
    key = _key(unit, step)
    taken = queries.people_of_step(actor, unit, step.name)
    keeps = queries.person_of_slot(actor, task) if step.timepoints is not Timepoints.ALONE else ""
    if keeps in may and keeps not in taken:
        give(actor, task, keeps, draw={"kept": True})
        return True
    load = queries.load_of(actor, step.name)
    free = [assignment.Candidate(one, load.get(one, 0)) for one in may if one not in taken]
    drawn = assignment.draw(step.assign, free, key=key, count=1)
    if not drawn:
        return False
    among = {one.principal: one.load for one in free}
    give(
        actor, task, drawn[0],
        draw={"among": among, "how": step.assign.how.value, "key": key, "seed": step.assign.seed},
    )  # fmt: skip
    return True


def give(
    actor: Actor, task: Task, person: str, *, draw: dict[str, object] | None = None, reason: str = ""
) -> None:
    """Make a task somebody's; how they were drawn stands in the audit, so that the draw can be made again."""
    before = task.assignee
    task.assignee = person
    task.save(update_fields=["assignee"])
    if before:
        withdraw(actor, about=task.id, kinds=TOLD, from_person=Principal.parse(before))
    else:
        unassigned.has_somebody(actor, task)
    record(
        actor, Action.TASK_ASSIGNED, "research.task", task.id,
        old={"assignee": before} if before else None, new={"assignee": person, **(draw or {})}, reason=reason,
    )  # fmt: skip
    tell_assignee(actor, task)


def follow(actor: Actor, task: Task) -> None:
    """The subject's other timepoints of a slot go with its task, where they stand side by side and nobody began."""
    step = projects.definition(task.project_version).step(task.step)
    if step.timepoints is Timepoints.ALONE or not task.assignee:
        return
    for other in _of_slot(actor, task):
        if other.state in NOT_BEGUN and other.assignee != task.assignee:
            give(actor, other, task.assignee, draw={"kept": True})


def is_shared(actor: Actor, task: Task, step: Step) -> bool:
    """Whether its person has begun another timepoint that stands beside it: then the slot cannot change hands."""
    if step.timepoints is Timepoints.ALONE:
        return False
    return any(other.state not in NOT_BEGUN for other in _of_slot(actor, task))


def _of_slot(actor: Actor, task: Task) -> list[Task]:
    found = queries.tasks_of_subject(actor, task.unit.subject)
    return [
        one
        for one in found
        if (one.step, one.slot) == (task.step, task.slot) and one.id != task.id and one.state in LIVE
    ]


def allowed(actor: Actor, unit: ReadingUnit, step: Step, *, is_recorded: bool = True) -> list[str]:
    """The live members who may have a task of this step for this unit, in order of joining.

    `is_recorded`: who was passed over stands in the trail; a page that only offers people asks without.
    """
    role = assignment.role_for(step.assign, step.role, facts_of(unit))
    found = [member.principal.text for member in members(actor) if member.role == role]
    if step.assign.at_site:
        sites = people.sites_of(actor)
        found = [one for one in found if unit.subject.site_id in sites.get(one, ())]
    refused = independence.unfit(actor, unit, step)
    if is_recorded:
        _note_conflicts(actor, unit, step, {one: refused[one] for one in found if one in refused})
    return [one for one in found if one not in refused]


def _note_conflicts(actor: Actor, unit: ReadingUnit, step: Step, passed: dict[str, str]) -> None:
    """Who was passed over for a conflict of interest, and why (R21)."""
    if passed:
        record(
            actor, Action.CONFLICT_PASSED_OVER, "research.unit", unit.id,
            new={"people": dict(sorted(passed.items())), "step": step.name},
        )  # fmt: skip


def facts_of(unit: ReadingUnit) -> dict[str, str]:
    """What an assignment rule may ask of a unit."""
    return {
        "site": unit.subject.site.code if unit.subject.site else "",
        "subject": unit.subject.code,
        "visit": unit.visit.code if unit.visit else "",
    }


def _key(unit: ReadingUnit, step: Step) -> str:
    """What a draw is about. Steps that show earlier visits draw once for the whole subject."""
    if step.timepoints is not Timepoints.ALONE or unit.visit is None:
        return f"{step.name}/{unit.subject.code}"
    exam = unit.exam.study_uid if unit.exam else ""
    return f"{step.name}/{unit.subject.code}/{unit.visit.code}/{exam}"


def _make(  # noqa: PLR0913  a task has this many facts
    actor: Actor,
    unit: ReadingUnit,
    step: Step,
    *,
    slot: int,
    run: int = 1,
    assignee: str = "",
    sides: dict[str, str] | None = None,
) -> Task:
    task = Task.objects.create(
        space_id=actor.space, unit=unit, project_version=unit.project_version, step=step.name, slot=slot, run=run,
        assignee=assignee, state=TaskState.WAITING, label=_label(unit, step), sides=sides or {},
    )  # fmt: skip
    record(
        actor, Action.TASK_CREATED, "research.task", task.id,
        new={"assignee": assignee, "run": run, "slot": slot, "state": task.state, "step": step.name,
             "unit": str(unit.id)},
    )  # fmt: skip
    return task


def _label(unit: ReadingUnit, step: Step) -> str:
    if step.blinding.subject_label is SubjectLabel.CODE:
        return unit.subject.code
    return "R-" + "".join(secrets.choice(_LETTERS) for _ in range(6))
