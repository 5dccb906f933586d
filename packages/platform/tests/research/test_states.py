"""The table of a task's states: every walk stays inside it, and nothing leads back into a signed read unseen."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collegium.research.pipeline.states import LIVE, MOVES, TO_DO, Move, MoveImpossible, TaskState, after

ENDED = {TaskState.CANCELLED, TaskState.SUPERSEDED}


@pytest.mark.requirement("R04")
@settings(deadline=None)  # the machine is shared
@given(moves=st.lists(st.sampled_from(Move), max_size=40))
def test_any_walk_of_moves_stays_in_the_table_and_a_refused_move_changes_nothing(moves: list[Move]) -> None:
    trail = [TaskState.WAITING]
    for move in moves:
        following = MOVES.get((trail[-1], move))
        if following is None:
            with pytest.raises(MoveImpossible):
                after(trail[-1], move)
        else:
            trail.append(after(trail[-1], move))

    steps = list(pairwise(trail))
    assert all(before is TaskState.SUBMITTED for before, now in steps if now is TaskState.SIGNED)
    assert all(before not in ENDED for before, _ in steps)


def test_every_state_but_the_ended_has_a_way_on_and_every_state_can_be_reached() -> None:
    leaving = {state for state, _ in MOVES}
    reached = {TaskState.WAITING, *MOVES.values()}

    assert set(TaskState) - leaving == ENDED
    assert reached == set(TaskState)
    assert set(TO_DO) < leaving
    assert set(TaskState) - set(LIVE) == ENDED


@pytest.mark.parametrize("move", [move for move in Move if move not in (Move.CORRECT, Move.REPLACE)])
def test_a_signed_task_moves_only_by_a_correction_or_another_run(move: Move) -> None:
    with pytest.raises(MoveImpossible):
        after(TaskState.SIGNED, move)
