"""Visits that came late: their reader has begun a later one, and a person decides what becomes of them (decision 0037).

Lock order: subject, then task.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

from collegium.research.pipeline import queries
from collegium.research.pipeline.advancing import advance
from collegium.research.pipeline.errors import DecisionNotNeeded, LaterIsWithAnother
from collegium.research.pipeline.models import Sequence
from collegium.research.pipeline.moving import move_task
from collegium.research.pipeline.placers import require_placer
from collegium.research.pipeline.sequence import overtaken_by
from collegium.research.pipeline.services import reason_of, run_again
from collegium.research.pipeline.states import OVERTAKEN, Move, TaskState
from collegium.research.projects import queries as projects
from collegium.trust.audit.actions import Action
from collegium.trust.audit.services import record

if TYPE_CHECKING:
    from uuid import UUID

    from collegium.kit.principals import Actor
    from collegium.research.pipeline.models import Task


class Late(enum.StrEnum):
    """What may become of a late visit."""

    AGAIN = "again"
    """The later reads are superseded, and read again after it."""
    OUT = "out"
    """It is read now, out of sequence, and its result says so."""
    LEAVE_OUT = "leave_out"
    """It is not read."""


def decide_late_visit(*, actor: Actor, task_id: UUID, decision: Late, reason: str) -> None:
    """Decide for a late visit, for every reader of the step who waits as this task's does.

    Raises:
        Refused, NotFound: the actor does not decide about this subject.
        DecisionNotNeeded: the task does not wait for this, or somebody decided.
        LaterIsWithAnother: a later visit that its reader has seen is not theirs any more, so it cannot be read again.
        ReasonNeeded: nothing was decided.
    """
    subject = projects.locked_subject(actor, queries.subject_id_of(actor, task_id))
    require_placer(actor, subject)
    task, why = queries.locked_task(actor, task_id), reason_of(reason)
    if not _waits(task):
        raise DecisionNotNeeded
    held = [
        one for one in queries.tasks_of_unit(actor, task.unit_id) if one.step == task.step and _waits(one)
    ]
    later = _later(actor, held) if decision is Late.AGAIN else []
    for one in held:
        record(
            actor, Action.LATE_VISIT_DECIDED, "research.task", one.id,
            new={"decision": decision.value, "again": [str(other.id) for other in later]}, reason=why,
        )  # fmt: skip
        if decision is not Late.AGAIN:
            _settle(actor, queries.locked_task(actor, one.id), decision, why)
    for one in later:
        # The first of them takes those after it along.
        if queries.is_newest_run(actor, one):
            run_again(actor, queries.locked_task(actor, one.id), why)
    advance(actor=actor, subject=subject)


def held_visits(actor: Actor) -> list[Task]:
    """The tasks that wait for such a decision, oldest first."""
    rows = queries.tasks(actor).filter(state=TaskState.WAITING, note=OVERTAKEN)
    return list(rows.order_by("listing"))


def _waits(task: Task) -> bool:
    return task.state == TaskState.WAITING and task.note == OVERTAKEN


def _later(actor: Actor, held: list[Task]) -> list[Task]:
    """The later tasks that would be read again, the earliest visit first."""
    of_subject = queries.tasks_of_subject(actor, held[0].unit.subject)
    found = [later for one in held for later in overtaken_by(of_subject, one)]
    if not all(queries.is_newest_run(actor, one) for one in found):
        raise LaterIsWithAnother
    return found


def _settle(actor: Actor, task: Task, decision: Late, why: str) -> None:
    task.sequence = Sequence.OUT if decision is Late.OUT else Sequence.LEFT_OUT
    task.save(update_fields=["sequence"])
    if decision is Late.LEAVE_OUT:
        move_task(actor=actor, task=task, move=Move.CANCEL, note=why)
