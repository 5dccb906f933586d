"""Collect what identifies a person in an original header, to look for it in the output.

Part of the independent check: nothing here is shared with the engine. An `Identifiers` object holds
values of a patient; it never leaves the process, and its representation shows only counts.
"""

from __future__ import annotations

import base64
import functools
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydicom._uid_dict import UID_dictionary
from pydicom.charset import python_encoding

from collegium_deid.verify.scan import scan

if TYPE_CHECKING:
    from collections.abc import Iterable

# By tag: numbers that point at one person, order, stay or machine.
_NUMBERS: Final = frozenset(
    (
        0x00080050, 0x00080094, 0x00100020, 0x00101000, 0x00101050, 0x00101090, 0x00102154, 0x00102155,
        0x00181000, 0x00181002, 0x00200010, 0x00380010, 0x00380060, 0x00400009, 0x00400253, 0x00401001,
        0x00401103, 0x00402010, 0x00402016, 0x00402017, 0x0040050A, 0x00400512, 0x00400551, 0x00120040,
    )
)  # fmt: skip
# By tag: phrases that name a place, an address or a machine.
_PHRASES: Final = frozenset(
    (
        0x00080080, 0x00080081, 0x00080092, 0x00081010, 0x00081040, 0x00101040, 0x00102299, 0x00321033,
        0x00380300, 0x00380400, 0x00401102, 0x00080055, 0x00020016, 0x00100021,
    )
)  # fmt: skip
_BIRTH: Final = frozenset({0x00100030, 0x001021D0, 0x00100033})
# A switch of character set inside a value (ISO 2022).
_ESCAPE: Final = re.compile(rb"\x1b[$().-]{1,2}[0-9A-Z]")
_NOBODY: Final = frozenset(
    {"anonymous", "anonymized", "anonymised", "unknown", "none", "removed", "deidentified"}
)


@dataclass(frozen=True)
class Identifiers:
    """Folded needles of one header."""

    words: frozenset[str]
    """Parts of names: at least 3 letters, 2 where letters have no case."""
    numbers: frozenset[str]
    """Ids without their separators, at least 4 characters."""
    short_numbers: frozenset[str]
    """Ids of 1 to 3 characters: only a whole value is a match."""
    phrases: frozenset[str]
    """Joined names, places and addresses without separators, at least 6 characters."""
    dates: frozenset[str]
    """Birth date and the original days of the exam, YYYYMMDD."""
    birth_dates: frozenset[str]
    uids: frozenset[str]

    def __repr__(self) -> str:
        count = len(self.words) + len(self.numbers) + len(self.phrases) + len(self.dates) + len(self.uids)
        return f"Identifiers({count} needles)"


def fold(text: str) -> str:
    """Case and accents off."""
    if text.isascii():
        return text.lower()
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def joined(text: str) -> str:
    """Folded letters and digits only."""
    return "".join(filter(str.isalnum, fold(text)))


@functools.lru_cache(maxsize=64)
def _codecs(character_set: bytes) -> tuple[str, ...]:
    names = character_set.decode("ascii", "replace").strip("\0 ").split("\\")
    found = dict.fromkeys(python_encoding.get(name.strip(), "latin-1") for name in names)
    return tuple(found)


def decoded(raw: bytes, character_set: bytes) -> str:
    """The text of a value; every reading of it, one a line, where character sets are mixed.

    Bytes that are no text of a character set are left out of that reading, and read as Latin-1 too.
    """
    raw = raw.rstrip(b"\0 ")
    if raw.isascii() and b"\x1b" not in raw:
        return raw.decode("ascii")
    codecs = _codecs(character_set)
    if b"\x1b" not in raw:
        try:
            return raw.decode(codecs[0])
        except UnicodeDecodeError:
            return raw.decode(codecs[0], "ignore") + "\n" + raw.decode("latin-1")
    bare = _ESCAPE.sub(b"", raw)
    readings = {version.decode(codec, "ignore") for codec in codecs for version in (raw, bare)}
    return "\n".join(sorted(readings))


def identifiers_of(head: bytes) -> Identifiers:
    """Every identifier of an original header, at any depth.

    Args:
        head: as for `clean_object`: at least the whole header.

    Raises:
        Rejected: it cannot be read.
    """
    words: set[str] = set()
    numbers: set[str] = set()
    phrases: set[str] = set()
    dates: set[str] = set()
    births: set[str] = set()
    uids: set[str] = set()
    for path, vr, raw, character_set in scan(head):
        tag = path[-1]
        if not raw:
            continue
        if vr == "UI":
            uids.update(_instances(raw))
        elif vr in {"DA", "DT"}:
            days = _days(raw)
            dates.update(days)
            if tag in _BIRTH:
                births.update(days)
        elif vr == "PN":
            parts, wholes = _person(raw, character_set)
            words.update(parts)
            phrases.update(wholes)
        elif tag in _NUMBERS:
            numbers.update(_values(raw, character_set))
        elif tag in _PHRASES:
            phrases.update(_values(raw, character_set))
    numbers = {number for number in numbers if number.strip("0") and number not in _NOBODY}
    return Identifiers(
        words=frozenset(words - _NOBODY),
        numbers=frozenset(number for number in numbers if len(number) >= 4),
        short_numbers=frozenset(number for number in numbers if 0 < len(number) < 4),
        phrases=frozenset(
            phrase for phrase in phrases - _NOBODY if len(phrase) >= (6 if phrase.isascii() else 3)
        ),
        dates=frozenset(dates),
        birth_dates=frozenset(births),
        uids=frozenset(uids),
    )


# The same few values stand in every slice of a series.
@functools.lru_cache(maxsize=1024)
def _person(raw: bytes, character_set: bytes) -> tuple[frozenset[str], frozenset[str]]:
    text = decoded(raw, character_set)
    return frozenset(_name_parts(text)), frozenset(_name_wholes(text))


@functools.lru_cache(maxsize=1024)
def _values(raw: bytes, character_set: bytes) -> frozenset[str]:
    return frozenset(joined(part) for part in decoded(raw, character_set).split("\\"))


def _instances(raw: bytes) -> Iterable[str]:
    """UIDs that are not DICOM's own or registered for everyone."""
    found = (part.strip("\0 ") for part in raw.decode("latin-1").split("\\"))
    return [
        uid for uid in found if uid and uid not in UID_dictionary and not uid.startswith("1.2.840.10008.")
    ]


def _days(raw: bytes) -> Iterable[str]:
    parts = raw.decode("latin-1").replace(".", "", 2).split("\\")
    return [part[:8] for part in parts if len(part) >= 8 and part[:8].isdigit() and part[:8] > "18000101"]


def _name_parts(text: str) -> Iterable[str]:
    parts = re.split(r"[\W\d_]+", fold(text))
    return [part for part in parts if len(part) >= (3 if part.isascii() else 2)]


def _name_wholes(text: str) -> Iterable[str]:
    """Family and given name written together, both ways round."""
    for group in re.split(r"[=\\]", fold(text)):
        parts = [joined(part) for part in group.split("^")]
        if len(parts) > 1 and parts[0] and parts[1]:
            yield parts[0] + parts[1]
            yield parts[1] + parts[0]


def disguises(needle: str) -> frozenset[bytes]:
    """UTF-16 in both byte orders and base64 at its three alignments, in the usual spellings of case."""
    found = set()
    for spelling in {needle, needle.upper(), needle.title()}:
        for codec in ("utf-16-le", "utf-16-be"):
            found.add(spelling.encode(codec))
        plain = spelling.encode()
        for shift in range(3):
            coded = base64.b64encode(bytes(shift) + plain)
            # The first and last characters depend on the neighbours; what is between them does not.
            first, last = (0, 2, 3)[shift], len(coded) - 4
            core = coded[first : last if (shift + len(plain)) % 3 else len(coded)]
            if len(core) >= 6:
                found.add(core)
    return frozenset(found)
