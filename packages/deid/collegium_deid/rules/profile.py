"""From the table and the chosen options to one decision per attribute.

The table names 655 attributes. What it does not name is decided here by VR, closed world: names are
emptied, dates moved, UIDs replaced, text cleaned, network addresses, bulk of unknown kind, private
and unknown attributes removed; numbers and coded strings stay if they look like numbers and codes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from collegium_deid import table
from collegium_deid.dictionary import BULK, LONG_TEXT, NUMBERS, REPEATING, SHORT_TEXT, VRS
from collegium_deid.rules.options import BASIC, FULL, MODIFIED, OPTIONS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from collegium_deid.rules.documents import Documents
    from collegium_deid.rules.options import Option


class Rule(NamedTuple):
    """What happens to one attribute.

    `action` is the standard's code (for the report and the conformance check), `how` what the engine
    does: X remove, Z empty, D dummy, U new UID, I keep the UID, R go into the sequence, N dummy all text
    in the sequence, W clean words, T technical text (kept without any known token or pattern), V text that
    an option retains (kept unless it names a person), K keep if it looks like its VR, S move the
    date, F keep the date or time, M keep the time, O keep the zone, A cap the age, P the subject code,
    Q refuse the whole object because of this attribute. `fallback` (X, Z or D) is for a value that
    cannot be read or has nothing left.
    """

    action: str
    how: str
    fallback: str


REMOVE: Final = Rule("X", "X", "X")
EMPTY: Final = Rule("Z", "Z", "Z")
DUMMY: Final = Rule("D", "D", "D")
REFUSE: Final = Rule("X", "Q", "X")

# Attributes without which nothing is an object, or its pixels cannot be read; no rule of a recipe may touch them.
STRUCTURE: Final = frozenset(
    {
        0x00080005, 0x00080016, 0x00080018, 0x0020000D, 0x0020000E, 0x00080060,
        0x00280002, 0x00280004, 0x00280006, 0x00280008, 0x00280010, 0x00280011, 0x00280100, 0x00280101,
        0x00280102, 0x00280103,
    }
)  # fmt: skip
SUBJECT: Final = frozenset({0x00100010, 0x00100020, 0x00120040})
DATES: Final = frozenset({"DA", "DT", "TM"})
AGE: Final = 0x00101010
_ZONE: Final = 0x00080201
# The standard calls all it does to a private attribute C; a rule says more exactly what becomes of this one.
_PRIVATE_ACTIONS: Final = {"X": "X", "U": "U", "R": "K", "F": "K", "K": "K"}


def compile_profile(options: Collection[str], *, cap_ages: bool) -> dict[int, Rule]:
    """One rule per attribute of the dictionary and the table, as in an object of unknown kind.

    Source: DICOM PS3.15 Annex E, sections E.1 and E.3.
    """
    rules = dict.fromkeys(REPEATING, REMOVE)
    rules.update((tag, _unlisted(tag, vr, options)) for tag, vr in VRS.items() if is_content(tag))
    rules.update((tag, _listed(row, options)) for tag, row in table.annex_e().items() if is_content(tag))
    rules.update(dict.fromkeys(SUBJECT, Rule("D", "P", "D")))
    if cap_ages and rules[AGE].action == "K":
        rules[AGE] = Rule("K", "A", "X")
    return rules


def in_object(options: Collection[str], sop_class_uid: str) -> Iterator[tuple[int, Rule]]:
    """The rules that are other ones at the top level of this kind of object, by the types of its IOD."""
    rows = table.annex_e()
    for tag, kind in table.iod_types().get(sop_class_uid, {}).items():
        if tag not in SUBJECT:
            yield tag, _listed(rows[tag], options, kind)


def without_words(rules: dict[int, Rule], documents: Documents) -> None:
    """Dummy the text of documents that a recipe does not want cleaned: their tree stays, no word of it."""
    parts = {
        0x0040A730: documents.sr_text,
        0x00700001: documents.presentation_text,
        0x0040B020: documents.waveform_annotations,
    }
    for tag, choice in parts.items():
        if choice == "X" and tag in rules and rules[tag].how == "R":
            rules[tag] = Rule("D", "N", "D")


def private_rules(options: Collection[str]) -> dict[tuple[str, int], Rule]:
    """The private attributes that stay (PS3.15 section E.3.10)."""
    if "retain_safe_private" not in options:
        return {}
    return {key: keep_private(row.vr, options) for key, row in table.safe_private().items()}


def keep_private(vr: str, options: Collection[str]) -> Rule:
    """A private attribute that stays if its value is what its VR says; its text only if it is harmless."""
    how = {"SQ": "R", "UI": "U", **dict.fromkeys(DATES, "X")}
    if MODIFIED in options:
        how |= {"DA": "S", "DT": "S", "TM": "M"}
    if FULL in options:
        how |= dict.fromkeys(DATES, "F")
    chosen = how.get(vr, "T" if vr in SHORT_TEXT | LONG_TEXT else "K")
    return Rule(_PRIVATE_ACTIONS.get(chosen, "C"), chosen, "X")


def speaking(row: table.Row, options: Collection[str], iod_type: str = "") -> tuple[Option, str]:
    """Whose word on a row counts, and its code: the last chosen option that says something, or the profile."""
    option, action = BASIC, row.action(iod_type)
    for name, candidate in OPTIONS.items():
        if name in options and candidate.column in row.options:
            option, action = candidate, row.options[candidate.column]
    return option, action


def is_content(tag: int) -> bool:
    """Not command, file meta, directory, a group length, private or pixel data."""
    group = tag >> 16
    return group > 4 and not group & 1 and tag & 0xFFFF != 0 and tag < 0x7FE00000


def _listed(row: table.Row, options: Collection[str], iod_type: str = "") -> Rule:
    option, action = speaking(row, options, iod_type)
    basic = row.action(iod_type)
    fallback = basic if basic in {"X", "Z", "D"} else "X"
    how = _how(action, row.tag, row.vr, retained=option is not BASIC)
    if how == "B":  # bytes that should be cleaned cannot be; they get what the basic profile says
        return Rule(fallback, fallback, fallback)
    return Rule(action, how, fallback)


def _how(action: str, tag: int, vr: str, *, retained: bool) -> str:
    if action in "XZ":
        return action
    if vr == "SQ":
        return "N" if action == "D" else "R"
    if action in "DU":
        return "U" if vr == "UI" else action  # the dummy of a UID is a new one
    if action == "K":
        return _keep(tag, vr, retained=retained)
    if tag == _ZONE:
        return "O"
    return {"DA": "S", "DT": "S", "TM": "M", "OB": "B"}.get(vr, "W")


def _keep(tag: int, vr: str, *, retained: bool) -> str:
    if vr in NUMBERS | BULK or vr in {"CS", "DS", "IS", "AS"}:
        return "K"
    if vr == "UR":
        return "T"  # an address of the web points at a patient sooner than at a machine
    if tag == _ZONE:
        return "O"
    return {"UI": "I", **dict.fromkeys(DATES, "F")}.get(vr, "V" if retained else "T")


def _unlisted(tag: int, vr: str, options: Collection[str]) -> Rule:
    """An attribute of the dictionary that the table does not name."""
    ours = table.unlisted().get(tag)
    if ours == "X":
        return REMOVE
    if ours == "T":
        return Rule("K", "T", "D")
    return _by_vr(vr, options)


def _by_vr(vr: str, options: Collection[str]) -> Rule:
    if vr in SHORT_TEXT | LONG_TEXT:
        return Rule("C", "W", "D")
    if vr in NUMBERS | BULK - {"UN"} or vr in {"CS", "DS", "IS", "AS"}:
        return Rule("K", "K", "Z")
    if vr in DATES and FULL in options:
        return Rule("K", "F", "Z")
    if vr in DATES and MODIFIED in options:
        return Rule("C", "M" if vr == "TM" else "S", "Z")
    if vr == "UI" and "retain_uids" in options:
        return Rule("K", "I", "Z")
    others = {
        "SQ": Rule("K", "R", "Z"),
        "PN": EMPTY,
        "UI": Rule("U", "U", "Z"),
        **dict.fromkeys(DATES, EMPTY),
    }
    return others.get(vr, REMOVE)  # AE, UR, UN: removed
