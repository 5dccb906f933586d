"""Collect what identifies a person in an original header, to look for it in the output.

Part of the independent check: nothing here is shared with the engine. An `Identifiers` object holds
values of a patient; it never leaves the process, and its representation shows only counts.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydicom._uid_dict import UID_dictionary

from collegium_deid.verify.needles import decoded, fold, joined
from collegium_deid.verify.scan import Wanted, scan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

# By tag: numbers that point at one person, order or stay.
_NUMBERS: Final = frozenset(
    (
        0x00080050, 0x00080094, 0x00100020, 0x00101000, 0x00101050, 0x00101090, 0x00102154, 0x00102155,
        0x00200010, 0x00380010, 0x00380060, 0x00400009, 0x00400253, 0x00401001, 0x00401103, 0x00402010,
        0x00402016, 0x00402017, 0x0040050A, 0x00400512, 0x00400551, 0x00120040, 0x00120042,
    )
)  # fmt: skip
# By tag: phrases that name a person's address, or somebody's.
_PHRASES: Final = frozenset(
    (0x00080092, 0x00101040, 0x00102299, 0x00321033, 0x00380300, 0x00380400, 0x00401102, 0x00100021)
)
# By tag: machines and places. An option may keep them, in their own place.
_PLACES: Final = frozenset(
    (0x00080080, 0x00080081, 0x00081010, 0x00081040, 0x00080055, 0x00020016, 0x00181000, 0x00181002)
)
BIRTHS: Final = frozenset({0x00100030, 0x001021D0, 0x00100033})
_WANTED: Final = Wanted(_NUMBERS | _PHRASES | _PLACES, frozenset({"UI", "DA", "DT", "PN"}))
_NOBODY: Final = frozenset(
    {"anonymous", "anonymized", "anonymised", "unknown", "none", "removed", "deidentified"}
)
_SHORT: Final = 4
"""Ids with fewer characters count only as a whole value."""
_LONG: Final = 6
"""Phrases and bare digits need this many characters to mean somebody."""


@dataclass(frozen=True)
class Identifiers:
    """Folded needles of one header."""

    words: frozenset[str]
    """Parts of names: at least 3 letters, 2 where letters have no case."""
    pairs: frozenset[tuple[str, str]]
    """Family and given name, both ways round, where one of them is shorter than that."""
    numbers: frozenset[str]
    """Ids without their separators, at least 4 characters; and the bare digits of longer ones."""
    short_numbers: frozenset[str]
    """Ids of 1 to 3 characters: only a whole value is a match."""
    phrases: frozenset[str]
    """Joined names and addresses without separators, at least 6 characters."""
    places: frozenset[str]
    """Machines and places without separators."""
    dates: frozenset[str]
    """Birth date and the original days of the exam, YYYYMMDD."""
    birth_dates: frozenset[str]
    moments: Mapping[tuple[int, ...], tuple[str, ...]]
    """By path, the days of every date there, in the order of the file."""
    uids: frozenset[str]

    def __repr__(self) -> str:
        sets = (self.words, self.numbers, self.phrases, self.places, self.dates, self.uids)
        return f"Identifiers({sum(map(len, sets))} needles)"


class _Found:
    """Needles while they are collected."""

    def __init__(self) -> None:
        self.words: set[str] = set()
        self.pairs: set[tuple[str, str]] = set()
        self.numbers: set[str] = set()
        self.phrases: set[str] = set()
        self.places: set[str] = set()
        self.births: set[str] = set()
        self.moments: dict[tuple[int, ...], tuple[str, ...]] = {}
        self.uids: set[str] = set()


def identifiers_of(head: bytes) -> Identifiers:
    """Every identifier of an original header, at any depth.

    Args:
        head: as for `clean_object`: at least the whole header.

    Raises:
        Rejected: it cannot be read.
    """
    found = _Found()
    for path, vr, raw, character_set, _, _ in scan(head, _WANTED):
        if not raw:
            continue
        tag = path[-1]
        if vr == "UI":
            found.uids.update(instances(raw))
        elif vr in {"DA", "DT"}:
            _dates(found, path, raw)
        elif vr == "PN":
            words, phrases, pairs = _person(raw, character_set)
            found.words |= words
            found.phrases |= phrases
            found.pairs |= pairs
        elif tag in _NUMBERS:
            found.numbers |= _ids(raw, character_set)
        elif tag in _PHRASES:
            found.phrases |= _values(raw, character_set)
        elif tag in _PLACES:
            found.places |= _values(raw, character_set)
    return _closed(found)


def _dates(found: _Found, path: tuple[int, ...], raw: bytes) -> None:
    days = days_of(raw)
    found.moments[path] = (*found.moments.get(path, ()), *days)
    if path[-1] in BIRTHS:
        found.births.update(days)


def _closed(found: _Found) -> Identifiers:
    numbers = {number for number in found.numbers if number.strip("0") and number not in _NOBODY}
    phrases = {phrase for phrase in found.phrases - _NOBODY if _is_long(phrase)}
    # Somebody wrote a name where an id belongs: a word is not looked for inside others, as digits are.
    names = {number for number in numbers if not any(map(str.isdigit, number))}
    numbers -= names
    words = found.words | {name for name in names if len(name) >= (3 if name.isascii() else 2)}
    return Identifiers(
        words=frozenset(words - _NOBODY),
        pairs=frozenset(found.pairs),
        numbers=frozenset(number for number in numbers if len(number) >= _SHORT),
        short_numbers=frozenset(number for number in numbers if 0 < len(number) < _SHORT),
        phrases=frozenset(phrases),
        places=frozenset(place for place in found.places - _NOBODY if _is_long(place)),
        dates=frozenset(day for days in found.moments.values() for day in days),
        birth_dates=frozenset(found.births),
        moments=found.moments,
        uids=frozenset(found.uids),
    )


def _is_long(phrase: str) -> bool:
    return len(phrase) >= (_LONG if phrase.isascii() else 3)


# The same few values stand in every slice of a series.
@functools.lru_cache(maxsize=1024)
def _person(
    raw: bytes, character_set: bytes
) -> tuple[frozenset[str], frozenset[str], frozenset[tuple[str, str]]]:
    """Words, wholes and pairs of short words of a person's name."""
    words: set[str] = set()
    wholes: set[str] = set()
    pairs: set[tuple[str, str]] = set()
    for group in re.split(r"[=\\\n]", fold(decoded(raw, character_set))):
        parts = [part for part in re.split(r"[\W\d_]+", group) if part]
        words.update(part for part in parts if len(part) >= (3 if part.isascii() else 2))
        names = [joined(part) for part in group.split("^")]
        if len(names) > 1 and names[0] and names[1]:
            wholes |= {names[0] + names[1], names[1] + names[0]}
            if min(map(len, names[:2])) < 3 and names[0].isascii() and names[1].isascii():
                pairs |= {(names[0], names[1]), (names[1], names[0])}
    return frozenset(words), frozenset(wholes), frozenset(pairs)


@functools.lru_cache(maxsize=1024)
def _values(raw: bytes, character_set: bytes) -> frozenset[str]:
    return frozenset(joined(part) for part in decoded(raw, character_set).split("\\"))


@functools.lru_cache(maxsize=1024)
def _ids(raw: bytes, character_set: bytes) -> frozenset[str]:
    """Ids as they are, and their digits alone, with and without leading zeros."""
    found = set(_values(raw, character_set))
    for number in list(found):
        digits = "".join(filter(str.isdigit, number))
        found.update(form for form in (digits, digits.lstrip("0")) if len(form) >= _LONG)
    return frozenset(found)


def instances(raw: bytes) -> Iterable[str]:
    """UIDs that are not DICOM's own or registered for everyone."""
    found = (part.strip("\0 ") for part in raw.decode("latin-1").split("\\"))
    return [
        uid for uid in found if uid and uid not in UID_dictionary and not uid.startswith("1.2.840.10008.")
    ]


def days_of(raw: bytes) -> list[str]:
    """The days of a DA or DT value, YYYYMMDD; none of what is no day, and no dummy."""
    parts = [part[:8] for part in raw.replace(b".", b"", 2).split(b"\\")]
    return [part.decode() for part in parts if len(part) == 8 and part.isdigit() and part > b"19000101"]
