"""What a form asks: items and groups with types, labels in several languages and rules. Plain data, no database."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeAlias

from collegium.forms import dependencies
from collegium.kit.canonical import canonical, digest
from collegium.kit.rules import ItemType, Rule, ValueType, compile_rule, compile_value

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Labels: TypeAlias = "Mapping[str, str]"
"""Text by language code; the form's first language is always there."""


class ItemKind(enum.StrEnum):
    CHOICE = "choice"
    CHOICES = "choices"
    SCORE = "score"
    NUMBER = "number"
    TEXT = "text"
    DATE = "date"
    COMPUTED = "computed"
    LENGTH = "length"
    BIDIRECTIONAL = "bidirectional"

    @property
    def is_image_bound(self) -> bool:
        """Whether its value is measured on an image and read from a mark, never typed."""
        return self in (ItemKind.LENGTH, ItemKind.BIDIRECTIONAL)


class Severity(enum.StrEnum):
    ERROR = "error"
    WARNING = "warning"


ABSENCES = ("not_done", "not_evaluable", "unknown")
NOT_FUTURE = "not_future"
"""The latest date of an item that cannot lie in the future."""
MOST_ROWS = 20
"""Rows of a group that says no number itself."""
_VALUE_TYPES = {
    ItemKind.CHOICE: ValueType.CODE,
    ItemKind.CHOICES: ValueType.CODE,
    ItemKind.TEXT: ValueType.TEXT,
    ItemKind.DATE: ValueType.DATE,
}


@dataclass(frozen=True, slots=True)
class Check:
    """A rule that must hold; `message` is shown when it does not."""

    rule: str
    message: Labels
    severity: Severity = Severity.ERROR


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to answer.

    `codes` belong to choices and to a score's named steps; `unit`, limits and `decimals` to numbers; `earliest`,
    `latest` and `partial` to dates; `pattern`, `longest` and `lines` to text; `compute` to computed items, whose
    value is a code when they have codes, else a number. `given` says which value of an earlier timepoint stands here.
    """

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
    earliest: str = ""
    latest: str = ""
    partial: bool = False
    pattern: str = ""
    longest: int | None = None
    lines: int = 3
    compute: str = ""
    given: str = ""

    @property
    def is_derived(self) -> bool:
        """Whether nobody answers it: it is computed, or comes from an earlier timepoint."""
        return bool(self.compute or self.given)

    @property
    def value_type(self) -> ItemType:
        codes = frozenset(code for code, _ in self.codes)
        if self.kind is ItemKind.COMPUTED and codes:
            return ItemType(ValueType.CODE, codes)
        found = _VALUE_TYPES.get(self.kind, ValueType.NUMBER)
        return ItemType(
            found, codes if found is ValueType.CODE else frozenset(), self.kind is ItemKind.CHOICES
        )

    @property
    def value_types(self) -> dict[str, ItemType]:
        """What rules may name: the item, and the short axis of a bidirectional measurement."""
        types = {self.name: self.value_type}
        if self.kind is ItemKind.BIDIRECTIONAL:
            types[short_name(self.name)] = ItemType(ValueType.NUMBER)
        return types

    @property
    def rules(self) -> tuple[str, ...]:
        """The text of every true-or-false rule of the item."""
        return tuple(filter(None, (self.show_if, self.required_if, *(check.rule for check in self.checks))))

    def label_of(self, code: str) -> Labels | None:
        return dict(self.codes).get(code)


def short_name(name: str) -> str:
    """What rules call the short axis of a bidirectional item."""
    return f"{name}_short"


@dataclass(frozen=True, slots=True)
class Group:
    """Items that are answered once for each row. Rows are numbered `prefix` 1, 2, … and never removed.

    With `carry` its rows are findings: they keep their identity over timepoints, and their `fixed` items are locked
    from the second timepoint on; with `first_only` no row is added there either. `row_label` is what one row is called.
    """

    name: str
    label: Labels
    items: tuple[Item, ...]
    row_label: Labels | None = None
    help: Labels | None = None
    prefix: str = ""
    fewest: int = 0
    most: int = MOST_ROWS
    carry: bool = False
    fixed: tuple[str, ...] = ()
    first_only: bool = False
    show_if: str = ""

    def item(self, name: str) -> Item | None:
        return next((item for item in self.items if item.name == name), None)

    @property
    def own_types(self) -> dict[str, ItemType]:
        """What a rule of its items may name of the same row."""
        return {name: kind for item in self.items for name, kind in item.value_types.items()}

    @property
    def list_types(self) -> dict[str, ItemType]:
        """What the other rules of the form may name: the rows, and each item as a list over the rows."""
        lists = {
            f"{self.name}.{name}": ItemType(kind.type, kind.codes, repeated=True)
            for name, kind in self.own_types.items()
            if not kind.repeated
        }
        return {self.name: ItemType(ValueType.BOOLEAN, repeated=True), **lists}


Part: TypeAlias = Item | Group


@dataclass(frozen=True)
class FormDefinition:
    """A form as its author wrote it: items and groups in their order, and checks of the whole form.

    Equal definitions have equal `digest`s.
    """

    name: str
    label: Labels
    parts: tuple[Part, ...]
    checks: tuple[Check, ...] = ()

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """The items outside of groups."""
        return tuple(part for part in self.parts if isinstance(part, Item))

    @cached_property
    def groups(self) -> dict[str, Group]:
        return {part.name: part for part in self.parts if isinstance(part, Group)}

    @cached_property
    def by_name(self) -> dict[str, Item]:
        return {item.name: item for item in self.items}

    @cached_property
    def value_types(self) -> dict[str, ItemType]:
        """What a rule of the form, or of a pipeline, may name."""
        types: dict[str, ItemType] = {}
        for part in self.parts:
            types |= part.value_types if isinstance(part, Item) else part.list_types
        return types

    @cached_property
    def rules(self) -> dict[tuple[str, str], Rule]:
        """Every rule of the form by its scope (a group's name, or none) and text."""
        texts = {("", check.rule) for check in self.checks}
        texts |= {("", group.show_if) for group in self.groups.values() if group.show_if}
        texts |= {(scope, text) for scope, item in self.all_items() for text in item.rules}
        return {(scope, text): compile_rule(text, self.types_in(scope)) for scope, text in sorted(texts)}

    @cached_property
    def computations(self) -> dict[tuple[str, str], Rule]:
        """The rule of each computed item, by scope and name."""
        return {
            (scope, item.name): compile_value(item.compute, self.types_in(scope))
            for scope, item in self.all_items()
            if item.compute
        }

    @cached_property
    def judging_order(self) -> tuple[str, ...]:
        """Items, groups and `group.item`s, each after all that decides on its being shown and its value."""
        return dependencies.ordered(self)

    def all_items(self) -> Iterator[tuple[str, Item]]:
        """Every item with its scope: the name of its group, or none."""
        for part in self.parts:
            if isinstance(part, Item):
                yield "", part
            else:
                for item in part.items:
                    yield part.name, item

    def types_in(self, scope: str) -> dict[str, ItemType]:
        """What a rule of this scope may name; in a group, the items of the same row by their plain names."""
        return self.value_types | (self.groups[scope].own_types if scope else {})

    def item_at(self, path: str) -> Item | None:
        """The item of `name` or `group.row.item`; None where there is none."""
        match path.split("."):
            case [name]:
                return self.by_name.get(name)
            case [group, _, name] if group in self.groups:
                return self.groups[group].item(name)
        return None

    def labels(self) -> Iterator[Labels]:
        """Every text that people see, each of which must exist in all languages of a project."""
        yield self.label
        for group in self.groups.values():
            yield from (text for text in (group.label, group.row_label, group.help) if text)
        for _, item in self.all_items():
            yield item.label
            yield from (label for _, label in item.codes)
            yield from (check.message for check in item.checks)
            yield from (item.help,) if item.help else ()
        yield from (check.message for check in self.checks)

    def to_json(self) -> str:
        """Canonical JSON: the text that is stored, hashed and signed."""
        body: dict[str, object] = {
            "items": [_part_json(part) for part in self.parts],
            "label": self.label,
            "name": self.name,
        }
        return canonical(body | _given({"checks": [_check_json(check) for check in self.checks]}))

    @cached_property
    def digest(self) -> str:
        return digest(self.to_json())

    @classmethod
    def from_json(cls, text: str) -> FormDefinition:
        """Read back what `to_json` wrote, in this version or an earlier one."""
        body = json.loads(text)
        parts = tuple(_group(part) if "group" in part else _item(part) for part in body["items"])
        return cls(body["name"], body["label"], parts, _checks(body.get("checks", ())))


def _given(body: dict[str, object]) -> dict[str, object]:
    """Without what is empty: a form that does not use a newer key keeps the text and digest it always had."""
    return {key: value for key, value in body.items() if value not in (None, "", [], False)}


def _part_json(part: Part) -> dict[str, object]:
    if isinstance(part, Item):
        return _item_json(part)
    body: dict[str, object] = {
        "group": part.name,
        "items": [_item_json(item) for item in part.items],
        "label": part.label,
        "fewest": part.fewest,
        "most": part.most,
    }
    return body | _given(
        {
            "carry": part.carry,
            "first_only": part.first_only,
            "fixed": list(part.fixed),
            "help": part.help,
            "prefix": part.prefix,
            "row_label": part.row_label,
            "show_if": part.show_if,
        }
    )


def _item_json(item: Item) -> dict[str, object]:
    body: dict[str, object] = {
        "absences": list(item.absences),
        "checks": [_check_json(check) for check in item.checks],
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
    return body | _given(
        {
            "compute": item.compute,
            "earliest": item.earliest,
            "given": item.given,
            "latest": item.latest,
            "lines": None if item.lines == 3 else item.lines,
            "longest": item.longest,
            "partial": item.partial,
            "pattern": item.pattern,
        }
    )


def _check_json(check: Check) -> dict[str, object]:
    return {"message": check.message, "rule": check.rule, "severity": check.severity.value}


def _group(body: Mapping[str, Any]) -> Group:  # Any: JSON
    return Group(
        name=body["group"],
        label=body["label"],
        items=tuple(_item(item) for item in body["items"]),
        row_label=body.get("row_label"),
        help=body.get("help"),
        prefix=body.get("prefix", ""),
        fewest=body["fewest"],
        most=body["most"],
        carry=body.get("carry", False),
        fixed=tuple(body.get("fixed", ())),
        first_only=body.get("first_only", False),
        show_if=body.get("show_if", ""),
    )


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
        checks=_checks(body["checks"]),
        absences=tuple(body["absences"]),
        earliest=body.get("earliest", ""),
        latest=body.get("latest", ""),
        partial=body.get("partial", False),
        pattern=body.get("pattern", ""),
        longest=body.get("longest"),
        lines=body.get("lines", 3),
        compute=body.get("compute", ""),
        given=body.get("given", ""),
    )


def _checks(bodies: Any) -> tuple[Check, ...]:  # Any: JSON
    return tuple(Check(body["rule"], body["message"], Severity(body["severity"])) for body in bodies)


def in_language(labels: Labels, language: str) -> str:
    """The text in a language, else in the language written first."""
    return labels.get(language) or next(iter(labels.values()))
