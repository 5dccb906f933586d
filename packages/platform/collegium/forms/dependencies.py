"""Which answers decide on which others: the order in which a form is judged, and circles in it.

A node is an item outside of groups (`name`), a group (`name`), or an item of a group (`group.item`), the same in
all rows. A node depends on what decides whether it is shown and, when it is computed, on what it is computed from.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from collegium.forms.definition import FormDefinition


def ordered(form: FormDefinition) -> tuple[str, ...]:
    """All nodes, each after all it depends on (publishing has refused circles)."""
    needs = _needs(form)
    done: dict[str, None] = {}

    def add(node: str) -> None:
        if node in done:
            return
        for other in needs[node]:
            if other != node:
                add(other)
        done[node] = None

    for node in needs:
        add(node)
    return tuple(done)


def in_circle(form: FormDefinition) -> str | None:
    """The first node whose showing or value depends on itself: it could flicker for ever."""
    needs = _needs(form)
    for node in needs:
        seen: set[str] = set()
        waiting = list(needs[node])
        while waiting:
            other = waiting.pop()
            if other == node:
                return node
            if other not in seen:
                seen.add(other)
                waiting += needs[other]
    return None


def _needs(form: FormDefinition) -> dict[str, tuple[str, ...]]:
    needs: dict[str, tuple[str, ...]] = {}
    for group in form.groups.values():
        shown_by = form.rules["", group.show_if].names if group.show_if else ()
        needs[group.name] = _nodes(form, "", shown_by)
    for scope, item in form.all_items():
        names: list[str] = []
        if item.show_if:
            names += form.rules[scope, item.show_if].names
        if item.compute:
            names += form.computations[scope, item.name].names
        found = _nodes(form, scope, names)
        needs[f"{scope}.{item.name}" if scope else item.name] = (scope, *found) if scope else found
    return needs


def _nodes(form: FormDefinition, scope: str, names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_node(form, scope, name) for name in names))


def _node(form: FormDefinition, scope: str, name: str) -> str:
    """The node that a name in a rule of this scope belongs to; the short axis belongs to its item."""
    short = name.removesuffix("_short")
    if scope:
        for own in (name, short):
            if form.groups[scope].item(own):
                return f"{scope}.{own}"
    if name in form.by_name or name in form.groups or form.item_at(_in_any_row(name)):
        return name
    return short


def _in_any_row(name: str) -> str:
    """`group.item` as a path."""
    group, _, item = name.partition(".")
    return f"{group}.*.{item}"
