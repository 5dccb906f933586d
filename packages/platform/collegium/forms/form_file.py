"""Read the `forms:` part of a project file into definitions, and write it back. Types are checked here, once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from collegium.forms.definition import ABSENCES, Check, FormDefinition, Item, ItemKind, Severity
from collegium.kit.rules import RESERVED, ItemType, RuleError, ValueType, compile_rule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collegium.forms.definition import Labels
    from collegium.kit.yaml import Node, Problems

NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_LANGUAGE = re.compile(r"[a-z]{2}(-[A-Z]{2})?")
_CODE = re.compile(r"[A-Za-z0-9_.+-]{1,40}")
_COMMON = ("help", "required", "required_if", "show_if", "checks", "absent")
_KEYS: dict[ItemKind, tuple[tuple[str, ...], tuple[str, ...]]] = {
    ItemKind.CHOICE: (("codes",), ()),
    ItemKind.NUMBER: (("unit",), ("min", "max", "decimals")),
    ItemKind.TEXT: ((), ()),
    ItemKind.LENGTH: ((), ("min", "max")),
}


def read_forms(node: Node, problems: Problems) -> dict[str, FormDefinition]:
    """All forms of the section; faults go to `problems`."""
    forms: dict[str, FormDefinition] = {}
    for name, body in node.mapping().items():
        with problems.gathered():
            forms[name] = _form(name, body, problems)
    return forms


def read_labels(node: Node) -> Labels:
    """A language map: `{en: …, sv: …}`, at least one language."""
    labels = {}
    for language, text in node.mapping().items():
        if not _LANGUAGE.fullmatch(language):
            raise text.fault(f"“{language}” is not a language code such as en or sv.")
        labels[language] = text.text()
    if not labels:
        raise node.fault("At least one language is needed: {en: …}.")
    return labels


def read_name(name: str, node: Node) -> str:
    """A name that rules can use."""
    if not NAME.fullmatch(name):
        raise node.fault(f"“{name}” must be small letters, digits and _, starting with a letter.")
    if name in RESERVED:
        raise node.fault(f"“{name}” is a word of the rule language. Choose another name.")
    return name


def read_rule(node: Node, items: Mapping[str, ItemType]) -> str:
    """A rule that is true or false, checked against the items it may use."""
    text = node.text(longest=2000)
    try:
        compile_rule(text, items)
    except RuleError as error:
        raise node.fault(f"{error}.") from error
    return text


def _form(name: str, node: Node, problems: Problems) -> FormDefinition:
    body = node.fields(required=["label", "items"])
    read_name(name, node)
    listed = body["items"].sequence()
    if not listed:
        raise body["items"].fault("A form needs at least one item.")
    types = _value_types(listed, problems)
    items: list[Item] = []
    for item in listed:
        with problems.gathered():
            items.append(_item(item, types, problems))
    form = FormDefinition(name, read_labels(body["label"]), tuple(items))
    _refuse_circles(form, listed, problems)
    return form


def _value_types(listed: list[Node], problems: Problems) -> dict[str, ItemType]:
    """What rules may know of each item, gathered first so that a rule may name a later item."""
    types: dict[str, ItemType] = {}
    words = {
        "number": ValueType.NUMBER,
        "length": ValueType.NUMBER,
        "choice": ValueType.CODE,
        "text": ValueType.TEXT,
    }
    for node in listed:
        with problems.gathered():
            entry = node.mapping()
            if "name" not in entry or "type" not in entry:
                raise node.fault("An item needs a name and a type.")
            name = read_name(entry["name"].text(), entry["name"])
            if name in types:
                raise entry["name"].fault(f"There is an item “{name}” already.")
            kind = words[entry["type"].one_of(tuple(words))]
            codes = entry["codes"].mapping() if kind is ValueType.CODE and "codes" in entry else {}
            types[name] = ItemType(kind, frozenset(codes))
    return types


def _item(node: Node, types: Mapping[str, ItemType], problems: Problems) -> Item:
    raw = node.mapping()
    if "type" not in raw or raw["type"].value not in list(ItemKind):
        raise (
            node.fault("An item needs a type.")
            if "type" not in raw
            else raw["type"].fault("Not an item type.")
        )
    kind = ItemKind(str(raw["type"].value))
    required, optional = _KEYS[kind]
    body = node.fields(required=["name", "type", "label", *required], optional=[*optional, *_COMMON])
    if "required" in body and "required_if" in body:
        raise body["required_if"].fault("Either “required” or “required_if”, not both.")
    lowest, highest = (body[key].number() if key in body else None for key in ("min", "max"))
    if lowest is not None and highest is not None and lowest > highest:
        raise body["min"].fault("“min” is greater than “max”.")
    rules = {"required_if": "", "show_if": ""}
    for key in rules:
        with problems.gathered():
            rules[key] = read_rule(body[key], types) if key in body else ""
    checks: list[Check] = []
    for check in body["checks"].sequence() if "checks" in body else ():
        with problems.gathered():
            checks.append(_check(check, types))
    return Item(
        name=body["name"].text(),
        kind=kind,
        label=read_labels(body["label"]),
        help=read_labels(body["help"]) if "help" in body else None,
        codes=_codes(body["codes"]) if "codes" in body else (),
        unit="mm" if kind is ItemKind.LENGTH else body["unit"].text(longest=20) if "unit" in body else "",
        lowest=lowest,
        highest=highest,
        decimals=body["decimals"].whole(0, 9) if "decimals" in body else None,
        required=body["required"].truth() if "required" in body else "required_if" not in body,
        required_if=rules["required_if"],
        show_if=rules["show_if"],
        checks=tuple(checks),
        absences=_absences(body["absent"]) if "absent" in body else ABSENCES,
    )


def _check(node: Node, types: Mapping[str, ItemType]) -> Check:
    body = node.fields(required=["rule", "message"], optional=["severity"])
    severity = Severity(body["severity"].one_of(list(Severity))) if "severity" in body else Severity.ERROR
    return Check(read_rule(body["rule"], types), read_labels(body["message"]), severity)


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


def _absences(node: Node) -> tuple[str, ...]:
    return tuple(dict.fromkeys(part.one_of(ABSENCES) for part in node.sequence()))


def _refuse_circles(form: FormDefinition, listed: list[Node], problems: Problems) -> None:
    """An item whose showing depends on itself could flicker for ever."""
    if problems.found:
        return
    for item, node in zip(form.items, listed, strict=True):
        seen: set[str] = set()
        waiting = [item.name]
        while waiting:
            shown_by = form.by_name[waiting.pop()].show_if
            for name in form.rules[shown_by].names if shown_by else ():
                if name == item.name:
                    problems.add(node, f"Whether “{item.name}” is shown depends on itself.")
                    return
                if name not in seen:
                    seen.add(name)
                    waiting.append(name)


def form_tree(form: FormDefinition) -> dict[str, object]:
    """The form as canonical YAML values; what equals its default is left out."""
    return {"label": dict(form.label), "items": [_item_tree(item) for item in form.items]}


def _item_tree(item: Item) -> dict[str, object]:
    entries: dict[str, object] = {
        "name": item.name,
        "type": item.kind.value,
        "label": dict(item.label),
        "help": dict(item.help) if item.help else None,
        "codes": {code: dict(label) for code, label in item.codes} or None,
        "unit": item.unit if item.kind is ItemKind.NUMBER else None,
        "min": item.lowest,
        "max": item.highest,
        "decimals": item.decimals,
        "required": None if item.required or item.required_if else False,
        "required_if": item.required_if or None,
        "show_if": item.show_if or None,
        "checks": [_check_tree(check) for check in item.checks] or None,
        "absent": list(item.absences) if item.absences != ABSENCES else None,
    }
    return {key: value for key, value in entries.items() if value is not None}


def _check_tree(check: Check) -> dict[str, object]:
    tree: dict[str, object] = {"rule": check.rule, "message": dict(check.message)}
    if check.severity is not Severity.ERROR:
        tree["severity"] = check.severity.value
    return tree
