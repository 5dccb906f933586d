"""Verify against the input: look for every identifier of the original header in the output, with fresh eyes.

Runs where the input header is (gateway, browser). Knows nothing of recipes or of what the engine did;
shares no code with it. A hit rejects the object; the message names tags, never values.
"""

from __future__ import annotations

import functools
import re
from typing import Final

from pydicom._uid_dict import UID_dictionary

from collegium_deid.dictionary import show_all
from collegium_deid.errors import Rejected
from collegium_deid.verify.identifiers import Identifiers, decoded, disguises, fold, joined
from collegium_deid.verify.scan import Value, scan

_OURS: Final = re.compile(rb"2\.25\.\d{1,39}\0?")
_UID_LIKE: Final = re.compile(r"\d+(?:\.\d+){4,}")
_BINARY: Final = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
_FIXED: Final = frozenset({"AT", "FD", "FL", "SL", "SS", "SV", "UL", "US", "UV", "SQ"})
# What a de-identifier writes about its method is not text of the input: (0012,0063), (0012,0064).
_METHOD: Final = frozenset({0x00120063, 0x00120064})
# Terms of coded strings: a patient called Head, whose head was scanned, is not named by that.
_TERMS: Final = frozenset(
    [
        "head",
        "neck",
        "headneck",
        "chest",
        "abdomen",
        "pelvis",
        "brain",
        "breast",
        "heart",
        "knee",
        "spine",
        "foot",
        "hand",
        "hip",
        "liver",
        "lung",
        "skull",
        "shoulder",
        "thorax",
        "prostate",
        "kidney",
        "ankle",
        "elbow",
        "wrist",
        "leg",
        "arm",
        "extremity",
        "lspine",
        "cspine",
        "tspine",
        "wholebody",
        "body",
        "phantom",
        "original",
        "primary",
        "axial",
        "localizer",
        "derived",
        "secondary",
        "helix",
        "helical",
        "spiral",
        "static",
        "dynamic",
        "attn",
        "volume",
        "perfusion",
        "diffusion",
        "projection",
        "angio",
        "adc",
        "norm",
        "dis2d",
        "dis3d",
        "mpr",
        "mip",
        "reformatted",
        "recon",
        "resampled",
        "average",
        "left",
        "right",
        "none",
        "image",
        "ortho",
        "other",
        "research",
        "trace",
        "tracew",
        "map",
        "sub",
        "add",
        "mean",
        "cta",
        "mra",
        "dixon",
        "water",
        "fat",
        "phase",
        "magnitude",
        "real",
        "imaginary",
        "mixed",
        "resting",
        "stress",
        "gated",
        "whole",
        "female",
        "male",
        "flash",
        "test",
    ]
)
_WORTH_REMEMBERING: Final = 4096


class _Searcher:
    """Compiled needles of one set of identifiers, and the values already found clean."""

    def __init__(self, words: frozenset[str], numbers: frozenset[str], phrases: frozenset[str]) -> None:
        inside = [re.escape(word) for word in words if len(word) >= 5 or not word.isascii()]
        alone = [re.escape(word) for word in words if len(word) < 5 and word.isascii()]
        parts = [f"(?:{'|'.join(inside)})"] if inside else []
        if alone:
            parts.append(rf"(?<![a-z])(?:{'|'.join(alone)})(?![a-z])")
        self.words = re.compile("|".join(parts)) if parts else None
        self.alone = frozenset(words)
        ids = sorted(numbers, key=len, reverse=True)
        self.numbers = re.compile("|".join(rf"(?<!\d){re.escape(n)}(?!\d)" for n in ids)) if ids else None
        self.phrases = re.compile("|".join(map(re.escape, phrases))) if phrases else None
        long = [needle for needle in words | numbers | phrases if len(needle) >= 5]
        plain = [re.escape(needle.encode()) for needle in long]
        self.bytes = re.compile(b"|".join(plain), re.IGNORECASE) if plain else None
        hidden = sorted({form for needle in long for form in disguises(needle)})
        self.hidden = re.compile(b"|".join(map(re.escape, hidden))) if hidden else None
        self.clean: set[tuple[str, bytes, bytes]] = set()


@functools.lru_cache(maxsize=128)
def _searcher(words: frozenset[str], numbers: frozenset[str], phrases: frozenset[str]) -> _Searcher:
    return _Searcher(words, numbers, phrases)


def verify_against(identifiers: Identifiers, output_head: bytes) -> None:
    """Raise unless no identifier of the input is left in the output header.

    Names: their parts of 3 letters or more (shorter than 5: as a word of their own), joined both ways;
    ids with and without separators; birth date in any usual spelling; original exam dates in text;
    original UIDs anywhere; all of them in any case and accents, in the character set of the value, in
    UTF-16 and in base64.

    Raises:
        Rejected: `deid.verify.identifier_left`, with the tags.
    """
    searcher = _searcher(identifiers.words, identifiers.numbers, identifiers.phrases)
    hits = [value.path[-1] for value in scan(output_head) if _holds(searcher, identifiers, value)]
    if hits:
        raise Rejected(
            "deid.verify.identifier_left", f"Something of the original identity is left in {show_all(hits)}."
        )


def _holds(searcher: _Searcher, identifiers: Identifiers, value: Value) -> bool:
    path, vr, raw, character_set = value
    if not raw or vr in _FIXED or path[0] in _METHOD:
        return False
    if vr == "UI":
        return _holds_uid(identifiers, raw)
    if vr in {"DA", "DT", "TM"}:
        return raw[:8].decode("latin-1") in identifiers.birth_dates
    known = (vr, raw, character_set)
    if known in searcher.clean:
        return False
    text = decoded(raw, character_set)
    if vr in {"DS", "IS", "AS"}:
        found = any(part.strip() in identifiers.numbers for part in text.split("\\"))
    elif vr in _BINARY:
        found = _holds_bytes(searcher, raw)
    else:
        found = _holds_text(searcher, identifiers, vr, text) or _holds_bytes(searcher, raw, hidden_only=True)
    if not found and len(raw) <= _WORTH_REMEMBERING and not _has_day(text):
        if len(searcher.clean) > 20_000:
            searcher.clean.clear()
        searcher.clean.add(known)
    return found


def _has_day(text: str) -> bool:
    """Text that might hold a date or UID is judged anew each time: those differ from object to object."""
    return sum(map(str.isdigit, text)) >= 4


def _holds_uid(identifiers: Identifiers, raw: bytes) -> bool:
    parts = [part.strip("\0 ") for part in raw.decode("latin-1").split("\\")]
    if any(part in identifiers.uids for part in parts):
        return True
    if _OURS.fullmatch(raw):
        return False
    # A UID that is neither keyed nor registered may carry a number of the person in its components.
    strange = [part for part in parts if part not in UID_dictionary and not part.startswith("2.25.")]
    return any(joined(number) in identifiers.numbers for part in strange for number in part.split("."))


def _holds_bytes(searcher: _Searcher, raw: bytes, *, hidden_only: bool = False) -> bool:
    if searcher.hidden is not None and searcher.hidden.search(raw):
        return True
    return not hidden_only and searcher.bytes is not None and searcher.bytes.search(raw) is not None


def _holds_text(searcher: _Searcher, identifiers: Identifiers, vr: str, text: str) -> bool:
    folded = fold(text)
    squeezed = "".join(filter(str.isalnum, folded))
    if searcher.words is not None:
        for found in searcher.words.finditer(folded):
            if vr != "CS" or found[0] not in _TERMS:
                return True
    if searcher.numbers is not None and (
        searcher.numbers.search(folded) or searcher.numbers.search(squeezed)
    ):
        return True
    if searcher.phrases is not None and searcher.phrases.search(squeezed):
        return True
    if squeezed in identifiers.short_numbers and vr != "CS" and not squeezed.isdigit():
        return True
    if any(uid in identifiers.uids for uid in _UID_LIKE.findall(text)):
        return True
    return _has_day(text) and _holds_date(identifiers, folded)


_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def _holds_date(identifiers: Identifiers, folded: str) -> bool:
    bare = re.sub(r"[^a-z0-9]", "", folded)
    for day in identifiers.dates:
        year, month, number = day[:4], day[4:6], day[6:8]
        spellings = {year + month + number, number + month + year, month + number + year}
        if month.isdigit() and 1 <= int(month) <= 12:
            name = _MONTHS[int(month) - 1]
            spellings |= {number + name + year, name + number + year}
        if any(spelling in bare for spelling in spellings):
            return True
    return False
