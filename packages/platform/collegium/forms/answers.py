"""One answer: a typed value, a reason why there is none, or text that is not a value yet.

The JSON form is what is stored, frozen and signed; numbers are decimal text in it, never floats.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from collegium.forms.definition import ItemKind
from collegium.kit.rules import Absent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collegium.forms.definition import Item
    from collegium.kit.rules import Known

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
class Answer:
    """`value` is canonical text: a code, a decimal number, or words."""

    kind: AnswerKind
    value: str = ""
    mark: MarkReference | None = None

    def to_json(self) -> dict[str, object]:
        body: dict[str, object] = {"kind": self.kind.value}
        if self.value:
            body["value"] = self.value
        if self.mark:
            body["mark"] = {
                "frame": self.mark.frame,
                "instance_uid": self.mark.instance_uid,
                "mark_id": self.mark.mark_id,
                "revision": self.mark.revision,
                "series_uid": self.mark.series_uid,
            }
        return body

    @classmethod
    def from_json(cls, body: Mapping[str, Any]) -> Answer:  # Any: JSON
        mark = MarkReference(**body["mark"]) if body.get("mark") else None
        return cls(AnswerKind(body["kind"]), body.get("value", ""), mark)

    def known(self, item: Item) -> Known | Absent:
        """The answer as rules see it."""
        if self.kind is AnswerKind.UNREADABLE:
            return Absent.MISSING
        if self.kind is not AnswerKind.VALUE:
            return Absent(self.kind.value)
        return Decimal(self.value) if item.kind in (ItemKind.NUMBER, ItemKind.LENGTH) else self.value


def read_typed(item: Item, text: str) -> Answer | None:
    """What a person typed or chose in an item's field; None empties it.

    A comma is taken as a decimal point, as many countries write it. Text that is no value is kept as such.
    """
    words = text.strip()
    if not words:
        return None
    if item.kind is ItemKind.NUMBER:
        if not _NUMBER.fullmatch(words):
            return Answer(AnswerKind.UNREADABLE, words[:LONGEST_TEXT])
        return Answer(AnswerKind.VALUE, format(Decimal(words.replace(",", ".")), "f"))
    if item.kind is ItemKind.CHOICE and item.label_of(words) is None:
        return Answer(AnswerKind.UNREADABLE, words[:LONGEST_TEXT])
    if len(words) > LONGEST_TEXT:
        return Answer(AnswerKind.UNREADABLE, words[:LONGEST_TEXT])
    return Answer(AnswerKind.VALUE, words)
