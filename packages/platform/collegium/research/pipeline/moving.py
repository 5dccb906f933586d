"""Move a task by the table: the one place where a task's state changes."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from collegium.imaging.grants import services as grants
from collegium.kit import clock, live
from collegium.kit.principals import Principal
from collegium.notifications.models import NotificationKind
from collegium.notifications.services import tell, withdraw
from collegium.research.pipeline import queries
from collegium.research.pipeline.states import OVERTAKEN, Move, TaskState, after
from collegium.research.projects import queries as projects
from collegium.trust.audit.actions import Action
from collegium.trust.audit.services import record

if TYPE_CHECKING:
    from collegium.kit.principals import Actor
    from collegium.research.pipeline.models import Task

_ACTIONS = {
    Move.OPEN: Action.TASK_OPENED,
    Move.BEGIN: Action.TASK_BEGUN,
    Move.CANCEL: Action.TASK_CANCELLED,
    Move.REPLACE: Action.TASK_SUPERSEDED,
}
"""Submitting, signing and correcting are recorded by the read, with more to say."""
TOLD = (NotificationKind.TASK_OPENED, NotificationKind.ADJUDICATION_OPENED)
"""What a task's person is told, and what is withdrawn when it is not theirs to begin any more."""
_ENDS_SIGHT = (Move.CANCEL, Move.REPLACE)
_SEEN = (TaskState.IN_PROGRESS, TaskState.SUBMITTED, TaskState.SIGNED)


def move_task(*, actor: Actor, task: Task, move: Move, note: str = "") -> None:
    """Move a locked task by the table; cancelling or replacing it ends the sight of its images.

    Raises:
        MoveImpossible: the table has no such move.
    """
    before = TaskState(task.state)
    if task.note == OVERTAKEN:
        withdraw(actor, about=task.id, kinds=[NotificationKind.VISIT_LATE])
    task.state = after(before, move)
    task.changed_at = clock.now()
    task.note = note
    if move is Move.OPEN:
        task.due_on = _due_on(task)
    if (
        move is Move.BEGIN or before in _SEEN
    ):  # what an older version began has no time yet, and is seen all the same
        task.begun_at = task.begun_at or task.changed_at
    task.save(update_fields=["state", "changed_at", "note", "due_on", "begun_at"])
    action = _ACTIONS.get(move)
    if action:
        record(
            actor, action, "research.task", task.id, old={"state": before.value}, new={"state": task.state},
            reason=note,
        )  # fmt: skip
    if move in _ENDS_SIGHT:
        grants.revoke_all(actor, owner=queries.owner_of(task), reason=note)
    live.changed(space=actor.space, thing="tasks")
    if before is TaskState.OPEN:
        withdraw(actor, about=task.id, kinds=TOLD)
    tell_assignee(actor, task)


def tell_assignee(actor: Actor, task: Task) -> None:
    """Wake the pages of a task's person, and tell them when there is something to do. Names no subject, ever."""
    if not task.assignee:
        return
    person = Principal.parse(task.assignee)
    live.changed(person=person.id, thing="tasks")
    if task.state == TaskState.OPEN:
        step = projects.definition(task.project_version).step(task.step)
        kind = NotificationKind.ADJUDICATION_OPENED if step.adjudication else NotificationKind.TASK_OPENED
        tell(actor, to=person, kind=kind, address="/tasks/", about=task.id)


def _due_on(task: Task) -> date | None:
    """The Sunday after the step's days: a whole week of tasks shares it, so it tells no exam's day of arrival (R22)."""
    days = projects.definition(task.project_version).step(task.step).due_days
    if days is None:
        return None
    due = clock.now().date() + timedelta(days=days)
    return due + timedelta(days=6 - due.weekday())
