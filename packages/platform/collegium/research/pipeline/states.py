"""The states of a task and the only moves between them: one table, no logic."""

from __future__ import annotations

import enum

from collegium.kit.errors import Conflict


class TaskState(enum.StrEnum):
    WAITING = "waiting"
    """Its rule does not hold yet."""
    OPEN = "open"
    IN_PROGRESS = "in_progress"
    SUBMITTED = "submitted"
    SIGNED = "signed"
    CANCELLED = "cancelled"
    SUPERSEDED = "superseded"
    """Signed, and then its step was run again: readable for ever, counted no more."""


class Move(enum.StrEnum):
    OPEN = "open"
    BEGIN = "begin"
    SUBMIT = "submit"
    SIGN = "sign"
    CORRECT = "correct"
    CANCEL = "cancel"
    REPLACE = "replace"
    HOLD = "hold"


MOVES: dict[tuple[TaskState, Move], TaskState] = {
    (TaskState.WAITING, Move.OPEN): TaskState.OPEN,
    (TaskState.OPEN, Move.BEGIN): TaskState.IN_PROGRESS,
    (TaskState.OPEN, Move.HOLD): TaskState.WAITING,
    (TaskState.IN_PROGRESS, Move.SUBMIT): TaskState.SUBMITTED,
    (TaskState.SUBMITTED, Move.SIGN): TaskState.SIGNED,
    (TaskState.SUBMITTED, Move.CORRECT): TaskState.IN_PROGRESS,
    (TaskState.SIGNED, Move.CORRECT): TaskState.IN_PROGRESS,
    (TaskState.WAITING, Move.CANCEL): TaskState.CANCELLED,
    (TaskState.OPEN, Move.CANCEL): TaskState.CANCELLED,
    (TaskState.IN_PROGRESS, Move.CANCEL): TaskState.CANCELLED,
    (TaskState.SUBMITTED, Move.CANCEL): TaskState.CANCELLED,
    (TaskState.SIGNED, Move.REPLACE): TaskState.SUPERSEDED,
}

NO_CONDITION = "Its condition does not hold."
"""The note of a task that the pipeline cancelled because its rule is false."""
UNDECIDED = "Its condition cannot be decided from the signed answers. A person has to decide."
"""The note of a task that waits for a person."""
OVERTAKEN = "Its person has begun a later visit of this subject. A person has to decide."
"""The note of a task that waits because its visit came late (decision 0037)."""
TAKEN_BACK = "Its exam was taken out of the visit."
"""The note of a task that was cancelled because nothing is left to be read; it is made again with the next exam."""

NOT_BEGUN = (TaskState.WAITING, TaskState.OPEN)
"""States in which nobody has opened a task yet."""
TO_DO = (TaskState.OPEN, TaskState.IN_PROGRESS, TaskState.SUBMITTED)
"""States in which the reader has something to do."""
LIVE = (TaskState.WAITING, *TO_DO, TaskState.SIGNED)
"""States of a task that counts; the others keep what was, and another run may have taken their place."""


class MoveImpossible(Conflict):
    """The task is in a state from which this move does not lead."""

    code = "research.task.move_impossible"
    message = "The task's state does not allow this. Load it again."

    def __init__(self, state: TaskState, move: Move) -> None:
        super().__init__()
        self.state, self.move = state, move


def after(state: TaskState, move: Move) -> TaskState:
    """The state a move leads to.

    Raises:
        MoveImpossible: the table has no such move.
    """
    following = MOVES.get((state, move))
    if following is None:
        raise MoveImpossible(state, move)
    return following
