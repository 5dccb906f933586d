"""Tag, VR and keyword facts from pydicom's copy of the DICOM data dictionary, plus newer tags of Annex E."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary  # plain tables, read once
from pydicom._uid_dict import UID_dictionary

from collegium_deid.table import annex_e

if TYPE_CHECKING:
    from collections.abc import Iterable

# The dictionary names a choice for a few tags; for us only "text or binary" matters.
_CHOICES: Final = {"OB or OW": "OW", "US or SS": "US", "US or SS or OW": "US", "US or OW": "US", "NONE": "UN"}

VRS: Final[dict[int, str]] = {
    # Annex E names attributes that are newer than the dictionary.
    **{tag: row.vr for tag, row in annex_e().items()},
    **{tag: _CHOICES.get(row[0], row[0]) for tag, row in DicomDictionary.items()},
}
# Curves, overlays and retired kin, whose groups or elements repeat: every tag the dictionary's masks name,
# in the 16 groups that PS3.5 section 7.6 allows.
REPEATING: Final[dict[int, str]] = {
    int(mask.replace("xx", f"{number:02X}"), 16): _CHOICES.get(row[0], row[0])
    for mask, row in RepeatersDictionary.items()
    if mask.count("x") == 2 and "xx" in mask
    for number in (range(0, 0x20, 2) if mask[2:4] == "xx" else range(0x100))
}
KEYWORDS: Final[dict[str, int]] = {row[4]: tag for tag, row in DicomDictionary.items() if row[4]}

# Registered roots whose UIDs name kinds of things, not instances: PS3.6 is one list, the rest are the code
# systems of PS3.16 section 8 that DICOM objects name by UID.
_CODE_SYSTEMS: Final = frozenset(
    {
        "2.16.840.1.113883.6.96",  # SNOMED CT
        "2.16.840.1.113883.6.1",  # LOINC
        "2.16.840.1.113883.6.8",  # UCUM
        "2.16.840.1.113883.6.256",  # RadLex
        "2.16.840.1.113883.6.3",  # ICD-10
        "2.16.840.1.113883.6.90",  # ICD-10-CM
        "2.16.840.1.113883.6.24",  # IEEE 11073
        "2.16.840.1.113883.6.119",  # FMA
    }
)
WELL_KNOWN_UIDS: Final[frozenset[str]] = frozenset(UID_dictionary) | _CODE_SYSTEMS
_WELL_KNOWN_BYTES: Final = frozenset(uid.encode() for uid in WELL_KNOWN_UIDS)

SHORT_TEXT: Final = frozenset({"LO", "SH"})
LONG_TEXT: Final = frozenset({"ST", "LT", "UT", "UC"})
TEXT: Final = SHORT_TEXT | LONG_TEXT | {"PN"}
STRINGS: Final = TEXT | {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "TM", "UI", "UR"}
NUMBERS: Final = frozenset({"AT", "FD", "FL", "SL", "SS", "SV", "UL", "US", "UV"})
BULK: Final = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})


def is_well_known(uid: bytes) -> bool:
    """True for a UID that names a class, syntax, frame or code system everyone shares, not an instance."""
    return uid in _WELL_KNOWN_BYTES


def vr_of(tag: int) -> str | None:
    """The dictionary's VR, None for a tag that edition does not know."""
    vr = VRS.get(tag)
    if vr is None and tag >> 24 in {0x50, 0x60}:
        row = RepeatersDictionary.get(f"{tag >> 24:02X}xx{tag & 0xFFFF:04X}")
        vr = _CHOICES.get(row[0], row[0]) if row else None
    return vr


def show(tag: int) -> str:
    """A tag as people write it: (0010,0020)."""
    return f"({tag >> 16:04X},{tag & 0xFFFF:04X})"


def show_all(tags: Iterable[int], limit: int = 8) -> str:
    """Some tags in a row for a message."""
    chosen = sorted(set(tags))
    more = f" and {len(chosen) - limit} more" if len(chosen) > limit else ""
    return " ".join(show(tag) for tag in chosen[:limit]) + more
