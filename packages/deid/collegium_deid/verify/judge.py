"""Judge each value of an output by what the recipe says holds at its place.

For the check without the input: reads the recipe's rules and the value with its own eyes, shares no code
with the engine. Stricter than asked is always right: an empty value or a dummy conforms wherever
something else might stand.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from collegium_deid.dictionary import BULK, LONG_TEXT, NUMBERS, SHORT_TEXT, VRS, WELL_KNOWN_UIDS, show
from collegium_deid.table import annex_e, shared_meanings, terms
from collegium_deid.verify.needles import decoded
from collegium_deid.vocabulary import holds_only_known, knows

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collegium_deid.rules.profile import Rule
    from collegium_deid.rules.recipe import Recipe
    from collegium_deid.rules.tree import Rules
    from collegium_deid.verify.scan import Value

SUBJECT: Final = (0x00100010, 0x00100020, 0x00120040)
_TEXT: Final = SHORT_TEXT | LONG_TEXT | {"PN", "AE", "UR"}
_SILENT: Final = _TEXT | BULK
"""VRs that have to become dummies in a sequence of which no word may stay."""
_SUSPICIOUS: Final = re.compile(
    r"@[\w-]+\.\w|https?:|\bwww\.|(?<!\d)(?:19|20)\d\d[-./]?(?:0[1-9]|1[0-2])[-./]?(?:0[1-9]|[12]\d|3[01])(?!\d)"
    r"|(?<!\d)\d{1,2}[-./]\d{1,2}[-./](?:19|20)\d\d(?!\d)|(?<![\d.])\d{7,}(?![\d.])"
    r"|\b(?:dr|prof|mr|mrs|mme|sra)\. *[a-z]|\b(?-i:Dr|Prof|Mr|Mrs|Frau|Herr|Mme|Sra) +[A-Z]",
    re.IGNORECASE,
)
# What stands where a value had to become one that says nothing: this file's own list, not the engine's.
_DUMMIES: Final = {
    "AS": b"000D",
    "DA": b"19000101",
    "DS": b"0",
    "DT": b"19000101000000",
    "IS": b"0",
    "TM": b"000000",
    "UR": b"urn:removed",
    **dict.fromkeys(NUMBERS | BULK, b""),
}
_TEXT_DUMMY: Final = b"REMOVED"
_SCHEME: Final = 0x00080102
_MEANING: Final = 0x00080104
_CODE_VALUES: Final = frozenset({0x00080100, 0x00080101, 0x00080119})
# Code systems whose meanings are terms that nobody typed.
_PUBLIC: Final = frozenset(
    {
        b"DCM",
        b"SCT",
        b"SRT",
        b"SNM3",
        b"UCUM",
        b"LN",
        b"RADLEX",
        b"FMA",
        b"UMLS",
        b"MDC",
        b"NCIT",
        b"I10",
        b"ICD10",
        b"BI",
    }
)
_NUMBER: Final = re.compile(rb" *+(?:[+-]?(?:\d++(?:\.\d*+)?|\.\d++)(?:[eE][+-]?\d++)?)? *+")
_SHAPES: Final = {
    "AS": re.compile(rb"(?:\d{3}[DWMY](?:\\|$))*"),
    "DS": re.compile(_NUMBER.pattern + rb"(?:\\" + _NUMBER.pattern + rb")*"),
    **dict.fromkeys(("DA", "DT", "TM"), re.compile(rb"[\d.:+\\ -]*")),
}
_SHAPES["IS"] = _SHAPES["DS"]
_CODED: Final = re.compile(rb"[A-Z0-9_ \\]*")
_HUMP: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+")
_ABBREVIATED: Final = 5
"""Runs of letters up to this length may be what machines call things; longer ones must be words somebody listed."""
_ZONE: Final = re.compile(rb"[+-]\d{4}(?:\\[+-]\d{4})*")
_UID: Final = re.compile(r"[0-2](?:\.(?:0|[1-9]\d*))+")
# The only addresses that stay: of terms and definitions that everyone shares.
_SHARED_ADDRESS: Final = re.compile(
    rb"https?://(?:[a-z-]+\.)*(?:snomed\.info|loinc\.org|hl7\.org|nema\.org|unitsofmeasure\.org)(?:/[\w/.#-]*)?"
)
_UID_CHARACTERS: Final = 64
_REMEMBERED: Final = 20_000
_MESSAGES: Final = {
    "not_allowed": "is not allowed by the recipe.",
    "not_empty": "must be empty.",
    "not_dummy": "must hold the dummy value.",
    "uid": "holds a UID that is neither registered nor keyed.",
    "subject": "is not the subject code.",
    "shape": "does not look like what its VR says.",
    "age": "holds an age above the recipe's cap.",
    "pattern": "holds text that looks like a date, number, address or name.",
    "words": "holds words that cleaned text may not keep.",
}


@dataclass(frozen=True)
class Finding:
    """One thing that does not conform. The message holds no value."""

    tag: int
    code: str
    message: str

    def __str__(self) -> str:
        return f"{show(self.tag)} {self.message}"


def finding(tag: int, code: str) -> Finding:
    """One of the usual findings."""
    return Finding(tag, f"deid.conformance.{code}", _MESSAGES[code])


class _Place(NamedTuple):
    """What holds inside one sequence."""

    rules: Rules
    state: str
    """`dummy`: no text may stay; `closed`: nothing may be here at all."""


class Judge:
    """Judges objects of one class under one recipe; remembers what was in order."""

    def __init__(self, recipe: Recipe, sop_class_uid: str) -> None:
        self.recipe = recipe
        self.top = _Place(recipe.rules_for(sop_class_uid), "")
        self.creators = frozenset(creator for creator, _ in self.top.rules.private)
        self._places: dict[tuple[int, ...], _Place] = {}
        self._fine: set[object] = set()

    def findings(self, values: list[Value], subject: bytes) -> Iterator[Finding]:
        """What is wrong with the values of one data set."""
        public: dict[int, bool] = {}
        for value in values:
            path, vr, raw, character_set, creator, item = value
            tag = path[-1]
            if tag in SUBJECT:
                if raw.strip(b"\0 ") != subject:
                    yield finding(tag, "subject")
                continue
            if tag == _SCHEME:
                public[item] = raw.strip(b"\0 ") in _PUBLIC
            term = tag == _MEANING and public.get(item, False)
            known = (path, vr, raw, character_set, creator, term)
            if known in self._fine:
                continue
            code = self._wrong(value, term=term)
            if code:
                yield finding(tag, code)
                continue
            if len(self._fine) > _REMEMBERED:
                self._fine.clear()
            self._fine.add(known)

    def _place(self, path: tuple[int, ...]) -> _Place:
        if not path:
            return self.top
        found = self._places.get(path)
        if found is None:
            parent, tag = self._place(path[:-1]), path[-1]
            rules = parent.rules.below.get(tag, parent.rules.inner)
            state = parent.state
            if not tag & 0x10000 and not state:
                how = parent.rules.standard.get(tag, parent.rules.unknown_standard).how
                state = {"R": "", "N": "dummy"}.get(how, "closed")
            if len(self._places) > _REMEMBERED:
                self._places.clear()
            found = self._places[path] = _Place(rules, state)
        return found

    def _wrong(self, value: Value, *, term: bool) -> str:  # noqa: PLR0911 - one line a question
        """The code of what is wrong with one value, or nothing."""
        tag, place = value.path[-1], self._place(value.path[:-1])
        if place.state == "closed":
            return "not_empty"
        if tag & 0x1FF00 == 0x10000:
            return "" if _bare(value).decode("latin-1") in self.creators else "not_allowed"
        rule, vr = self._rule(place.rules, value)
        if rule.how in "XQ" or (value.vr == "UN" and self.recipe.un == "X"):
            return "not_allowed"
        raw = _bare(value)
        if not raw or value.vr == "SQ":
            return ""
        if "UI" in {vr, value.vr}:
            return "" if _uids_are_fine(value.raw, kept=rule.how == "I") else "uid"
        is_dummy = raw == _DUMMIES.get(value.vr, _TEXT_DUMMY)
        if place.state == "dummy" and not _SILENT.isdisjoint({vr, value.vr}):
            return "" if is_dummy else "not_dummy"
        if is_dummy and rule.action != "Z":
            return ""
        return self._content(rule, vr, value, term=term)

    def _rule(self, rules: Rules, value: Value) -> tuple[Rule, str]:
        """What holds for an element, and the VR it should have."""
        tag = value.path[-1]
        if tag & 0x10000:
            key = (value.creator, tag & 0xFFFF00FF)
            return rules.private.get(key, rules.unknown_private), rules.private_vr.get(key, value.vr)
        return rules.standard.get(tag, rules.unknown_standard), VRS.get(tag, value.vr)

    def _content(self, rule: Rule, vr: str, value: Value, *, term: bool) -> str:  # noqa: PLR0911 - one line a letter
        tag, raw = value.path[-1], _bare(value)
        if rule.how == "Z":
            return "" if _is_either(tag) and raw == _DUMMIES.get(value.vr, _TEXT_DUMMY) else "not_empty"
        if rule.how in "DN":
            return "not_dummy"
        if rule.how == "V":
            return ""
        if rule.how == "O":
            return "" if _ZONE.fullmatch(raw) else "shape"
        if value.vr == "UR" or vr == "UR":
            return "" if rule.how == "T" and _SHARED_ADDRESS.fullmatch(raw) else "pattern"
        if rule.how == "W" or not _TEXT.isdisjoint({vr, value.vr}):
            return _text_is(value, technical=rule.how == "T" or term)
        if vr in NUMBERS | BULK and value.vr not in NUMBERS | BULK:
            return "shape"
        return self._shape(vr, value, raw)

    def _shape(self, vr: str, value: Value, raw: bytes) -> str:
        if vr == "CS":
            return _text_is(value, technical=_CODED.fullmatch(raw) is not None)
        shape = _SHAPES.get(vr)
        if shape is not None and shape.fullmatch(raw) is None:
            return "shape"
        cap = self.recipe.age_cap_years
        if vr == "AS" and cap is not None and any(_years(part) > cap + 1 for part in raw.split(b"\\")):
            return "age"
        return ""


def _bare(value: Value) -> bytes:
    return value.raw.strip(b"\0 ")


@functools.cache
def _is_either(tag: int) -> bool:
    """The table leaves it to the type of the attribute whether it is emptied or gets a dummy."""
    row = annex_e().get(tag)
    return row is not None and "/" in row.basic


def _years(age: bytes) -> float:
    days = {b"D": 365.25, b"W": 52.18, b"M": 12, b"Y": 1}
    return int(age[:3]) / days[age[3:]] if len(age) == 4 else 0


def _uids_are_fine(raw: bytes, *, kept: bool) -> bool:
    uids = [part.strip("\0 ") for part in raw.decode("latin-1").split("\\")]
    return all(
        not uid or uid in WELL_KNOWN_UIDS or (_UID.fullmatch(uid) if kept else is_keyed(uid)) for uid in uids
    )


def is_keyed(uid: str) -> bool:
    """A UID with 128 bits behind 2.25; one with a much smaller number is no hash of anything."""
    number = uid.removeprefix("2.25.")
    if number == uid or not number.isascii() or not number.isdigit() or number[0] == "0":
        return False
    return len(number) < _UID_CHARACTERS and 2**64 < int(number) < 2**128


def _text_is(value: Value, *, technical: bool) -> str:
    text = decoded(value.raw, value.character_set)
    if value.path[-1] in _CODE_VALUES:
        return ""
    if _SUSPICIOUS.search(text):
        return "pattern"
    return "" if holds_only_known(text) or (technical and _is_technical(text)) else "words"


def _is_technical(text: str) -> bool:
    """Every longer run of letters is a word, or a term of codes and machines; or all of it is a public meaning."""
    runs = (run for letters in re.findall(r"[^\W\d_]+", text) for run in _parts(letters))
    return (
        all(len(run) <= _ABBREVIATED or _is_listed(run) for run in runs)
        or text.strip().casefold() in shared_meanings()
    )


def _parts(letters: str) -> list[str]:
    return [letters] if _is_listed(letters) else _HUMP.findall(letters)


def _is_listed(letters: str) -> bool:
    word = letters.casefold()
    return knows(word) or any(word in terms(kind) for kind in ("code", "device", "firm")) or word in _called()


@functools.cache
def _called() -> frozenset[str]:
    """Makers and machines that are called like people."""
    return frozenset(pair.partition(":")[0] for pair in terms("beside"))
