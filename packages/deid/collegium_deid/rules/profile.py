"""From the table and the chosen options to one decision per attribute.

The table names 655 attributes. What it does not name is decided here by VR, closed world: names are
emptied, dates moved, UIDs replaced, text cleaned, network addresses, bulk of unknown kind, private
and unknown attributes removed; numbers and coded strings stay if they look like numbers and codes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from collegium_deid import table
from collegium_deid.dictionary import BULK, LONG_TEXT, NUMBERS, SHORT_TEXT, VRS

if TYPE_CHECKING:
    from collections.abc import Collection


@dataclass(frozen=True)
class Option:
    """One option of PS3.15 section E.3: its column in the table and its code in CID 7050."""

    column: str
    code: str
    meaning: str


BASIC: Final = Option("basic", "113100", "Basic Application Confidentiality Profile")

# In the order they are applied: clean, then retain (a date that two options name is still moved).
OPTIONS: Final = {
    "clean_descriptors": Option("descriptors", "113105", "Clean Descriptors Option"),
    "retain_patient_characteristics": Option(
        "characteristics", "113108", "Retain Patient Characteristics Option"
    ),
    "retain_device_identity": Option("device", "113109", "Retain Device Identity Option"),
    "retain_institution_identity": Option("institution", "113112", "Retain Institution Identity Option"),
    "retain_longitudinal_modified_dates": Option(
        "modified_dates", "113107", "Retain Longitudinal Temporal Information Modified Dates Option"
    ),
}
NOT_YET: Final = frozenset(
    {
        "clean_pixel_data",
        "clean_recognizable_visual_features",
        "clean_graphics",
        "clean_structured_content",
        "retain_uids",
        "retain_safe_private",
        "retain_longitudinal_full_dates",
    }
)


class Rule(NamedTuple):
    """What happens to one attribute.

    `action` is the standard's code (for the report and the conformance check), `how` what the engine
    does: X remove, Z empty, D dummy, U new UID, R go into the sequence, N dummy all text in the
    sequence, W clean words, T technical text, K keep if it looks like its VR, S move the date, M keep
    the time, O keep the zone, A cap the age, P the subject code. `fallback` (X, Z or D) is for a
    value that cannot be read or has nothing left.
    """

    action: str
    how: str
    fallback: str


REMOVE: Final = Rule("X", "X", "X")
EMPTY: Final = Rule("Z", "Z", "Z")

# Attributes without which nothing is an object; no rule of a recipe may touch them.
STRUCTURE: Final = frozenset({0x00080005, 0x00080016, 0x00080018, 0x0020000D, 0x0020000E, 0x00080060})
SUBJECT: Final = frozenset({0x00100010, 0x00100020, 0x00120040})
DATES: Final = frozenset({"DA", "DT", "TM"})


def compile_profile(options: Collection[str], *, cap_ages: bool) -> dict[int, Rule]:
    """One rule per attribute of the dictionary and the table; what is not in it is removed.

    Source: DICOM PS3.15 Annex E, sections E.1 and E.3.
    """
    rules = {tag: _unlisted(tag, vr, options) for tag, vr in VRS.items() if _is_content(tag)}
    for tag, row in table.annex_e().items():
        if _is_content(tag):
            rules[tag] = _listed(row, options)
    for tag in SUBJECT:
        rules[tag] = Rule("D", "P", "D")
    if cap_ages and rules[0x00101010].action == "K":
        rules[0x00101010] = Rule("K", "A", "X")
    return rules


def _is_content(tag: int) -> bool:
    """Not command, file meta, directory, a group length, private, curve, overlay or pixel data."""
    group = tag >> 16
    return (
        group > 4
        and not group & 1
        and tag & 0xFFFF != 0
        and group >> 8 not in {0x50, 0x60}
        and tag < 0x7FE00000
    )


def _listed(row: table.Row, options: Collection[str]) -> Rule:
    action = row.action
    for name, option in OPTIONS.items():
        if name in options and option.column in row.options:
            action = row.options[option.column]
    fallback = row.action if row.action in {"X", "Z", "D"} else "X"
    how = _how(action, row.tag, row.vr)
    return Rule(action, fallback if how == "B" else how, fallback)


def _how(action: str, tag: int, vr: str) -> str:
    if action in "XZ":
        return action
    if vr == "SQ":
        return "N" if action == "D" else "R"
    if action in "DU":
        return "U" if vr == "UI" else action  # the dummy of a UID is a new one
    if action == "K":
        shaped = vr in NUMBERS | BULK or vr in {"CS", "DS", "IS", "AS"}
        return {"DA": "X", "DT": "X", "TM": "X", "UI": "U"}.get(vr, "K" if shaped else "T")
    if tag == 0x00080201:
        return "O"
    # B: bytes that should be cleaned cannot be; they get what the basic profile says.
    return {"DA": "S", "DT": "S", "TM": "M", "OB": "B"}.get(vr, "W")


def _unlisted(tag: int, vr: str, options: Collection[str]) -> Rule:
    """An attribute of the dictionary that the table does not name."""
    ours = table.unlisted().get(tag)
    if ours == "X":
        return REMOVE
    if ours == "T":
        return Rule("K", "T", "D")
    return _by_vr(vr, dates="retain_longitudinal_modified_dates" in options)


def _by_vr(vr: str, *, dates: bool) -> Rule:
    if vr in SHORT_TEXT | LONG_TEXT:
        return Rule("C", "W", "D")
    if vr in NUMBERS | BULK - {"UN"} or vr in {"CS", "DS", "IS", "AS"}:
        return Rule("K", "K", "Z")
    if vr in DATES and dates:
        return Rule("C", "M" if vr == "TM" else "S", "Z")
    others = {
        "SQ": Rule("K", "R", "Z"),
        "PN": EMPTY,
        "UI": Rule("U", "U", "Z"),
        **dict.fromkeys(DATES, EMPTY),
    }
    return others.get(vr, REMOVE)  # AE, UR, UN: removed
