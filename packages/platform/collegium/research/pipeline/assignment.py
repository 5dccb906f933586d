"""Who gets a task: pure draws over people, repeatable from what the audit says of them. No database.

A random draw orders the people by SHA-256 of seed, key and person: the same seed, key and people give the same list
on any machine, whatever was drawn before (R20).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from collegium.kit.rules import ItemType, ValueType, Verdict, compile_rule
from collegium.research.projects.definition import How

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from collegium.research.projects.definition import Assignment

_TEXT = ItemType(ValueType.TEXT)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who may have a task, and how many of the step they have already. Listed in order of joining."""

    principal: str
    load: int


def role_for(assign: Assignment, role: str, facts: Mapping[str, str]) -> str:
    """The role whose people are asked: the step's, or that of the first rule that is true of `facts`.

    Args:
        assign: the step's.
        role: the step's role, for all that no rule names.
        facts: `site`, `visit` and `subject` as codes.
    """
    types = dict.fromkeys(facts, _TEXT)
    for rule in assign.rules:
        if compile_rule(rule.rule, types).judge(facts) is Verdict.TRUE:
            return rule.role
    return role


def draw(assign: Assignment, candidates: Sequence[Candidate], *, key: str, count: int) -> list[str]:
    """The people who get `count` independent tasks, in slot order; fewer when there are not enough.

    Args:
        assign: how.
        candidates: who may, in order of joining.
        key: what is assigned, as text that never changes: subject code and visit code.
        count: how many different people are wanted.
    """
    if assign.how is How.RANDOM:
        ordered = sorted(candidates, key=lambda one: lot(assign.seed or 0, key, one.principal))
    else:
        ordered = sorted(candidates, key=lambda one: one.load)  # stable: of equals, who joined first
    return [one.principal for one in ordered[:count]]


def lot(seed: int, key: str, principal: str) -> str:
    """A person's lot in one draw: the lowest is drawn first."""
    return hashlib.sha256(f"{seed}\n{key}\n{principal}".encode()).hexdigest()
