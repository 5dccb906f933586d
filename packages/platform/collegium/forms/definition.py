"""What a form asks: items with types, labels in several languages and rules. Plain data, no database."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from collegium.kit.canonical import canonical, digest
from collegium.kit.rules import ItemType, Rule, ValueType, compile_rule

if TYPE_CHECKING:
    from collections.abc import Mapping

Labels: TypeAlias = "Mapping[str, str]"
"""Text by language code; the form's first language is always there."""


class ItemKind(enum.StrEnum):
    CHOICE = "choice"
    NUMBER = "number"
    TEXT = "text"
    LENGTH = "length"

    @property
    def is_image_bound(self) -> bool:
        """Whether its value is measured on an image and read from a mark, never typed."""
        return self is ItemKind.LENGTH


class Severity(enum.StrEnum):
    ERROR = "error"
    WARNING = "warning"


ABSENCES = ("not_done", "not_evaluable", "unknown")
_VALUE_TYPES = {
    ItemKind.CHOICE: ValueType.CODE,
    ItemKind.NUMBER: ValueType.NUMBER,
    ItemKind.TEXT: ValueType.TEXT,
    ItemKind.LENGTH: ValueType.NUMBER,
}


@dataclass(frozen=True, slots=True)
class Check:
    """A rule that must hold; `message` is shown when it does not."""

    rule: str
    message: Labels
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to answer. `codes` belong to choices, `unit` and the limits to numbers and lengths."""

    name: str
    kind: ItemKind
    label: Labels
    help: Labels | None = None
    codes: tuple[tuple[str, Labels], ...] = ()
    unit: str = ""
    lowest: Decimal | None = None
    highest: Decimal | None = None
    decimals: int | None = None
    required: bool = True
    required_if: str = ""
    show_if: str = ""
    checks: tuple[Check, ...] = ()
    absences: tuple[str, ...] = ABSENCES

    @property
    def value_type(self) -> ItemType:
        return ItemType(_VALUE_TYPES[self.kind], frozenset(code for code, _ in self.codes))

    def label_of(self, code: str) -> Labels | None:
        return dict(self.codes).get(code)


@dataclass(frozen=True)
class FormDefinition:
    """A form as its author wrote it. Equal definitions have equal `digest`s."""

    name: str
    label: Labels
    items: tuple[Item, ...]

    @cached_property
    def by_name(self) -> dict[str, Item]:
        return {item.name: item for item in self.items}

    @cached_property
    def value_types(self) -> dict[str, ItemType]:
        return {item.name: item.value_type for item in self.items}

    @cached_property
    def rules(self) -> dict[str, Rule]:
        """Every rule of the form by its text."""
        texts = {
            text
            for item in self.items
            for text in (item.show_if, item.required_if, *(check.rule for check in item.checks))
            if text
        }
        return {text: compile_rule(text, self.value_types) for text in sorted(texts)}

    @cached_property
    def showing_order(self) -> tuple[Item, ...]:
        """The items, each after all that its show-if reads (publishing has refused circles)."""
        done: dict[str, Item] = {}

        def add(item: Item) -> None:
            if item.name in done:
                return
            for name in self.rules[item.show_if].names if item.show_if else ():
                if name != item.name:
                    add(self.by_name[name])
            done[item.name] = item

        for item in self.items:
            add(item)
        return tuple(done.values())

    def to_json(self) -> str:
        """Canonical JSON: the text that is stored, hashed and signed."""
        return canonical(
            {"items": [_item_json(item) for item in self.items], "label": self.label, "name": self.name}
        )

    @cached_property
    def digest(self) -> str:
        return digest(self.to_json())

    @classmethod
    def from_json(cls, text: str) -> FormDefinition:
        """Read back what `to_json` wrote."""
        body = json.loads(text)
        return cls(body["name"], body["label"], tuple(_item(item) for item in body["items"]))


def _item_json(item: Item) -> dict[str, object]:
    return {
        "absences": list(item.absences),
        "checks": [
            {"message": check.message, "rule": check.rule, "severity": check.severity.value}
            for check in item.checks
        ],
        "codes": [[code, label] for code, label in item.codes],
        "decimals": item.decimals,
        "help": item.help,
        "highest": None if item.highest is None else str(item.highest),
        "kind": item.kind.value,
        "label": item.label,
        "lowest": None if item.lowest is None else str(item.lowest),
        "name": item.name,
        "required": item.required,
        "required_if": item.required_if,
        "show_if": item.show_if,
        "unit": item.unit,
    }


def _item(body: Mapping[str, Any]) -> Item:  # Any: JSON
    return Item(
        name=body["name"],
        kind=ItemKind(body["kind"]),
        label=body["label"],
        help=body["help"],
        codes=tuple((code, label) for code, label in body["codes"]),
        unit=body["unit"],
        lowest=None if body["lowest"] is None else Decimal(body["lowest"]),
        highest=None if body["highest"] is None else Decimal(body["highest"]),
        decimals=body["decimals"],
        required=body["required"],
        required_if=body["required_if"],
        show_if=body["show_if"],
        checks=tuple(Check(c["rule"], c["message"], Severity(c["severity"])) for c in body["checks"]),
        absences=tuple(body["absences"]),
    )


def in_language(labels: Labels, language: str) -> str:
    """The text in a language, else in the language written first."""
    return labels.get(language) or next(iter(labels.values()))
