"""Read tasks, reading units and placements."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Count, Q

from collegium.kit.errors import NotFound
from collegium.research.pipeline.models import ExamPlacement, ReadingUnit, Task
from collegium.research.pipeline.states import TO_DO, TaskState

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import QuerySet

    from collegium.kit.principals import Actor, Principal

_WITH = ("unit__subject", "unit__visit", "unit__exam", "project_version")


def my_tasks(principal: Principal, *, all_states: bool = False) -> QuerySet[Task]:
    """The tasks of one person over all projects, those to do first asked for, oldest due first."""
    rows = Task.objects.filter(assignee=principal.behalf.text).select_related(*_WITH)
    return (rows if all_states else rows.filter(state__in=TO_DO)).order_by("label", "id")


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
    found = rows.values_list("space_id", flat=True).first()
    if found is None:
        raise NotFound
    return found


def owner_of(task: Task) -> str:
    """The opaque text under which view grants and marks of a task are kept."""
    return f"research.task:{task.id}"


def locked_task(actor: Actor, task_id: UUID) -> Task:
    """A task of the actor's project, locked until the transaction ends. Raises NotFound."""
    rows = Task.objects.filter(space_id=actor.space, id=task_id).select_related(*_WITH)
    found = rows.select_for_update(of=("self",)).first()
    if found is None:
        raise NotFound
    return found


def tasks(actor: Actor) -> QuerySet[Task]:
    """All tasks of the actor's project, for those who manage them; newest first."""
    return Task.objects.filter(space_id=actor.space).select_related(*_WITH).order_by("-listing")


def tasks_of_unit(actor: Actor, unit_id: UUID) -> list[Task]:
    return list(Task.objects.filter(space_id=actor.space, unit_id=unit_id).order_by("listing"))


def units(actor: Actor) -> QuerySet[ReadingUnit]:
    """Reading units of the actor's project, oldest first."""
    rows = ReadingUnit.objects.filter(space_id=actor.space)
    return rows.select_related("subject", "visit", "exam", "project_version").order_by("id")


def exam_ids_of(unit: ReadingUnit) -> list[UUID]:
    """The exams a read of this unit may show."""
    if unit.exam_id:
        return [unit.exam_id]
    rows = ExamPlacement.objects.filter(space_id=unit.space_id, visit_id=unit.visit_id).order_by(
        "placed_at", "id"
    )
    return list(rows.values_list("exam_id", flat=True))


def placements(actor: Actor) -> QuerySet[ExamPlacement]:
    """Every arrived exam and where it belongs; those without a place first, then newest first."""
    rows = ExamPlacement.objects.filter(space_id=actor.space).select_related("exam", "subject", "visit")
    return rows.order_by("-unplaced", "-id")


def unplaced_count(actor: Actor) -> int:
    return ExamPlacement.objects.filter(space_id=actor.space).exclude(unplaced="").count()


def task_counts(actor: Actor) -> dict[str, int]:
    """Number of tasks by state."""
    rows = Task.objects.filter(space_id=actor.space).values_list("state").annotate(Count("id")).order_by()
    return dict(rows)


def load_of(actor: Actor, step: str) -> dict[str, int]:
    """Number of live tasks of a step by assignee."""
    rows = Task.objects.filter(space_id=actor.space, step=step).exclude(state=TaskState.CANCELLED)
    return dict(rows.values_list("assignee").annotate(Count("id")).order_by())


def finished_with_exam(actor: Actor, placement: ExamPlacement) -> QuerySet[Task]:
    """Submitted and signed tasks that were about this exam, alone or with its visit."""
    rows = Task.objects.filter(space_id=actor.space, state__in=(TaskState.SUBMITTED, TaskState.SIGNED))
    return rows.filter(
        Q(unit__exam_id=placement.exam_id) | Q(unit__exam__isnull=True, unit__visit_id=placement.visit_id)
    )


def signed_of_unit(actor: Actor, unit: ReadingUnit) -> list[Task]:
    """Signed tasks of this very unit."""
    rows = Task.objects.filter(space_id=actor.space, unit=unit, state=TaskState.SIGNED, entry__isnull=False)
    return list(rows.order_by("listing"))
