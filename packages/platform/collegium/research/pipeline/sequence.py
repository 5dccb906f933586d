"""The order of a subject's visits for one reader, where timepoints are locked (R28). No database.

Two things keep a task from opening: an earlier visit that its person has not signed, and a later visit that its
person has begun. The first passes by itself; about the second somebody decides (decision 0037).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collegium.research.pipeline.models import Sequence
from collegium.research.pipeline.states import NO_CONDITION, TAKEN_BACK, TaskState
from collegium.research.projects import queries as projects
from collegium.research.projects.definition import Timepoints

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from collegium.research.pipeline.models import Task

_BEGUN = (TaskState.IN_PROGRESS, TaskState.SUBMITTED, TaskState.SIGNED, TaskState.SUPERSEDED)


def newest_runs(tasks: Iterable[Task]) -> list[Task]:
    """Of each unit, step and slot among these tasks the newest run."""
    newest: dict[tuple[UUID, str, int], Task] = {}
    for task in sorted(tasks, key=lambda one: one.run):
        newest[task.unit_id, task.step, task.slot] = task
    return list(newest.values())


def earlier_are_signed(tasks: Iterable[Task], task: Task) -> bool:
    """Whether this very person signed every earlier visit of the subject, where the step is locked.

    A visit whose task was cancelled by a person, or belongs to somebody else, stands in the way: only another run of
    it opens the later ones. A visit that was left out, or has no exam any more, does not.

    Args:
        tasks: all tasks of the subject.
        task: the one to open.
    """
    if not _is_locked(task):
        return True
    earlier = newest_runs(one for one in tasks if is_later(task, one))
    return all(_is_out_of_the_way(one, task.assignee) for one in earlier)


def overtaken_by(tasks: Iterable[Task], task: Task) -> list[Task]:
    """The later visits that a locked task's person has begun, the earliest first; none once somebody decided.

    Of several runs the person's newest counts: who reads all of it again in order is not overtaken. In which slot
    it was does not matter, for the person knows the images.

    Args:
        tasks: all tasks of the subject.
        task: the one to open.
    """
    if not _is_locked(task) or not task.assignee or task.sequence:
        return []
    own = (one for one in tasks if (one.step, one.assignee) == (task.step, task.assignee))
    later = newest_runs(one for one in own if _is_visit_before(task, one))
    return sorted((one for one in later if one.begun_at or one.state in _BEGUN), key=_place)


def is_later(task: Task, than: Task) -> bool:
    """Whether a task is the same slot of the same step at a later visit of the same subject."""
    if (task.step, task.slot) != (than.step, than.slot) or task.unit.subject_id != than.unit.subject_id:
        return False
    if task.unit.visit is None or than.unit.visit is None:
        return False
    before = projects.definition(task.project_version).visits_before(task.unit.visit.code)
    return than.unit.visit.code in before


def _is_locked(task: Task) -> bool:
    return projects.definition(task.project_version).step(task.step).timepoints is Timepoints.LOCKED


def _is_visit_before(task: Task, other: Task) -> bool:
    """Whether a task's visit is planned before the other's, by the plan of the task that came last: it knows both."""
    if task.unit.visit is None or other.unit.visit is None or task.unit.subject_id != other.unit.subject_id:
        return False
    plans = {one.project_version_id: one.project_version for one in (task, other)}.values()
    newest = projects.definition(max(plans, key=lambda version: version.version))
    return task.unit.visit.code in newest.visits_before(other.unit.visit.code)


def _place(task: Task) -> int:
    assert task.unit.visit
    return len(projects.definition(task.project_version).visits_before(task.unit.visit.code))


def _is_out_of_the_way(earlier: Task, person: str) -> bool:
    if earlier.state == TaskState.CANCELLED:
        return earlier.note in (NO_CONDITION, TAKEN_BACK) or earlier.sequence == Sequence.LEFT_OUT
    return earlier.state == TaskState.SIGNED and earlier.assignee == person
