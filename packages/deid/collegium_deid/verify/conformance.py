"""Verify against the recipe alone: is this header one that the recipe could have written?

Runs at ingest, where no identifier is known and none may be sent. Reads the table, the recipe's
options and the output with its own eyes; shares no code with the engine.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from collegium_deid.dictionary import WELL_KNOWN_UIDS, show
from collegium_deid.errors import Rejected
from collegium_deid.table import medical_words
from collegium_deid.verify.needles import decoded
from collegium_deid.verify.scan import Value, scan

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collegium_deid.rules.profile import Rule
    from collegium_deid.rules.recipe import Recipe

_META: Final = frozenset({0x00020000, 0x00020001, 0x00020002, 0x00020003, 0x00020010, 0x00020012, 0x00020013})
_SUBJECT: Final = (0x00100010, 0x00100020, 0x00120040)
_METHOD: Final = 0x00120063
_CODES: Final = 0x00120064
_CODE_VALUE: Final = 0x00080100
_OWN: Final = frozenset(
    {*_SUBJECT, _METHOD, 0x00120010, 0x00120020, 0x00120021, 0x00120030, 0x00120031, 0x00120062, 0x00280303}
)
_TEXT: Final = frozenset({"LO", "SH", "ST", "LT", "UT", "UC", "PN", "AE", "UR"})
_FIXED_TEXT: Final = re.compile(
    r"@[\w-]+\.\w|https?:|\bwww\.|(?<!\d)(?:19|20)\d\d[-./]?(?:0[1-9]|1[0-2])[-./]?(?:0[1-9]|[12]\d|3[01])(?!\d)"
    r"|(?<!\d)\d{1,2}[-./]\d{1,2}[-./](?:19|20)\d\d(?!\d)|(?<![\d.])\d{7,}(?![\d.])"
    r"|\b(?:dr|prof|mr|mrs|mme|sra)\. *[a-z]|\b(?-i:Dr|Prof|Mr|Mrs|Frau|Herr|Mme|Sra) +[A-Z]",
    re.IGNORECASE,
)
# What stands where a value had to become one that says nothing: this file's own list, not the engine's.
_DUMMIES: Final = {
    "AE": b"REMOVED",
    "AS": b"000D",
    "CS": b"REMOVED",
    "DA": b"19000101",
    "DS": b"0",
    "DT": b"19000101000000",
    "IS": b"0",
    "TM": b"000000",
    "UR": b"urn:removed",
}
_TEXT_DUMMY: Final = b"REMOVED"
_BINARY: Final = frozenset(
    {"AT", "FD", "FL", "OB", "OD", "OF", "OL", "OV", "OW", "SL", "SS", "SV", "UL", "UN", "US", "UV"}
)
_CODE_TAGS: Final = frozenset({0x00080100, 0x00080119, 0x00080101})


@dataclass(frozen=True)
class Finding:
    """One thing that does not conform. The message holds no value."""

    tag: int
    code: str
    message: str

    def __str__(self) -> str:
        return f"{show(self.tag)} {self.message}"


def verify_conformance(recipe: Recipe, output_head: bytes) -> tuple[Finding, ...]:
    """Everything in which a header is not what the recipe writes; empty when it conforms.

    Checks: readable to its end, zero preamble, group 2 without extras; only allowed tags; fields that
    must be empty are, dummies are dummies; every UID is registered or 2.25; one subject code in all
    places; method, codes and flags present; no pattern of dates, addresses or long numbers in text.
    """
    try:
        values = list(scan(output_head))
    except Rejected as error:
        return (Finding(0, error.code, error.message),)
    return (*_file(output_head, values), *_declared(recipe, values), *_each(recipe, values))


def _file(head: bytes, values: list[Value]) -> Iterator[Finding]:
    if head[:128].strip(b"\0"):
        yield Finding(0, "deid.conformance.preamble", "The preamble is not empty.")
    top = {value.path[0]: value.raw.strip(b"\0 ") for value in values if len(value.path) == 1}
    for tag in top:
        if tag >> 16 == 2 and tag not in _META:
            yield Finding(tag, "deid.conformance.meta", "is not allowed in the file meta information.")
    if top.get(0x00020003) != top.get(0x00080018) or top.get(0x00020002) != top.get(0x00080016):
        yield Finding(0x00020003, "deid.conformance.meta", "does not agree with the data set.")


def _declared(recipe: Recipe, values: list[Value]) -> Iterator[Finding]:
    top = {
        value.path[0]: value.raw.strip(b"\0 ").decode("latin-1") for value in values if len(value.path) == 1
    }
    if len({top.get(tag, "") for tag in _SUBJECT}) != 1 or not top.get(_SUBJECT[0]):
        yield Finding(_SUBJECT[0], "deid.conformance.subject", "is not one subject code in all places.")
    expected = {
        0x00120062: "YES",
        _METHOD: recipe.method,
        0x00280303: "MODIFIED" if recipe.shift_days else "REMOVED",
    }
    for tag, text in expected.items():
        if top.get(tag) != text:
            yield Finding(tag, "deid.conformance.method", "does not say what this recipe did.")
    codes = {v.raw.strip(b"\0 ").decode("latin-1") for v in values if v.path == (_CODES, _CODE_VALUE)}
    if codes != {option.code for option in recipe.method_codes}:
        yield Finding(
            _CODES, "deid.conformance.method", "does not name the profile and options of this recipe."
        )
    if top.get(0x00080016) not in recipe.objects:
        yield Finding(0x00080016, "deid.conformance.object", "is not an object this recipe takes.")


def _each(recipe: Recipe, values: list[Value]) -> Iterator[Finding]:
    subject = next((value.raw.strip(b"\0 ") for value in values if value.path == _SUBJECT[:1]), b"")
    for value in values:
        if value.path[0] >> 16 == 2:
            # A transfer syntax newer than our copy of the registry is still one of DICOM's.
            if value.vr == "UI" and not value.raw.startswith(b"1.2.840.10008.1.2."):
                yield from _uids(value)
            continue
        tag = value.path[-1]
        if value.path[0] == _CODES or (tag in _OWN and len(value.path) == 1):
            continue
        if tag in _SUBJECT:
            if value.raw.strip(b"\0 ") != subject:
                yield Finding(tag, "deid.conformance.subject", "is not the subject code.")
            continue
        rule = recipe.rules.get(tag)
        if rule is None or rule.how == "X":
            yield Finding(tag, "deid.conformance.not_allowed", "is not allowed by the recipe.")
            continue
        if value.vr == "UI" and rule.how != "I":
            yield from _uids(value)
        yield from _value(rule, value)


def _uids(value: Value) -> Iterator[Finding]:
    for part in value.raw.decode("latin-1").split("\\"):
        uid = part.strip("\0 ")
        if uid and uid not in WELL_KNOWN_UIDS and not _is_keyed(uid):
            yield Finding(
                value.path[-1], "deid.conformance.uid", "holds a UID that is neither registered nor keyed."
            )
            return


def _is_keyed(uid: str) -> bool:
    return uid.startswith("2.25.") and uid[5:].isdigit() and int(uid[5:]) < 2**128


def _value(rule: Rule, value: Value) -> Iterator[Finding]:
    tag, raw = value.path[-1], value.raw.strip(b"\0 ")
    if not raw:
        return
    if rule.action == "Z":
        yield Finding(tag, "deid.conformance.not_empty", "must be empty.")
        return
    if rule.action == "D" and value.vr not in {"SQ", "UI"}:
        if raw != (b"" if value.vr in _BINARY else _DUMMIES.get(value.vr, _TEXT_DUMMY)):
            yield Finding(tag, "deid.conformance.not_dummy", "must hold the dummy value.")
        return
    if value.vr not in _TEXT:
        return
    text = decoded(value.raw, value.character_set)
    if tag not in _CODE_TAGS and _FIXED_TEXT.search(text):
        yield Finding(
            tag, "deid.conformance.pattern", "holds text that looks like a date, number, address or name."
        )
    elif rule.how == "W" and raw != b"REMOVED" and tag != 0x00080104 and not _is_medical(text):
        yield Finding(tag, "deid.conformance.words", "holds words that cleaned text may not keep.")


def _is_medical(text: str) -> bool:
    """Every run of two letters or more is on the list, by itself or as the word around it."""
    words = medical_words()
    for token in re.split(r"[\s/+_,;()]+", text.casefold()):
        pieces = re.findall(r"[^\W\d_]{2,}", token)
        if token in words or all(
            piece in words or (len(piece) == 2 and token[:1].isdigit()) for piece in pieces
        ):
            continue
        if re.fullmatch(r"[\d.,x]*(?:mm|cm|ml|kvp?|m?as|mg|m?gy|k?m?hz|sec|min|deg|bit|px|ppm|hr)?", token):
            continue
        return False
    return True
