"""Say in words what a recipe does with an attribute, who decided it and why; and how two recipes differ."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary

from collegium_deid import table
from collegium_deid.dictionary import REPEATING, VRS, show, vr_of
from collegium_deid.errors import DeidError
from collegium_deid.rules import profile, selectors
from collegium_deid.rules.options import BASIC, OPTIONS
from collegium_deid.rules.strictness import is_fixed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collegium_deid.rules.profile import Rule
    from collegium_deid.rules.recipe import Recipe
    from collegium_deid.rules.tree import Rules

HOW: Final = {
    "X": "removed",
    "Z": "emptied",
    "D": "replaced by a dummy value",
    "P": "replaced by the subject code",
    "N": "its tree stays, all text inside becomes a dummy",
    "U": "replaced by a new UID, the same for the same original",
    "S": "moved by the patient's number of days",
    "M": "kept if it is a time",
    "O": "kept if it is a time zone",
    "W": "cleaned: only words of the list stay",
    "A": "kept, with the cap of ages",
    "R": "kept; each attribute inside has its own rule",
    "T": "kept unless it holds a name, number or date of this patient; cleaned then",
    "V": "kept unless it names a person",
    "F": "kept if it is a date or time",
    "I": "kept if it is a UID",
    "K": "kept if it is what its VR says",
    "Q": "the whole object is refused",
}
# From the strictest on; equal ones keep about as much.
_RANKS: Final = {
    how: rank for rank, hows in enumerate(("XQ", "ZDPN", "U", "SMOWA", "RT", "VFIK")) for how in hows
}
_PRIVATE: Final = re.compile(r"(.*\S)[ :]+(\([0-9A-Fa-f]{4},xx[0-9A-Fa-f]{2}\))")


@dataclass(frozen=True)
class Explanation:
    """One attribute at one place."""

    place: str
    name: str
    vr: str
    rule: Rule
    reason: str


def explain(recipe: Recipe, text: str, sop_class_uid: str = "") -> list[Explanation]:
    """Who decides an attribute; the top level first, then every place where it is decided otherwise.

    Args:
        recipe: the compiled recipe.
        text: keyword, (gggg,eeee), a path of them, or a creator and (gggg,xxee).
        sop_class_uid: the kind of object; empty when it does not matter.

    Raises:
        DeidError: there is no such attribute or place.
    """
    top = recipe.rules_for(sop_class_uid)
    private = _PRIVATE.fullmatch(text)
    try:
        if private:
            return [_private(recipe, private[1], private[2])]
        # Of a repeating group every member is treated alike, so the first stands for all.
        *before, last = (selectors.tag_of(part.replace("xx", "00")) for part in text.strip("/").split("/"))
    except selectors.NoSuchAttribute as error:
        raise DeidError("deid.recipe.attribute", f"No such attribute. {error}") from None
    if before:
        rules, dummied = _walk(top, before)
        found = _at(recipe, rules, last, "inside " + "/".join(map(name_of, before)), "")
        note = (
            " Its sequence must become a dummy: whatever is said here, no text stays inside."
            if dummied
            else ""
        )
        return [replace(found, reason=found.reason + note)]
    first = _at(recipe, top, last, "top level", sop_class_uid)
    others = (_at(recipe, rules, last, place, "") for place, rules in _places(top))
    return [first, *(other for other in others if other.rule != first.rule)]


def name_of(tag: int) -> str:
    """Keyword, or the tag where there is none."""
    row = table.annex_e().get(tag)
    known = DicomDictionary.get(tag) or RepeatersDictionary.get(f"{tag >> 24:02X}xx{tag & 0xFFFF:04X}")
    return known[4] if known and known[4] else row.keyword if row and row.keyword else show(tag)


@dataclass(frozen=True)
class Difference:
    """One attribute that two recipes treat differently."""

    name: str
    old: Rule
    new: Rule

    @property
    def direction(self) -> str:
        before, after = _RANKS[self.old.how], _RANKS[self.new.how]
        return "stricter" if after < before else "looser" if after > before else "other"


def differences(old: Recipe, new: Recipe) -> Iterator[Difference]:
    """Every attribute with another rule: anywhere, where both recipes have paths, and private ones."""
    before, after = old.anywhere, new.anywhere
    for tag in sorted({*before.standard, *after.standard}):
        pair = (
            before.standard.get(tag, before.unknown_standard),
            after.standard.get(tag, after.unknown_standard),
        )
        if pair[0] != pair[1]:
            yield Difference(f"{show(tag)} {name_of(tag)}", *pair)
    inside = [dict(_places(rules)) for rules in (before, after)]
    for place in sorted({*inside[0], *inside[1]}):
        mine, theirs = (
            found.get(place, rules.inner) for found, rules in zip(inside, (before, after), strict=True)
        )
        for tag in sorted({*mine.decided, *theirs.decided}):
            if mine.standard[tag] != theirs.standard[tag]:
                yield Difference(
                    f"{place}: {show(tag)} {name_of(tag)}", mine.standard[tag], theirs.standard[tag]
                )
    for key in sorted({*before.private, *after.private}):
        pair = before.private.get(key, before.unknown_private), after.private.get(key, after.unknown_private)
        if pair[0] != pair[1]:
            yield Difference(private_name(key), *pair)


def private_name(key: tuple[str, int]) -> str:
    """`SIEMENS MR HEADER (0019,xx0C)`."""
    return f"{key[0]} ({key[1] >> 16:04X},xx{key[1] & 0xFF:02X})"


def _places(top: Rules) -> Iterator[tuple[str, Rules]]:
    """Every place below the top that the recipe tells apart, by the shortest way there."""
    waiting, seen = [("", top)], {id(top)}
    for path, rules in waiting:
        steps = [(f"inside {name_of(tag)}", inside) for tag, inside in rules.below.items()]
        for step, inside in [("inside any sequence", rules.inner), *steps]:
            if id(inside) not in seen:
                seen.add(id(inside))
                waiting.append((f"{path}, {step}" if path else step, inside))
                yield waiting[-1]


def _walk(rules: Rules, sequences: list[int]) -> tuple[Rules, bool]:
    """The place inside these sequences, and whether one of them must become a dummy."""
    dummied = False
    for tag in sequences:
        if VRS.get(tag) != "SQ":
            raise DeidError("deid.recipe.attribute", f"{show(tag)} is no sequence.")
        how = rules.standard.get(tag, rules.unknown_standard).how
        if how not in "RN":
            raise DeidError(
                "deid.recipe.attribute", f"{name_of(tag)} is removed or emptied; nothing is inside."
            )
        dummied = dummied or how == "N"
        rules = rules.below.get(tag, rules.inner)
    return rules, dummied


def _at(recipe: Recipe, rules: Rules, tag: int, place: str, sop_class_uid: str) -> Explanation:
    rule = rules.standard.get(tag, rules.unknown_standard)
    kind = table.iod_types().get(sop_class_uid, {}).get(tag, "")
    return Explanation(
        place, f"{show(tag)} {name_of(tag)}", vr_of(tag) or "??", rule, _why(recipe, rules, tag, kind)
    )


def _private(recipe: Recipe, creator: str, tag: str) -> Explanation:
    key = selectors.by_creator(creator, tag).private
    assert key is not None  # by_creator always sets it
    rule = recipe.anywhere.private.get(key, recipe.anywhere.unknown_private)
    own = next((line for line in recipe.lines if line.selector.private == key), None)
    safe = table.safe_private().get(key)
    if own:
        reason = _line(own.number, own.action, own.why)
    elif key in recipe.anywhere.private and safe:
        reason = f"PS3.15 section E.3.10 lists it as safe ({safe.meaning}); option retain_safe_private."
    else:
        listed = " PS3.15 lists it as safe, but retain_safe_private is not chosen." if safe else ""
        reason = (
            f"Private attributes are not kept unless somebody knows them (defaults: unknown_private).{listed}"
        )
    return Explanation("any depth", private_name(key), selectors.private_vr(key) or "??", rule, reason)


def _why(recipe: Recipe, rules: Rules, tag: int, kind: str) -> str:
    if tag in rules.decided:
        line = recipe.lines[rules.decided[tag]]
        return _line(line.number, line.action, line.why)
    if tag in profile.SUBJECT:
        return "The subject code takes its place in every recipe; no rule may change it."
    if tag not in rules.standard:
        return "Neither the table nor the dictionary knows it (defaults: unknown_standard)."
    fixed = " No rule may change it: without it nothing is an object." if is_fixed(tag) else ""
    row = table.annex_e().get(tag)
    return (_row(recipe, rules.standard[tag], row, kind) if row else _unlisted(tag)) + fixed


def _row(recipe: Recipe, rule: Rule, row: table.Row, kind: str) -> str:
    option, action = profile.speaking(row, recipe.options, kind)
    basic = row.basic
    if "/" in basic:
        typed = f"type {kind} in this kind of object" if kind else "the type is not known, so the right-most"
        basic = f"{basic} ({typed}: {row.action(kind)})"
    reason = f"Table E.1-1 ({table.EDITION}), basic profile: {basic}."
    if option is not BASIC:
        name = next(name for name, candidate in OPTIONS.items() if candidate is option)
        reason = f"Option {name} ({option.code}): {action}. {reason}"
    if action == "C" != rule.action:
        spared = "Bytes cannot be cleaned." if row.vr == "OB" else "documents: none of its text is wanted."
        reason = f"{spared} {reason}"
    return f"{reason} ages: the cap." if rule.how == "A" else reason


def _unlisted(tag: int) -> str:
    ours = table.unlisted().get(tag)
    if tag in REPEATING:
        return "Curves, overlays and retired groups are always removed."
    if ours == "X":
        return "Not in the table; our own list removes it (data/unlisted.csv)."
    if ours == "T":
        return "Not in the table; our own list knows it as technical text (data/unlisted.csv)."
    return f"Not in the table; decided by its VR {VRS[tag]}."


def _line(number: int, action: str, why: str) -> str:
    return f"The recipe's rule in line {number}: {action}, because: {why}."
