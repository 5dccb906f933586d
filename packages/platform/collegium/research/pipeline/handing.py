"""Give a task to a named person, begun or not. What was drafted stays readable in the run that ends.

Lock order: subject, then task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collegium.research.pipeline import making, queries
from collegium.research.pipeline.advancing import advance
from collegium.research.pipeline.errors import CannotHaveTask
from collegium.research.pipeline.moving import move_task
from collegium.research.pipeline.services import reason_of, reassign_task, require_no_conflict
from collegium.research.pipeline.states import Move, TaskState
from collegium.research.projects import queries as projects
from collegium.trust.access.policies import Permission, require

if TYPE_CHECKING:
    from uuid import UUID

    from collegium.kit.principals import Actor, Principal
    from collegium.research.pipeline.models import Task

GIVEN = (TaskState.WAITING, TaskState.OPEN, TaskState.IN_PROGRESS)
"""States in which a task can be given to another person."""


def give_to(*, actor: Actor, task_id: UUID, to: Principal, reason: str) -> Task:
    """Give a task that is not submitted to another person; one that was begun ends, and its next run is theirs.

    Returns the task that the other person has.

    Raises:
        TaskStarted: it was submitted; run the step again instead.
        ConflictOfInterest: refused, and kept in the trail.
        CannotHaveTask: not of the role or site, or reading the same thing in another slot.
        ReasonNeeded: nothing was given.
    """
    require(actor, Permission.TASK_MANAGE)
    subject = projects.locked_subject(actor, queries.subject_id_of(actor, task_id))
    task = queries.locked_task(actor, task_id)
    if task.state != TaskState.IN_PROGRESS:
        reassign_task(actor=actor, task_id=task_id, to=to, reason=reason)
        return queries.task(actor, task_id)
    require_no_conflict(actor, task, to.text)
    step = projects.definition(task.project_version).step(task.step)
    if to.text not in candidates(actor, task) or making.is_shared(actor, task, step):
        raise CannotHaveTask
    move_task(actor=actor, task=task, move=Move.CANCEL, note=reason_of(reason))
    fresh = making.make_again(actor, task, keeps_person=False, sides=task.sides, to=to.text)
    making.follow(actor, fresh)
    advance(actor=actor, subject=subject)
    return queries.task(actor, fresh.id)


def candidates(actor: Actor, task: Task, *, is_recorded: bool = True) -> list[str]:
    """Who could be given a task, in order of joining: may have it, and has none of its step for the same thing."""
    step = projects.definition(task.project_version).step(task.step)
    taken = queries.people_of_step(actor, task.unit, task.step)
    return [
        one for one in making.allowed(actor, task.unit, step, is_recorded=is_recorded) if one not in taken
    ]
