"""The reads of an adjudication beside each other: what differs, each side's findings, what agrees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from collegium.forms import queries as forms
from collegium.forms.definition import Item, in_language
from collegium.forms.rows import row_path, rows_of
from collegium.imaging.grants.queries import shown_mark
from collegium.kit import ids
from collegium.research.reads import form_view

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collegium.forms.answers import Answer
    from collegium.forms.definition import Group
    from collegium.forms.rows import Row
    from collegium.imaging.grants.models import ViewGrant
    from collegium.research.reads.settling import Side


@dataclass(frozen=True, slots=True)
class Told:
    """What one side says to one item."""

    letter: str
    text: str
    mark_id: str
    """The id by which the viewer knows the mark of a measured value; empty when there is none."""
    label: str = ""
    """Of a number that nothing else explains."""


@dataclass(frozen=True, slots=True)
class Line:
    """One item and what each side says to it."""

    label: str
    sides: tuple[Told, ...]

    @property
    def is_answered(self) -> bool:
        return any(side.text for side in self.sides)

    @property
    def differs(self) -> bool:
        return len({side.text for side in self.sides}) > 1


@dataclass(frozen=True, slots=True)
class Finding:
    """A row of one side, in a line of its own: two readers do not number their lesions alike."""

    letter: str
    name: str
    said: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Everything that is compared, in the form's order."""

    letters: tuple[str, ...]
    differing: tuple[Line, ...]
    findings: tuple[Finding, ...]
    alike: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class _Compared:
    """What is said, under the grant whose viewer shows the marks."""

    sides: Sequence[Side]
    grant: ViewGrant | None
    language: str

    def line(self, item: Item) -> Line:
        told = tuple(self._told(side, item.name, item) for side in self.sides)
        return Line(in_language(item.label, self.language), told)

    def finding(self, side: Side, group: Group, row: Row) -> Finding:
        path = row_path(group.name, row.row_id)
        said = [self._told(side, f"{path}.{item.name}", item) for item in group.items]
        return Finding(side.letter, f"{group.prefix}{row.number}", tuple(told for told in said if told.text))

    def _told(self, side: Side, path: str, item: Item) -> Told:
        answer: Answer | None = side.answers.get(path)
        mark_id = ids.parse(answer.mark.mark_id) if answer and answer.mark else None
        shown = str(shown_mark(self.grant, side.letter, mark_id)) if mark_id and self.grant else ""
        text = form_view.told(item, answer, self.language) if answer else ""
        label = in_language(item.label, self.language) if item.unit and not item.kind.is_image_bound else ""
        return Told(side.letter, text, shown, label)


def compare(sides: Sequence[Side], grant: ViewGrant | None, language: str) -> Comparison | None:
    """What the sides say; None where nothing is settled."""
    if not sides:
        return None
    compared = _Compared(sides, grant, language)
    form = forms.form_of(sides[0].version.entry)
    lines = [compared.line(part) for part in form.parts if isinstance(part, Item)]
    findings = (
        compared.finding(side, group, row)
        for side in sides
        for group in form.groups.values()
        for row in rows_of(group, side.answers)
        if not row.is_struck
    )
    return Comparison(
        letters=tuple(side.letter for side in sides),
        differing=tuple(line for line in lines if line.differs),
        findings=tuple(findings),
        alike=tuple(line for line in lines if line.is_answered and not line.differs),
    )
