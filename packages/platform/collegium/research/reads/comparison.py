"""The reads of an adjudication beside each other, item by item, as the page shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from collegium.forms import queries as forms
from collegium.forms.definition import in_language
from collegium.forms.rows import mentioned
from collegium.imaging.grants.queries import shown_mark
from collegium.kit import ids
from collegium.research.reads import form_view

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collegium.forms.answers import Answer
    from collegium.forms.definition import Item
    from collegium.imaging.grants.models import ViewGrant
    from collegium.research.reads.settling import Side


@dataclass(frozen=True, slots=True)
class Told:
    """What one side says to one item."""

    letter: str
    text: str
    mark_id: str
    """The id by which the viewer knows the mark of a measured value; empty when there is none."""


@dataclass(frozen=True, slots=True)
class Line:
    """One item and what each side says to it."""

    label: str
    sides: tuple[Told, ...]

    @property
    def differs(self) -> bool:
        """Whether both sides answered, and not alike. Findings of one side alone stand in a line of their own."""
        return all(side.text for side in self.sides) and len({side.text for side in self.sides}) > 1


def compare(sides: Sequence[Side], grant: ViewGrant | None, language: str) -> list[Line]:
    """Every item that may have an answer, in the form's order; each side's findings in lines of their own."""
    if not sides:
        return []
    items = mentioned(forms.form_of(sides[0].version.entry), *(side.answers for side in sides))
    return [
        Line(
            in_language(label, language),
            tuple(_told(side, item, side.answers.get(path), grant, language) for side in sides),
        )
        for path, item, label in items
    ]


def _told(side: Side, item: Item, answer: Answer | None, grant: ViewGrant | None, language: str) -> Told:
    mark_id = ids.parse(answer.mark.mark_id) if answer and answer.mark else None
    shown = str(shown_mark(grant, side.letter, mark_id)) if mark_id and grant else ""
    return Told(side.letter, form_view.told(item, answer, language) if answer else "", shown)
