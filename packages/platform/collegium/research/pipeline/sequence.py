"""The order of a subject's visits for one reader: what is signed before a locked timepoint (R28). No database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collegium.research.pipeline.states import NO_CONDITION, TaskState
from collegium.research.projects import queries as projects
from collegium.research.projects.definition import Timepoints

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from collegium.research.pipeline.models import Task


def earlier_are_signed(tasks: Iterable[Task], task: Task) -> bool:
    """Whether this very person signed every earlier visit of the subject, where the step is locked.

    A visit whose task was cancelled by a person, or belongs to somebody else, stands in the way: only another run of
    it opens the later ones.

    Args:
        tasks: all tasks of the subject.
        task: the one to open.
    """
    if projects.definition(task.project_version).step(task.step).timepoints is not Timepoints.LOCKED:
        return True
    newest: dict[UUID, Task] = {}
    for one in sorted(tasks, key=lambda each: each.run):
        if is_later(task, one):
            newest[one.unit_id] = one
    return all(_is_out_of_the_way(one, task.assignee) for one in newest.values())


def is_later(task: Task, than: Task) -> bool:
    """Whether a task is the same slot of the same step at a later visit of the same subject."""
    if (task.step, task.slot) != (than.step, than.slot) or task.unit.subject_id != than.unit.subject_id:
        return False
    if task.unit.visit is None or than.unit.visit is None:
        return False
    before = projects.definition(task.project_version).visits_before(task.unit.visit.code)
    return than.unit.visit.code in before


def _is_out_of_the_way(earlier: Task, person: str) -> bool:
    if earlier.state == TaskState.CANCELLED:
        return earlier.note == NO_CONDITION
    return earlier.state == TaskState.SIGNED and earlier.assignee == person
