"""Layers: marks of others that a grant shows beside the holder's own, under a name that tells nothing of their author.

The issuer names each mark in one revision; what happens to the mark later is not shown. What leaves here has no
author, no time and none of the archive's ids.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from collegium.imaging.grants.errors import GrantInvalid
from collegium.imaging.marks import queries as marks
from collegium.imaging.marks.errors import MarkNotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collegium.imaging.marks.queries import SavedMark
    from collegium.kit.principals import Actor

LONGEST_NAME = 40


@dataclass(frozen=True, slots=True)
class Layer:
    """A named set of marks, read-only, in the issuer's order: each mark by its id and revision."""

    name: str
    marks: tuple[tuple[UUID, int], ...]

    def to_json(self) -> dict[str, object]:
        return {"name": self.name, "marks": [[str(mark_id), revision] for mark_id, revision in self.marks]}

    @classmethod
    def from_json(cls, body: dict[str, object]) -> Layer:
        named = body["marks"]
        assert isinstance(named, list)
        return cls(str(body["name"]), tuple((UUID(mark_id), int(revision)) for mark_id, revision in named))


def require_layers(actor: Actor, layers: Sequence[Layer]) -> None:
    """Refuse layers that cannot be shown.

    Raises:
        GrantInvalid: a name is missing, too long or used twice.
        MarkNotFound: the space has no such mark in that revision.
    """
    names = [layer.name for layer in layers]
    if len(set(names)) < len(names) or not all(0 < len(name) <= LONGEST_NAME for name in names):
        raise GrantInvalid("Layers need different names of at most 40 characters.")
    wanted = {key for layer in layers for key in layer.marks}
    if len(marks.as_saved(actor, wanted)) < len(wanted):
        raise MarkNotFound


def marks_in(actor: Actor, layers: Sequence[Layer]) -> list[tuple[Layer, list[SavedMark]]]:
    """The marks of each layer as they were in the named revisions; struck ones are left out."""
    found = marks.as_saved(actor, {key for layer in layers for key in layer.marks})
    return [
        (layer, [found[key] for key in layer.marks if key in found and not found[key].is_struck])
        for layer in layers
    ]
