"""Read tasks, reading units and placements."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import Count, Max, Q

from collegium.forms import queries as forms
from collegium.kit import clock
from collegium.kit.errors import NotFound
from collegium.research.pipeline.models import Discrepancy, ExamPlacement, ReadingUnit, Task
from collegium.research.pipeline.states import LIVE, TO_DO, TaskState
from collegium.research.projects import queries as projects
from collegium.research.projects.definition import About, QcVerdict, Timepoints

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from uuid import UUID

    from django.db.models import QuerySet

    from collegium.kit.principals import Actor, Principal
    from collegium.research.projects.models import Subject

_NOT_THEIRS = (TaskState.WAITING, TaskState.CANCELLED)
"""States of tasks that their person does not see."""
_WITH = ("unit__subject__site", "unit__visit", "unit__exam", "project_version")


def my_tasks(principal: Principal, *, all_states: bool = False) -> QuerySet[Task]:
    """The tasks of one person over all projects, those to do first asked for, oldest due first.

    One that was cancelled is not there, as one that was given to another: why it left would tell what it was about.
    """
    rows = Task.objects.filter(assignee=principal.behalf.text).exclude(state__in=_NOT_THEIRS)
    rows = rows.select_related(*_WITH)
    return (rows if all_states else rows.filter(state__in=TO_DO)).order_by("label", "id")


def listed(rows: QuerySet[Task]) -> QuerySet[Task]:
    """For a list: without what only an opened task needs, each project version once and not once a task."""
    return rows.select_related(None).prefetch_related("project_version")


def following(principal: Principal, rows: QuerySet[Task], task_id: UUID) -> QuerySet[Task]:
    """Of a person's tasks, those that stand after one of them in the list."""
    last = (
        Task.objects.filter(assignee=principal.behalf.text, id=task_id)
        .values_list("label", flat=True)
        .first()
    )
    if last is None:
        return rows
    return rows.filter(Q(label__gt=last) | Q(label=last, id__gt=task_id))


def own_task(principal: Principal, task_id: UUID) -> Task:
    """A task of this very person.

    Raises:
        NotFound: there is none, it is somebody else's, or its project is closed to them: all the same.
    """
    found = my_tasks(principal, all_states=True).filter(id=task_id).first()
    if found is None:
        raise NotFound
    return found


def space_of_own_task(principal: Principal, task_id: UUID) -> UUID:
    """Where a task of this very person is. Raises NotFound, as `own_task` does."""
    rows = Task.objects.filter(id=task_id, assignee=principal.behalf.text)
    found = rows.exclude(state=TaskState.CANCELLED).values_list("space_id", flat=True).first()
    if found is None:
        raise NotFound
    return found


def owner_of(task: Task) -> str:
    """The opaque text under which view grants and marks of a task are kept."""
    return f"research.task:{task.id}"


def task(actor: Actor, task_id: UUID | str) -> Task:
    """A task of the actor's project. Raises NotFound."""
    found = Task.objects.filter(space_id=actor.space, id=task_id).select_related(*_WITH).first()
    if found is None:
        raise NotFound
    return found


def locked_task(actor: Actor, task_id: UUID) -> Task:
    """A task of the actor's project, locked until the transaction ends. Raises NotFound."""
    rows = Task.objects.filter(space_id=actor.space, id=task_id).select_related(*_WITH)
    found = rows.select_for_update(of=("self",)).first()
    if found is None:
        raise NotFound
    return found


def tasks(actor: Actor) -> QuerySet[Task]:
    """All tasks of the actor's project, for those who manage them; newest first."""
    rows = Task.objects.filter(space_id=actor.space).select_related("unit__subject__site", "unit__visit")
    # A version holds the whole project file: once each, not once a task.
    return rows.prefetch_related("project_version").order_by("-listing")


def narrowed(rows: QuerySet[Task], asked: Mapping[str, str]) -> QuerySet[Task]:
    """Of these, the tasks in a state, of a step, of a site's subjects, or late. What is not asked narrows nothing."""
    if asked.get("state") in list(TaskState):
        rows = rows.filter(state=asked["state"])
    if asked.get("step"):
        rows = rows.filter(step=asked["step"])
    if asked.get("site"):
        rows = rows.filter(unit__subject__site__code=asked["site"])
    if asked.get("late"):
        rows = rows.filter(state__in=TO_DO, due_on__lt=clock.now().date())
    return rows


def tasks_of_unit(actor: Actor, unit_id: UUID) -> list[Task]:
    rows = Task.objects.filter(space_id=actor.space, unit_id=unit_id).select_related(*_WITH)
    return list(rows.order_by("listing"))


def tasks_of_subject(actor: Actor, subject: Subject) -> list[Task]:
    """Every task of a subject, in order of birth."""
    rows = Task.objects.filter(space_id=actor.space, unit__subject=subject).select_related(*_WITH)
    return list(rows.order_by("listing"))


def is_newest_run(actor: Actor, task: Task) -> bool:
    """Whether no later run of the same slot exists."""
    rows = Task.objects.filter(space_id=actor.space, unit_id=task.unit_id, step=task.step, slot=task.slot)
    return not rows.filter(run__gt=task.run).exists()


def subject_id_of(actor: Actor, task_id: UUID) -> UUID:
    """Whose a task is, to be locked before the task. Raises NotFound."""
    rows = Task.objects.filter(space_id=actor.space, id=task_id)
    found = rows.values_list("unit__subject_id", flat=True).first()
    if found is None:
        raise NotFound
    return found


def person_of_slot(actor: Actor, task: Task) -> str:
    """Who has this slot of the step for the subject's other visits, newest first; empty when nobody."""
    rows = Task.objects.filter(
        space_id=actor.space, unit__subject=task.unit.subject, step=task.step, slot=task.slot, state__in=LIVE
    )
    found = rows.exclude(id=task.id).exclude(assignee="").order_by("-listing")
    return found.values_list("assignee", flat=True).first() or ""


def people_of_step(
    actor: Actor, unit: ReadingUnit, step: str, *, ever: bool = False, whole_subject: bool = False
) -> set[str]:
    """Who has a task of the step for this unit; `ever` counts tasks that no longer count.

    `whole_subject`: for any unit of its subject.
    """
    rows = _of_step(actor, unit, step, whole_subject=whole_subject)
    if not ever:
        rows = rows.filter(state__in=LIVE)
    return set(rows.values_list("assignee", flat=True))


def people_who_handed_back(actor: Actor, unit: ReadingUnit, step: str, *, whole_subject: bool) -> set[str]:
    """Who gave a task of the step back themselves, for this unit or any of its subject."""
    rows = _of_step(actor, unit, step, whole_subject=whole_subject).filter(was_handed_back=True)
    return set(rows.values_list("assignee", flat=True))


def _of_step(actor: Actor, unit: ReadingUnit, step: str, *, whole_subject: bool) -> QuerySet[Task]:
    about = Q(unit__subject=unit.subject) if whole_subject else Q(unit=unit)
    return Task.objects.filter(about, space_id=actor.space, step=step).exclude(assignee="")


def subjects_by_task(actor: Actor, task_ids: Collection[str]) -> dict[str, UUID]:
    """The subject of each of these tasks, by the task's id as text."""
    rows = Task.objects.filter(space_id=actor.space, id__in=list(task_ids))
    return {str(task_id): subject_id for task_id, subject_id in rows.values_list("id", "unit__subject_id")}


def to_do_of(actor: Actor, assignee: str, step: str) -> list[Task]:
    """What one person has to do of a step, locked, for the fixing of an order."""
    rows = Task.objects.filter(space_id=actor.space, assignee=assignee, step=step, state__in=TO_DO)
    return list(rows.select_for_update(of=("self",)).order_by("id"))


def last_position(actor: Actor, assignee: str, step: str) -> int:
    rows = Task.objects.filter(space_id=actor.space, assignee=assignee, step=step)
    return rows.aggregate(last=Max("position"))["last"] or 0


def newest_discrepancy(actor: Actor, unit: ReadingUnit, step: str) -> Discrepancy | None:
    """How the reads of a unit were judged last."""
    rows = Discrepancy.objects.filter(space_id=actor.space, unit=unit, step=step)
    return rows.order_by("-number").first()


def newest_discrepancies(actor: Actor, step: str) -> list[Discrepancy]:
    """How the reads of each unit were judged last."""
    rows = Discrepancy.objects.filter(space_id=actor.space, step=step).order_by("unit_id", "-number")
    return list(rows.distinct("unit_id"))


def undecided(actor: Actor) -> list[Discrepancy]:
    """Judgements that the rule could not make and nobody has made yet."""
    newest = Discrepancy.objects.filter(space_id=actor.space).order_by("unit_id", "step", "-number")
    rows = newest.distinct("unit_id", "step").select_related("unit__subject", "unit__visit")
    return [one for one in rows if one.outcome == Discrepancy.Outcome.UNKNOWN]


def discrepancies(actor: Actor) -> QuerySet[Discrepancy]:
    """Every judgement of the actor's project, newest first."""
    rows = Discrepancy.objects.filter(space_id=actor.space)
    return rows.select_related("unit__subject", "unit__visit").order_by("-id")


def discrepancy(actor: Actor, discrepancy_id: UUID) -> Discrepancy:
    """Raises NotFound."""
    rows = Discrepancy.objects.filter(space_id=actor.space, id=discrepancy_id)
    found = rows.select_related("unit__subject", "unit__project_version").first()
    if found is None:
        raise NotFound
    return found


def units(actor: Actor) -> QuerySet[ReadingUnit]:
    """Reading units of the actor's project, oldest first."""
    rows = ReadingUnit.objects.filter(space_id=actor.space)
    return rows.select_related("subject__site", "visit", "exam", "project_version").order_by("id")


def exam_ids_of(task: Task) -> list[UUID]:
    """The exams a task may show, in the order of timepoints: earlier visits first where its step shows them."""
    return [exam_id for visit in visits_shown(task) for exam_id in visit.exam_ids]


@dataclass(frozen=True, slots=True)
class ShownVisit:
    """A timepoint as a task shows it."""

    code: str
    exam_ids: tuple[UUID, ...]
    is_own: bool = True
    """False of an earlier visit: shown beside it, and never drawn on."""


def visits_shown(task: Task) -> list[ShownVisit]:
    """The timepoints of a task, its own last. None of a task about a subject: it shows no images.

    An earlier visit is shown once it was let in itself: a task of the same step about it is open or further. What QC
    refused or has not looked at yet is not there; nor, where timepoints are locked, what this reader's own slot waits
    with or leaves out.
    """
    unit = task.unit
    if unit.visit is None:
        return []
    if unit.exam_id:
        return [ShownVisit(unit.visit.code, (unit.exam_id,))]
    wanted = [*_let_in_before(task), unit.visit.code]
    rows = ExamPlacement.objects.filter(
        space_id=unit.space_id, subject=unit.subject, visit__code__in=wanted
    ).order_by("placed_at", "id")
    by_visit: dict[str, list[UUID]] = {code: [] for code in wanted}
    for code, exam_id in rows.values_list("visit__code", "exam_id"):
        by_visit[code].append(exam_id)
    return [
        ShownVisit(code, tuple(found), is_own=code == unit.visit.code)
        for code, found in by_visit.items()
        if found
    ]


def _let_in_before(task: Task) -> list[str]:
    """The earlier visits whose images a task stands beside, in order; of an adjudication, those of its reads."""
    definition = projects.definition(task.project_version)
    step, visit = definition.step(task.step), task.unit.visit
    if step.timepoints is Timepoints.ALONE or visit is None:
        return []
    rows = Task.objects.filter(
        space_id=task.space_id, unit__subject=task.unit.subject, unit__about=About.VISIT,
        step=step.adjudication.of if step.adjudication else step.name, state__in=(*TO_DO, TaskState.SIGNED),
    )  # fmt: skip
    if step.timepoints is Timepoints.LOCKED and not step.adjudication:
        rows = rows.filter(slot=task.slot)
    let_in = set(rows.values_list("unit__visit__code", flat=True))
    return [code for code in definition.visits_before(visit.code) if code in let_in]


def earlier_tasks(actor: Actor, task: Task) -> dict[str, Task | None]:
    """By code, in order: the subject's visits before this one, each with the same reader's signed task, or None."""
    if task.unit.visit is None:
        return {}
    before = projects.definition(task.project_version).visits_before(task.unit.visit.code)
    units = ReadingUnit.objects.filter(
        space_id=actor.space, subject=task.unit.subject, visit__code__in=before, about=About.VISIT,
        visit__is_empty=False,
    )  # fmt: skip
    had = set(units.values_list("visit__code", flat=True))
    rows = Task.objects.filter(
        space_id=actor.space, unit__in=units, step=task.step, slot=task.slot, assignee=task.assignee,
        state=TaskState.SIGNED,
    ).select_related(*_WITH)  # fmt: skip
    signed = {one.unit.visit.code: one for one in rows if one.unit.visit}
    return {code: signed.get(code) for code in before if code in had}


def later_tasks(actor: Actor, task: Task) -> list[UUID]:
    """The same slot of the step at later visits of the subject, in whatever state; by the newest plan of visits."""
    if task.unit.visit is None:
        return []
    newest = projects.definition(projects.current_version(actor))
    earlier = {task.unit.visit.code, *newest.visits_before(task.unit.visit.code)}
    rows = Task.objects.filter(
        space_id=actor.space, unit__subject=task.unit.subject, step=task.step, slot=task.slot
    )
    return list(rows.exclude(unit__visit__code__in=earlier).values_list("id", flat=True))


def placements(actor: Actor) -> QuerySet[ExamPlacement]:
    """Every arrived exam and where it belongs; those without a place first, then newest first."""
    rows = ExamPlacement.objects.filter(space_id=actor.space).select_related("exam", "subject", "visit")
    return rows.order_by("-unplaced", "-id")


def waiting_placements(actor: Actor) -> list[ExamPlacement]:
    """The exams without a place, all locked until the transaction ends: placements before subjects."""
    rows = placements(actor).exclude(unplaced="").select_for_update(of=("self",))
    return list(rows.order_by("exam__subject_code", "id"))


def placement(actor: Actor, exam_id: UUID) -> ExamPlacement:
    """Where an exam belongs, locked until the transaction ends. Raises NotFound."""
    rows = ExamPlacement.objects.filter(space_id=actor.space, exam_id=exam_id)
    found = rows.select_related("exam", "subject__site", "visit").select_for_update(of=("self",)).first()
    if found is None:
        raise NotFound
    return found


def placed_in(actor: Actor, visit_id: UUID) -> list[ExamPlacement]:
    """The exams of a visit, the first placed first."""
    rows = ExamPlacement.objects.filter(space_id=actor.space, visit_id=visit_id).select_related("exam")
    return list(rows.order_by("placed_at", "id"))


def tasks_with_exam(actor: Actor, placement: ExamPlacement) -> list[Task]:
    """Every task about an exam or about its visit."""
    rows = Task.objects.filter(space_id=actor.space).select_related(*_WITH)
    about = Q(unit__exam_id=placement.exam_id) | Q(unit__exam__isnull=True, unit__visit_id=placement.visit_id)
    return list(rows.filter(about).order_by("listing"))


def task_counts(actor: Actor) -> dict[str, int]:
    """Number of tasks by state."""
    rows = Task.objects.filter(space_id=actor.space).values_list("state").annotate(number=Count("*"))
    return dict(rows.order_by())


def load_of(actor: Actor, step: str) -> dict[str, int]:
    """Number of live tasks of a step by assignee."""
    rows = Task.objects.filter(space_id=actor.space, step=step).exclude(state=TaskState.CANCELLED)
    return dict(rows.values_list("assignee").annotate(Count("id")).order_by())


def begun_with_exam(actor: Actor, placement: ExamPlacement) -> QuerySet[Task]:
    """Drafted, submitted and signed tasks that are about this exam, alone or with its visit."""
    begun = (TaskState.IN_PROGRESS, TaskState.SUBMITTED, TaskState.SIGNED)
    rows = Task.objects.filter(space_id=actor.space, state__in=begun)
    return rows.filter(
        Q(unit__exam_id=placement.exam_id) | Q(unit__exam__isnull=True, unit__visit_id=placement.visit_id)
    )


def signed_checks(actor: Actor, subject: Subject, visit_id: UUID) -> list[Task]:
    """Signed QC tasks of a visit, of its exams, or of the subject's visit that an exam came to."""
    rows = Task.objects.filter(
        space_id=actor.space, unit__subject=subject, unit__visit_id=visit_id, state=TaskState.SIGNED
    ).select_related(*_WITH)
    return [task for task in rows if projects.definition(task.project_version).step(task.step).verdict]


def waiting_for_correction(actor: Actor, visit_id: UUID) -> list[Task]:
    """Signed QC tasks of a visit, or of its exams, that asked for a corrective action."""
    rows = Task.objects.filter(
        space_id=actor.space, unit__visit_id=visit_id, state=TaskState.SIGNED, entry__isnull=False
    ).select_related(*_WITH, "entry__form_version")
    found = []
    for task in rows:
        step = projects.definition(task.project_version).step(task.step)
        if step.verdict and task.entry:
            verdict = forms.counted_answers(task.entry).get(step.verdict)
            if verdict and verdict.value == QcVerdict.CORRECT:
                found.append(task)
    return found
