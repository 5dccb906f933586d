"""One item of a project file: what each kind may say, and the same written back."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

from collegium.forms import dates, patterns
from collegium.forms.definition import ABSENCES, NOT_FUTURE, Check, Item, ItemKind, Severity
from collegium.forms.file_values import read_labels, read_name, read_rule
from collegium.kit.rules import RuleError, ValueType, compile_value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from collegium.forms.definition import Labels
    from collegium.kit.rules import ItemType
    from collegium.kit.yaml import Node, Problems

_CODE = re.compile(r"[A-Za-z0-9_.+-]{1,40}")
_ANY = ("help", "show_if", "checks")
_ASKED = ("required", "required_if", "absent")
_KEYS: dict[ItemKind, tuple[tuple[str, ...], tuple[str, ...]]] = {
    ItemKind.CHOICE: (("codes",), (*_ASKED, "given")),
    ItemKind.CHOICES: (("codes",), _ASKED),
    ItemKind.SCORE: (("min", "max"), ("labels", *_ASKED)),
    ItemKind.NUMBER: (("unit",), ("min", "max", "decimals", *_ASKED, "given")),
    ItemKind.TEXT: ((), ("pattern", "longest", "lines", *_ASKED)),
    ItemKind.DATE: ((), ("partial", "min", "max", *_ASKED)),
    ItemKind.COMPUTED: (("compute", "as"), ("unit", "decimals", "codes")),
    ItemKind.LENGTH: ((), ("min", "max", *_ASKED)),
    ItemKind.BIDIRECTIONAL: ((), ("min", "max", *_ASKED)),
}
_AS = ("number", "choice")
_MOST_STEPS = 21
GIVEN = ("first", "previous", "lowest")
"""Which earlier timepoint a given value comes from; `lowest` is the smallest number of them all."""


def outline(node: Node, taken: Mapping[str, object]) -> Item:
    """The name, kind and codes of an item: all that rules of other items have to know of it.

    Args:
        node: the item.
        taken: the names that are used already.
    """
    entry = node.mapping()
    if "name" not in entry or "type" not in entry:
        raise node.fault("An item needs a name and a type.")
    name = read_name(entry["name"].text(), entry["name"])
    kind = ItemKind(entry["type"].one_of(list(ItemKind)))
    has_codes = kind in (ItemKind.CHOICE, ItemKind.CHOICES) or (
        kind is ItemKind.COMPUTED and "as" in entry and entry["as"].value == "choice"
    )
    codes = entry["codes"].mapping() if has_codes and "codes" in entry else {}
    found = Item(name, kind, {}, codes=tuple((code, {}) for code in codes))
    for each in found.value_types:
        if each in taken:
            raise entry["name"].fault(f"There is an item “{each}” already.")
    return found


def read_item(node: Node, types: Mapping[str, ItemType], problems: Problems) -> Item:
    """An item whose rules may name `types`."""
    raw = node.mapping()
    if "type" not in raw:
        raise node.fault("An item needs a type.")
    kind = ItemKind(raw["type"].one_of(list(ItemKind)))
    required, optional = _KEYS[kind]
    body = node.fields(required=["name", "type", "label", *required], optional=[*optional, *_ANY])
    if "required" in body and "required_if" in body:
        raise body["required_if"].fault("Either “required” or “required_if”, not both.")
    _refuse_answering_given(body)
    lowest, highest, earliest, latest = _limits(kind, body)
    codes = _named(kind, body, lowest, highest)
    rules = _rules(body, types, problems)
    compute = ""
    with problems.gathered():
        compute = _compute(body, types, codes) if kind is ItemKind.COMPUTED else ""
    pattern, longest = _text(body) if kind is ItemKind.TEXT else ("", None)
    is_asked = kind is not ItemKind.COMPUTED and "given" not in body
    return Item(
        name=body["name"].text(),
        kind=kind,
        label=read_labels(body["label"]),
        help=read_labels(body["help"]) if "help" in body else None,
        codes=codes,
        unit="mm" if kind.is_image_bound else body["unit"].text(longest=20) if "unit" in body else "",
        lowest=lowest,
        highest=highest,
        decimals=body["decimals"].whole(0, 9) if "decimals" in body else None,
        required=is_asked and (body["required"].truth() if "required" in body else "required_if" not in body),
        required_if=rules["required_if"],
        show_if=rules["show_if"],
        checks=read_checks(body["checks"], types, problems) if "checks" in body else (),
        absences=() if not is_asked else _absences(body["absent"]) if "absent" in body else ABSENCES,
        earliest=earliest,
        latest=latest,
        partial="partial" in body and body["partial"].truth(),
        pattern=pattern,
        longest=longest,
        lines=body["lines"].whole(1, 20) if "lines" in body else 3,
        compute=compute,
        given=body["given"].text(longest=90) if "given" in body else "",
    )


def read_checks(node: Node, types: Mapping[str, ItemType], problems: Problems) -> tuple[Check, ...]:
    """A list of checks, each of which says what is shown when it does not hold."""
    checks: list[Check] = []
    for part in node.sequence():
        with problems.gathered():
            body = part.fields(required=["rule", "message"], optional=["severity"])
            severity = body["severity"].one_of(list(Severity)) if "severity" in body else Severity.ERROR
            checks.append(
                Check(read_rule(body["rule"], types), read_labels(body["message"]), Severity(severity))
            )
    return tuple(checks)


def _rules(body: Mapping[str, Node], types: Mapping[str, ItemType], problems: Problems) -> dict[str, str]:
    """When the item is shown and when it is required; empty where the file does not say."""
    rules = {"required_if": "", "show_if": ""}
    for key in rules:
        with problems.gathered():
            rules[key] = read_rule(body[key], types) if key in body else ""
    return rules


def _named(
    kind: ItemKind, body: Mapping[str, Node], lowest: Decimal | None, highest: Decimal | None
) -> tuple[tuple[str, Labels], ...]:
    """The codes of a choice, or the named steps of a score."""
    if kind is ItemKind.SCORE:
        return _steps(body, lowest, highest)
    return _codes(body["codes"]) if "codes" in body else ()


def _refuse_answering_given(body: Mapping[str, Node]) -> None:
    for key in _ASKED if "given" in body else ():
        if key in body:
            raise body[key].fault(f"A given item is answered by nobody; “{key}” does not belong here.")


def _limits(kind: ItemKind, body: Mapping[str, Node]) -> tuple[Decimal | None, Decimal | None, str, str]:
    """The lowest and highest number, and the earliest and latest date."""
    if kind is ItemKind.DATE:
        earliest = _date(body["min"]) if "min" in body else ""
        latest = ""
        if "max" in body:
            latest = NOT_FUTURE if body["max"].value == NOT_FUTURE else _date(body["max"])
        if earliest and latest and latest != NOT_FUTURE and not dates.is_within(earliest, "", latest):
            raise body["min"].fault("“min” is later than “max”.")
        return None, None, earliest, latest
    if kind is ItemKind.SCORE:
        return *(Decimal(body[key].whole(-100, 100)) for key in ("min", "max")), "", ""  # type: ignore[return-value]  # two of them
    lowest, highest = (body[key].number() if key in body else None for key in ("min", "max"))
    if lowest is not None and highest is not None and lowest > highest:
        raise body["min"].fault("“min” is greater than “max”.")
    return lowest, highest, "", ""


def _date(node: Node) -> str:
    text = str(node.value) if isinstance(node.value, int) else node.value  # a year by itself is a number
    if not isinstance(text, str) or dates.read_typed_date(text) != text:
        raise node.fault("A date is written 2024, 2024-02 or 2024-02-29; the latest may also be not_future.")
    return text


def _steps(
    body: Mapping[str, Node], lowest: Decimal | None, highest: Decimal | None
) -> tuple[tuple[str, Labels], ...]:
    """The named steps of a score, in their order."""
    assert lowest is not None  # a score has both
    assert highest is not None
    if not lowest < highest < lowest + _MOST_STEPS:
        raise body["max"].fault(f"A score runs over 2 to {_MOST_STEPS} whole numbers; use a number instead.")
    possible = {str(step) for step in range(int(lowest), int(highest) + 1)}
    found = []
    for step, label in body["labels"].mapping().items() if "labels" in body else ():
        if step not in possible:
            raise label.fault(f"“{step}” is no step of this score, which runs from {lowest} to {highest}.")
        found.append((step, read_labels(label)))
    return tuple(sorted(found, key=lambda pair: int(pair[0])))


def _codes(node: Node) -> tuple[tuple[str, Labels], ...]:
    codes = []
    for code, label in node.mapping().items():
        if not _CODE.fullmatch(code):
            raise label.fault(f"The code “{code}” may hold letters, digits and _ . + - only.")
        if code in ABSENCES:
            raise label.fault(f"“{code}” is offered with every item; it needs no code of its own.")
        codes.append((code, read_labels(label)))
    if len(codes) < 2:
        raise node.fault("A choice needs at least two codes.")
    return tuple(codes)


def _compute(
    body: Mapping[str, Node], types: Mapping[str, ItemType], codes: Sequence[tuple[str, Labels]]
) -> str:
    """The rule of a computed item, of the type that its item says."""
    wanted, node = body["as"].one_of(_AS), body["compute"]
    if (wanted == "choice") != bool(codes):
        raise body["as"].fault("A computed choice needs “codes”; a computed number has none.")
    if wanted == "choice" and ("unit" in body or "decimals" in body):
        raise body["as"].fault("“unit” and “decimals” belong to a computed number.")
    text = node.text(longest=2000)
    try:
        rule = compile_value(text, types)
    except RuleError as error:
        raise node.fault(f"{error}.") from error
    if wanted == "number":
        if rule.type is not ValueType.NUMBER:
            raise node.fault(f"This computes {rule.type.value}; as: number needs a number.")
        return text
    if rule.type not in (ValueType.CODE, ValueType.TEXT) or not rule.codes:
        raise node.fault("as: choice needs codes: iif(…, 'code', 'other code'), or a choice item.")
    unknown = sorted(rule.codes - {code for code, _ in codes})
    if unknown:
        raise node.fault(f"This can give {', '.join(unknown)}, which “codes” does not list.")
    return text


def _text(body: Mapping[str, Node]) -> tuple[str, int | None]:
    """The pattern and the greatest length of a text item."""
    longest = body["longest"].whole(1, 4000) if "longest" in body else None
    if "pattern" not in body:
        return "", longest
    pattern = body["pattern"].text(longest=patterns.LONGEST_PATTERN)
    try:
        patterns.check(pattern)
    except patterns.PatternError as error:
        raise body["pattern"].fault(str(error)) from error
    if longest is not None and longest > patterns.LONGEST_TEXT:
        raise body["longest"].fault(f"Text with a pattern has at most {patterns.LONGEST_TEXT} letters.")
    return pattern, longest or patterns.LONGEST_TEXT


def _absences(node: Node) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.one_of(ABSENCES) for part in node.sequence()))


def item_tree(item: Item) -> dict[str, object]:
    """The item as canonical YAML values; what equals its default is left out."""
    is_score, is_computed = item.kind is ItemKind.SCORE, item.kind is ItemKind.COMPUTED
    codes = {code: dict(label) for code, label in item.codes} or None
    entries: dict[str, object] = {
        "name": item.name,
        "type": item.kind.value,
        "label": dict(item.label),
        "help": dict(item.help) if item.help else None,
        "as": ("choice" if codes else "number") if is_computed else None,
        "compute": item.compute or None,
        "codes": None if is_score else codes,
        "unit": None if item.kind.is_image_bound else item.unit or None,
        "partial": item.partial or None,
        "min": item.earliest or item.lowest,
        "max": item.latest or item.highest,
        "labels": codes if is_score else None,
        "decimals": item.decimals,
        "pattern": item.pattern or None,
        "longest": item.longest,
        "lines": item.lines if item.lines != 3 else None,
        "given": item.given or None,
        "required": None if item.is_derived or item.required or item.required_if else False,
        "required_if": item.required_if or None,
        "show_if": item.show_if or None,
        "checks": checks_tree(item.checks),
        "absent": list(item.absences) if not item.is_derived and item.absences != ABSENCES else None,
    }
    return {key: value for key, value in entries.items() if value is not None and value != ""}


def checks_tree(checks: tuple[Check, ...]) -> list[dict[str, object]] | None:
    """Checks as canonical YAML values, None when there are none."""
    return [_check_tree(check) for check in checks] or None


def _check_tree(check: Check) -> dict[str, object]:
    tree: dict[str, object] = {"rule": check.rule, "message": dict(check.message)}
    if check.severity is not Severity.ERROR:
        tree["severity"] = check.severity.value
    return tree
