"""Read the `forms:` part of a project file into definitions, and write it back. Types are checked here, once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collegium.forms import dependencies
from collegium.forms.definition import MOST_ROWS, FormDefinition, Group, Item
from collegium.forms.file_values import read_labels, read_name, read_rule
from collegium.forms.item_file import GIVEN, checks_tree, item_tree, outline, read_checks, read_item
from collegium.kit.rules import ValueType

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collegium.forms.definition import Part
    from collegium.kit.yaml import Node, Problems

_GROUP = ("row", "help", "prefix", "min", "max", "carry", "fixed", "add", "show_if")
_ADD = ("always", "first")
_LIMIT = 100
"""Rows that a group may ask for or allow."""


def read_forms(node: Node, problems: Problems) -> dict[str, FormDefinition]:
    """All forms of the section; faults go to `problems`."""
    forms: dict[str, FormDefinition] = {}
    for name, body in node.mapping().items():
        with problems.gathered():
            forms[name] = _form(name, body, problems)
    return forms


def _form(name: str, node: Node, problems: Problems) -> FormDefinition:
    body = node.fields(required=["label", "items"], optional=["checks"])
    read_name(name, node)
    listed = body["items"].sequence()
    if not listed:
        raise body["items"].fault("A form needs at least one item.")
    # Names and types first, so that a rule may name what stands further down.
    outlines = FormDefinition(name, {}, _outlines(listed, problems))
    types = outlines.value_types
    parts: list[Part] = []
    for part in listed:
        with problems.gathered():
            if "group" in part.mapping():
                parts.append(_group(part, outlines, problems))
            else:
                parts.append(read_item(part, types, problems))
    checks = read_checks(body["checks"], types, problems) if "checks" in body else ()
    form = FormDefinition(name, read_labels(body["label"]), tuple(parts), checks)
    if not problems.found:
        _refuse_what_never_ends(form, body["items"], problems)
        _refuse_wrong_given(form, body["items"], problems)
    return form


def _outlines(listed: list[Node], problems: Problems) -> tuple[Part, ...]:
    taken: dict[str, object] = {}
    parts: list[Part] = []
    for node in listed:
        with problems.gathered():
            if "group" not in node.mapping():
                item = outline(node, taken)
                taken |= item.value_types
                parts.append(item)
    for node in listed:
        with problems.gathered():
            if "group" in node.mapping():
                group = _group_outline(node, taken, problems)
                taken[group.name] = group
                parts.append(group)
    return tuple(parts)


def _group_outline(node: Node, taken: Mapping[str, object], problems: Problems) -> Group:
    entry = node.mapping()
    name = read_name(entry["group"].text(), entry["group"])
    if name in taken:
        raise entry["group"].fault(f"There is an item “{name}” already.")
    items: list[Item] = []
    for part in entry["items"].sequence() if "items" in entry else ():
        with problems.gathered():
            own = {each: True for item in items for each in item.value_types}
            # A plain name in a rule must mean one thing, so a row does not repeat a name of the form.
            items.append(outline(part, {**taken, name: True, **own}))
    return Group(name, {}, tuple(items))


def _group(node: Node, outlines: FormDefinition, problems: Problems) -> Group:
    body = node.fields(required=["group", "label", "items"], optional=_GROUP)
    name = body["group"].text()
    types = outlines.types_in(name) if name in outlines.groups else outlines.value_types
    listed = body["items"].sequence()
    if not listed:
        raise body["items"].fault("A group needs at least one item.")
    items: list[Item] = []
    for part in listed:
        with problems.gathered():
            if "given" in part.mapping():
                raise part.mapping()["given"].fault("A given item stands outside of groups; use “carry”.")
            items.append(read_item(part, types, problems))
    fewest = body["min"].whole(0, _LIMIT) if "min" in body else 0
    most = body["max"].whole(1, _LIMIT) if "max" in body else MOST_ROWS
    if fewest > most:
        raise body["min"].fault("“min” is greater than “max”.")
    show_if = ""
    with problems.gathered():
        show_if = read_rule(body["show_if"], outlines.value_types) if "show_if" in body else ""
    carry = "carry" in body and body["carry"].truth()
    if "add" in body and not carry:
        raise body["add"].fault("“add” belongs to a group with carry: true.")
    return Group(
        name=name,
        label=read_labels(body["label"]),
        items=tuple(items),
        row_label=read_labels(body["row"]) if "row" in body else None,
        help=read_labels(body["help"]) if "help" in body else None,
        prefix=body["prefix"].text(longest=8) if "prefix" in body else "",
        fewest=fewest,
        most=most,
        carry=carry,
        fixed=_fixed(body["fixed"], items, carry=carry) if "fixed" in body else (),
        first_only="add" in body and body["add"].one_of(_ADD) == "first",
        show_if=show_if,
    )


def _fixed(node: Node, items: list[Item], *, carry: bool) -> tuple[str, ...]:
    """The items that identify a finding, in the order of the form."""
    if not carry:
        raise node.fault("“fixed” belongs to a group with carry: true.")
    by_name = {item.name: item for item in items}
    for part in node.sequence():
        item = by_name.get(part.one_of(tuple(by_name)))
        if item and (item.kind.is_image_bound or item.compute):
            raise part.fault(f"“{item.name}” is measured or computed anew; it cannot be fixed.")
    wanted = {part.value for part in node.sequence()}
    return tuple(name for name in by_name if name in wanted)


def _refuse_what_never_ends(form: FormDefinition, node: Node, problems: Problems) -> None:
    found = dependencies.in_circle(form)
    if found:
        problems.add(_line_of(node, found), f"What “{found}” shows depends on itself.")


def _refuse_wrong_given(form: FormDefinition, node: Node, problems: Problems) -> None:
    """A given item takes a value of the same form at an earlier timepoint, of its own type."""
    for item in form.items:
        if not item.given:
            continue
        which, _, name = item.given.partition(".")
        source = form.by_name.get(name)
        if which not in GIVEN or source is None or source.given:
            words = f"“{item.given}” is not possible; write first.x, previous.x or lowest.x of an item x of this form."
        elif which == "lowest" and source.value_type.type is not ValueType.NUMBER:
            words = f"“{name}” is no number; lowest needs one."
        elif source.value_type != item.value_type:
            words = f"“{name}” and “{item.name}” must be of one type and have the same codes."
        else:
            continue
        problems.add(_line_of(node, item.name), words)


def _line_of(node: Node, path: str) -> Node:
    """Where an item, a group or `group.item` stands."""
    name, _, inner = path.partition(".")
    for part in node.sequence():
        entry = part.mapping()
        found = entry.get("group") or entry.get("name")
        if found and found.value == name:
            return _line_of(entry["items"], inner) if inner else part
    return node


def form_tree(form: FormDefinition) -> dict[str, object]:
    """The form as canonical YAML values; what equals its default is left out."""
    parts = [item_tree(part) if isinstance(part, Item) else _group_tree(part) for part in form.parts]
    tree: dict[str, object] = {"label": dict(form.label), "items": parts}
    if form.checks:
        tree["checks"] = checks_tree(form.checks)
    return tree


def _group_tree(group: Group) -> dict[str, object]:
    entries: dict[str, object] = {
        "group": group.name,
        "label": dict(group.label),
        "row": dict(group.row_label) if group.row_label else None,
        "help": dict(group.help) if group.help else None,
        "prefix": group.prefix or None,
        "min": group.fewest or None,
        "max": group.most if group.most != MOST_ROWS else None,
        "carry": group.carry or None,
        "fixed": list(group.fixed) or None,
        "add": "first" if group.first_only else None,
        "show_if": group.show_if or None,
        "items": [item_tree(item) for item in group.items],
    }
    return {key: value for key, value in entries.items() if value is not None}
