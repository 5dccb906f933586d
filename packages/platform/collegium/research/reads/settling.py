"""What an adjudicator sees of the reads: two sides, A and B, in an order drawn once; no name, no time (R71)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from collegium.forms import queries as forms
from collegium.imaging.grants.layers import Layer
from collegium.kit import ids
from collegium.research.reads import queries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from collegium.forms.answers import Answer
    from collegium.kit.principals import Actor
    from collegium.research.pipeline.models import Task
    from collegium.research.reads.models import ReadVersion


@dataclass(frozen=True, slots=True)
class Side:
    """One of the compared reads as the adjudicator gets it."""

    name: str
    """`a` or `b`, as rules and choices say it."""
    version: ReadVersion
    answers: Mapping[str, Answer]

    @property
    def letter(self) -> str:
        return self.name.upper()


def sides_of(actor: Actor, task: Task, version: ReadVersion) -> tuple[Side, ...]:
    """The sides of an adjudication: the signed versions now, or those that a submitted version fixed."""
    found = []
    for name, task_id in sorted(task.sides.items()):
        fixed = version.settles.get(name)
        side = queries.signed_of_task(actor, task_id, number=fixed["version"] if fixed else None)
        if side is not None:
            found.append(Side(name, side, forms.counted_answers(side.entry)))
    return tuple(found)


def settles(sides: Sequence[Side]) -> dict[str, dict[str, object]]:
    """The sides as an adjudication's record names them."""
    return {
        side.name: {
            "digest": side.version.digest,
            "read": str(side.version.read_id),
            "version": side.version.number,
        }
        for side in sides
    }


def layers(sides: Sequence[Side]) -> list[Layer]:
    """The marks of each side under its letter."""
    return [Layer(side.letter, marks_of(side.answers)) for side in sides]


def marks_of(answers: Mapping[str, Answer]) -> tuple[tuple[UUID, int], ...]:
    """The marks that answers took over, each in the revision they took."""
    named = [
        (ids.parse(answer.mark.mark_id), answer.mark.revision)
        for _, answer in sorted(answers.items())
        if answer.mark
    ]
    return tuple((mark_id, revision) for mark_id, revision in named if mark_id)
