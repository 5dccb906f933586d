"""Compile a recipe's rules into what holds at each place of an object.

A place is told from another only as far as the recipe's paths do, so a recipe without paths has one
place for everything. The first rule that matches an attribute and is not less strict than the profile
decides it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from collegium_deid.dictionary import VRS
from collegium_deid.rules.strictness import is_fixed, stricter

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from collegium_deid.rules.profile import Rule
    from collegium_deid.rules.selectors import Selector

# Where each rule's path stands: (number of the rule, steps done).
_State = frozenset[tuple[int, int]]


@dataclass(frozen=True)
class Line:
    """One rule as the recipe has it."""

    selector: Selector
    action: str
    why: str
    number: int
    """Its line in the text, from 1."""


@dataclass(frozen=True, eq=False)
class Rules:
    """What holds at one place of the tree."""

    standard: Mapping[int, Rule] = field(repr=False)
    """Every standard attribute that is decided; what is missing gets `unknown_standard`."""
    private: Mapping[tuple[str, int], Rule] = field(repr=False)
    """By creator (as in the file, without padding) and tag with the block byte cleared: 0x0019_000C."""
    private_vr: Mapping[tuple[str, int], str] = field(repr=False)
    """The VR by which a private element is judged, whatever the file says."""
    below: dict[int, Rules] = field(repr=False)
    """Sequences inside which other rules hold; inside any other one `inner` holds."""
    inner: Rules = field(repr=False)
    unknown_standard: Rule
    unknown_private: Rule
    decided: Mapping[int, int] = field(repr=False)
    """Which rule of the recipe (its index) decided an attribute; the rest is the profile's."""


@dataclass(frozen=True)
class Base:
    """What the profile, options, documents and defaults say before any rule of the recipe."""

    standard: Mapping[int, Rule]
    private: Mapping[tuple[str, int], Rule]
    private_vr: Mapping[tuple[str, int], str]
    unknown_standard: Rule
    unknown_private: Rule


@dataclass(frozen=True)
class Tree:
    """All places of a recipe, and which of its rules ever had the word there."""

    top: Rules
    reached: frozenset[int]
    deciding: frozenset[int]


def grow(base: Base, lines: Sequence[Line]) -> Tree:
    """Every place that the paths tell apart and that an object can have."""
    places: dict[_State, Rules] = {}
    reached: set[int] = set()
    deciding: set[int] = set()

    def place(state: _State) -> Rules:
        found = places.get(state)
        if found is not None:
            return found
        active = sorted(rule for rule, done in state if done == len(lines[rule].selector.steps))
        standard, decided = apply(base.standard, [(n, lines[n]) for n in active])
        reached.update(active)
        deciding.update(decided.values())
        rules = places[state] = Rules(
            standard=standard,
            private=base.private,
            private_vr=base.private_vr,
            below={},
            inner=None,  # type: ignore[arg-type]  # it may be this very place; set in the next line
            unknown_standard=base.unknown_standard,
            unknown_private=base.unknown_private,
            decided=decided,
        )
        inside = _step(state, lines, None)
        object.__setattr__(rules, "inner", place(inside))
        for tag in sorted({t for n, done in state for step in lines[n].selector.steps[done:] for t in step}):
            # Nothing lies inside a sequence that is removed or emptied.
            if standard[tag].how in "RN" and (other := _step(state, lines, tag)) != inside:
                rules.below[tag] = place(other)
        return rules

    top = place(
        _closed(frozenset((n, 0) for n, line in enumerate(lines) if not line.selector.private), lines)
    )
    return Tree(top, frozenset(reached), frozenset(deciding))


def apply(
    standard: Mapping[int, Rule], lines: Iterable[tuple[int, Line]]
) -> tuple[dict[int, Rule], dict[int, int]]:
    """The rules of a place, and for each attribute that a recipe's rule decided, which one."""
    out = dict(standard)
    decided: dict[int, int] = {}
    for number, line in lines:
        for tag in line.selector.tags:
            if tag in decided or tag not in standard or is_fixed(tag):
                continue
            new = stricter(standard[tag], line.action, is_sequence=VRS.get(tag) == "SQ")
            if new is not None:
                out[tag], decided[tag] = new, number
    return out, decided


def _step(state: _State, lines: Sequence[Line], tag: int | None) -> _State:
    """Where the paths stand inside the sequence `tag`; None for one that no path names."""
    after = set()
    for number, done in state:
        steps = lines[number].selector.steps
        if done < len(steps):
            if not steps[done]:
                after.add((number, done))
            elif tag in steps[done]:
                after.add((number, done + 1))
    return _closed(frozenset(after), lines)


def _closed(state: _State, lines: Sequence[Line]) -> _State:
    """Also past every ** that stands for no sequence at all."""
    out = set(state)
    for number, done in state:
        steps = lines[number].selector.steps
        at = done
        while at < len(steps) and not steps[at]:
            at += 1
            out.add((number, at))
    return frozenset(out)
