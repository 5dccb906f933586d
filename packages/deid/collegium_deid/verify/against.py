"""Verify against the input: look for every identifier of the original header in the output, with fresh eyes.

Runs where the input header is (gateway, browser). Knows nothing of recipes or of what the engine did,
only what the output itself declares; shares no code with the engine. A hit rejects the object; the
message names tags, never values.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from typing import Final

from pydicom._uid_dict import UID_dictionary

from collegium_deid.dictionary import show_all
from collegium_deid.errors import Rejected
from collegium_deid.table import medical_words
from collegium_deid.verify.declared import CODES, FULL_DATES, KEPT_UIDS, METHOD, codes_of, kept_places
from collegium_deid.verify.identifiers import BIRTHS, Identifiers, days_of
from collegium_deid.verify.needles import Needles, Searcher, decoded, disguised, fold, joined, searcher
from collegium_deid.verify.scan import Value, Wanted, scan

_OURS: Final = re.compile(rb"2\.25\.\d{30,39}\0?")
# Possessive, so that no value can make the search slow.
_UID_LIKE: Final = re.compile(r"(?<!\d)\d++(?:\.\d++){4,}")
_BINARY: Final = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
_FIXED: Final = frozenset({"AT", "FD", "FL", "SL", "SS", "SV", "UL", "US", "UV"})
_ONE_NUMBER: Final = 8
# Times of day are nobody's; dates are looked at by themselves.
_WANTED: Final = Wanted(
    frozenset(),
    _BINARY
    | _FIXED
    | {"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "UC", "UI", "UR", "UT"},
)
_DATES: Final = frozenset({"DA", "DT"})
_DECLARATION: Final = frozenset({METHOD, CODES})
_EMPTY_PREAMBLE: Final = bytes(128)
# Terms of coded strings that no list of medical words has: a patient called Head, whose head was
# scanned, is not named by that.
_TERMS: Final = frozenset(
    (
        "headneck", "lspine", "cspine", "tspine", "wholebody", "original", "primary", "axial", "localizer",
        "derived", "secondary", "helix", "attn", "adc", "norm", "dis2d", "dis3d", "recon", "ortho", "other",
        "tracew", "sub", "add", "dixon", "real", "imaginary", "female", "male", "flash", "none", "yes", "no",
    )
)  # fmt: skip
_WORTH_REMEMBERING: Final = 4096
_REMEMBERED: Final = 20_000


def verify_against(identifiers: Identifiers, output_head: bytes) -> None:
    """Raise unless no identifier of the input is left in the output.

    Names: their parts of 3 letters or more (shorter than 5: as a word of their own), joined both ways,
    and shorter ones beside each other; ids with and without separators, letters and leading zeros;
    birth date and exam dates in any usual spelling; dates that stand where they stood; original UIDs
    anywhere; all of them in any case and accents, in the character set of the value and in others, in
    UTF-16, base64 and hexadecimal; in text, numbers, UIDs, private and unknown bytes, file meta
    information, preamble, and behind the pixel data when that is there.

    Args:
        identifiers: of the input.
        output_head: the output up to its pixel data, or all of it.

    Raises:
        Rejected: `deid.verify.identifier_left`, with the tags.
    """
    values = scan(output_head, _WANTED)
    look = _Look(identifiers, codes_of(values))
    hits = [value.path[-1] for value in values if value.raw and look.holds(value)]
    hits += look.still(values)
    if output_head[:128] != _EMPTY_PREAMBLE and look.in_bytes(look.every, output_head[:128]):
        hits.append(0)
    if hits:
        raise Rejected(
            "deid.verify.identifier_left", f"Something of the original identity is left in {show_all(hits)}."
        )


class _Look:
    """One look through one output."""

    def __init__(self, identifiers: Identifiers, codes: frozenset[str]) -> None:
        own = identifiers
        self.identifiers = own
        self.uids_kept, self.dates_kept = KEPT_UIDS in codes, FULL_DATES in codes
        self.places_kept = kept_places(codes)
        persons = Needles(own.words, own.pairs, own.numbers, own.short_numbers, own.phrases, own.dates)
        numbered = frozenset(place for place in own.places if any(map(str.isdigit, place)))
        named = own.phrases | (own.places - numbered)
        self.persons = searcher(persons)
        self.every = searcher(replace(persons, numbers=own.numbers | numbered, phrases=named))

    def holds(self, value: Value) -> bool:
        """True when something of the input's identity is in this value."""
        path, vr, raw, character_set, _, _ = value
        if vr in _DATES or path[0] in _DECLARATION:
            return False
        kept = bool(self.places_kept) and not self.places_kept.isdisjoint(path)
        if vr == "UI":
            return not self.uids_kept and not kept and self.in_uid(raw)
        needles = self.persons if kept else self.every
        if vr in _FIXED:
            # Whoever wrote words as numbers needed several of them.
            return len(raw) > _ONE_NUMBER and needles.in_bytes(raw)
        short = len(raw) <= _WORTH_REMEMBERING
        known = (vr, raw if short else hashlib.blake2b(raw, digest_size=16).digest(), character_set)
        if known in needles.clean:
            return False
        text = decoded(raw, character_set)
        found = self.in_value(needles, vr, raw, text)
        if not found and not _UID_LIKE.search(text):  # UIDs differ from object to object
            if len(needles.clean) > _REMEMBERED:
                needles.clean.clear()
            needles.clean.add(known)
        return found

    def in_value(self, needles: Searcher, vr: str, raw: bytes, text: str) -> bool:
        if vr in {"DS", "IS", "AS"}:
            exact = needles.exact_numbers
            parts = (part.strip().removeprefix("+").lstrip("0") for part in text.split("\\"))
            return any(
                part in exact or ("." in part and part.rstrip("0").removesuffix(".") in exact)
                for part in parts
            )
        if (vr in _BINARY or b"\0" in raw.rstrip(b"\0")) and self.in_bytes(needles, raw):
            return True
        if vr in _BINARY and not text.isprintable():
            return False
        return self.in_text(needles, vr, text) or any(
            self.in_hiding(needles, vr, piece) for piece in disguised(raw)
        )

    def in_hiding(self, needles: Searcher, vr: str, raw: bytes) -> bool:
        """What disguised bytes stood for: bytes again, or a text."""
        text = raw.decode("latin-1")
        is_text = text.isascii() and text.isprintable()
        return needles.in_bytes(raw) or (is_text and self.in_text(needles, vr, text))

    def in_text(self, needles: Searcher, vr: str, text: str) -> bool:
        folded = fold(text)
        squeezed = "".join(filter(str.isalnum, folded))
        if needles.words is not None:
            for found in needles.words.finditer(folded):
                if vr != "CS" or (found[0] not in _TERMS and found[0] not in medical_words()):
                    return True
        if needles.numbers is not None and (
            needles.numbers.search(folded) or needles.numbers.search(squeezed)
        ):
            return True
        if needles.phrases is not None and needles.phrases.search(squeezed):
            return True
        if squeezed in needles.short_numbers and vr != "CS" and not squeezed.isdigit():
            return True
        if not self.uids_kept and any(uid in self.identifiers.uids for uid in _UID_LIKE.findall(text)):
            return True
        return needles.days is not None and needles.days.search(squeezed) is not None

    def in_bytes(self, needles: Searcher, raw: bytes) -> bool:
        """Names, numbers, dates and UIDs in bytes of any kind."""
        if needles.in_bytes(raw):
            return True
        uids = _UID_LIKE.findall(raw.decode("latin-1"))
        return not self.uids_kept and any(uid in self.identifiers.uids for uid in uids)

    def in_uid(self, raw: bytes) -> bool:
        if _OURS.fullmatch(raw):
            return raw.rstrip(b"\0").decode() in self.identifiers.uids
        own = self.identifiers
        text = raw.decode("latin-1").strip("\0 ")
        if text in UID_dictionary:  # never among what identifies
            return False
        parts = [part.strip("\0 ") for part in text.split("\\")]
        if any(part in own.uids for part in parts):
            return True
        # A UID that is neither keyed nor registered may carry a number or a day of the person.
        strange = [
            part for part in parts if part not in UID_dictionary and _OURS.fullmatch(part.encode()) is None
        ]
        numbers = [number for part in strange for number in part.split(".")]
        return any(joined(number) in own.numbers or number[:8] in own.dates for number in numbers)

    def still(self, values: list[Value]) -> list[int]:
        """Tags of dates that are what they were: at the same place, in the same number."""
        if self.dates_kept:
            return []
        now: dict[tuple[int, ...], tuple[str, ...]] = {}
        for path, vr, raw, _, _, _ in values:
            if vr in _DATES and raw and self.places_kept.isdisjoint(path):
                now[path] = (*now.get(path, ()), *days_of(raw))
        hits = []
        for path, days in now.items():
            before = self.identifiers.moments.get(path, ())
            same = len(before) == len(days) and any(map(str.__eq__, before, days))
            if same or (path[-1] in BIRTHS and not self.identifiers.birth_dates.isdisjoint(days)):
                hits.append(path[-1])
        return hits
