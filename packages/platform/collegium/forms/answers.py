"""One answer: a typed value, a reason why there is none, or text that is not a value yet.

The JSON form is what is stored, frozen and signed; numbers are decimal text in it, never floats.
"""

from __future__ import annotations

import enum
import re
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from collegium.forms import dates
from collegium.forms.definition import ItemKind, short_name
from collegium.kit.rules import Absent, ValueType, read_date

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collegium.forms.definition import Item
    from collegium.kit import rules

LONGEST_TEXT = 4000
_NUMBER = re.compile(r"[+-]?[0-9]{1,20}([.,][0-9]{1,12})?")


class AnswerKind(enum.StrEnum):
    VALUE = "value"
    NOT_DONE = "not_done"
    NOT_EVALUABLE = "not_evaluable"
    UNKNOWN = "unknown"
    UNREADABLE = "unreadable"
    """Typed, kept so that nothing is lost, but no value of the item's type; cannot be submitted."""


@dataclass(frozen=True, slots=True)
class MarkReference:
    """The mark a value was read from: which, in which revision, and where it lies (archive ids)."""

    mark_id: str
    revision: int
    series_uid: str = ""
    instance_uid: str = ""
    frame: int = 1


@dataclass(frozen=True, slots=True)
class RowFacts:
    """What a row keeps for good: its number, and whether it is a finding of an earlier timepoint."""

    number: int
    carried: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """`value` is canonical text: a code, several codes with a space between, a decimal number, a date, or words.

    `short` is the short axis of a bidirectional measurement. The answer of a row has `row`.
    """

    kind: AnswerKind
    value: str = ""
    mark: MarkReference | None = None
    short: str = ""
    row: RowFacts | None = None

    def to_json(self) -> dict[str, object]:
        body: dict[str, object] = {"kind": self.kind.value}
        if self.value:
            body["value"] = self.value
        if self.mark:
            body["mark"] = asdict(self.mark)
        if self.short:
            body["short"] = self.short
        if self.row:
            body["row"] = asdict(self.row)
        return body

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Answer:  # Any: JSON
        mark = MarkReference(**body["mark"]) if body.get("mark") else None
        row = RowFacts(**body["row"]) if body.get("row") else None
        return cls(AnswerKind(body["kind"]), body.get("value", ""), mark, body.get("short", ""), row)

    def known(self, item: Item) -> rules.Answer:
        """The answer as rules see it."""
        if self.kind is AnswerKind.UNREADABLE:
            return Absent.MISSING
        if self.kind is not AnswerKind.VALUE:
            return Absent(self.kind.value)
        if item.kind is ItemKind.CHOICES:
            return tuple(self.value.split())
        match item.value_type.type:
            case ValueType.NUMBER:
                return Decimal(self.value)
            case ValueType.DATE:
                return read_date(self.value)
        return self.value

    def values(self, item: Item) -> dict[str, rules.Answer]:
        """All that rules may know of the answer: by the item's name, and by its short axis's."""
        value = self.known(item)
        if item.kind is not ItemKind.BIDIRECTIONAL:
            return {item.name: value}
        has_value = not isinstance(value, Absent)
        return {
            item.name: value,
            short_name(item.name): Decimal(self.short) if has_value and self.short else value,
        }


def missing_values(item: Item) -> dict[str, rules.Answer]:
    """What rules know of an item that has no answer."""
    return dict.fromkeys(item.value_types, Absent.MISSING)


def read_typed(item: Item, text: str) -> Answer | None:
    """What a person typed or chose in an item's field; None empties it.

    A comma is taken as a decimal point, as many countries write it. Text that is no value is kept as such.
    """
    words = text.strip()
    if not words:
        return None
    value = _canonical(item, words)
    if value is None:
        return Answer(AnswerKind.UNREADABLE, words[:LONGEST_TEXT])
    return Answer(AnswerKind.VALUE, value)


def _canonical(item: Item, words: str) -> str | None:
    match item.kind:
        case ItemKind.NUMBER | ItemKind.SCORE:
            return format(Decimal(words.replace(",", ".")), "f") if _NUMBER.fullmatch(words) else None
        case ItemKind.CHOICE:
            return words if item.label_of(words) else None
        case ItemKind.CHOICES:
            chosen = set(words.split())
            codes = [code for code, _ in item.codes]
            return " ".join(code for code in codes if code in chosen) if chosen <= set(codes) else None
        case ItemKind.DATE:
            return dates.read_typed_date(words)
    return words if len(words) <= LONGEST_TEXT else None
