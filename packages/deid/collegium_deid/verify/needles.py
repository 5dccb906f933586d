"""What an identifier may look like in an output: folded, joined, turned round, disguised; as patterns.

Part of the independent check: nothing here is shared with the engine.
"""

from __future__ import annotations

import binascii
import functools
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

from pydicom.charset import python_encoding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# Shorter words and numbers count only where they stand alone.
_TELLING: Final = 5
# A switch of character set inside a value (ISO 2022).
_ESCAPE: Final = re.compile(rb"\x1b[$().-]{1,2}[0-9A-Z]")
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/]{8,}")
_HEX: Final = re.compile(rb"(?:[0-9A-F]{10,}|[0-9a-f]{10,})")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# Letters that fold to others, but not by taking accents off.
_STROKES: Final = str.maketrans(
    {"ø": "o", "đ": "d", "ł": "l", "æ": "ae", "œ": "oe", "\u0131": "i", "þ": "th"}
)


def fold(text: str) -> str:
    """Case and accents off."""
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFKD", text.casefold()).translate(_STROKES)
    return "".join(c for c in plain if not unicodedata.combining(c))


def joined(text: str) -> str:
    """Folded letters and digits only."""
    return "".join(filter(str.isalnum, fold(text)))


@functools.lru_cache(maxsize=64)
def codecs_of(character_set: bytes) -> tuple[str, ...]:
    """Python codecs of a (0008,0005) value; Latin-1 for what nobody defined."""
    names = character_set.decode("ascii", "replace").strip("\0 ").split("\\")
    return tuple(dict.fromkeys(python_encoding.get(name.strip(), "latin-1") for name in names))


def decoded(raw: bytes, character_set: bytes) -> str:
    """The text of a value; every reading of it, one a line, where character sets are mixed or wrong.

    Bytes that are no text of a character set are left out of that reading, and read as Latin-1 too.
    """
    raw = raw.rstrip(b"\0 ")
    if raw.isascii() and b"\x1b" not in raw:
        return raw.decode("ascii")
    codecs = codecs_of(character_set)
    if b"\x1b" in raw:
        bare = _ESCAPE.sub(b"", raw)
        readings = {version.decode(codec, "ignore") for codec in codecs for version in (raw, bare)}
        return "\n".join(sorted(readings))
    readings = {raw.decode(codec, "ignore") for codec in (*codecs[:1], "utf-8", "latin-1")}
    # UTF-8 that somebody took for Latin-1 and wrote as UTF-8 again.
    readings |= {reading.encode("latin-1", "ignore").decode("utf-8", "ignore") for reading in readings}
    return "\n".join(sorted(readings))


def days_spelled(days: Iterable[str]) -> frozenset[str]:
    """The usual spellings of days (YYYYMMDD) without their separators."""
    found = set()
    for day in days:
        year, month, number = day[:4], day[4:6], day[6:8]
        found |= {year + month + number, number + month + year, month + number + year}
        if month.isascii() and month.isdigit() and 1 <= int(month) <= len(_MONTHS):
            name = _MONTHS[int(month) - 1]
            short = number.lstrip("0")
            found |= {number + name + year, name + number + year, short + name + year, name + short + year}
    return frozenset(found)


def disguised(raw: bytes) -> Iterator[bytes]:
    """Bytes that a text may stand for: base64 and hexadecimal at every alignment, percent signs."""
    for run in _BASE64.findall(raw):
        for shift in range(4):
            left = len(run) - shift
            # One character alone is no byte; of two or three the padding may stand behind the run.
            whole = run[shift : shift + left - (left % 4 == 1)]
            yield binascii.a2b_base64(whole + b"=" * (-len(whole) % 4))
    for run in _HEX.findall(raw):
        for shift in range(2):
            yield binascii.unhexlify(run[shift : shift + (len(run) - shift) // 2 * 2])
    if b"%" in raw:
        yield unquote_to_bytes(raw)


@dataclass(frozen=True)
class Needles:
    """What to look for; see `Identifiers` for the parts."""

    words: frozenset[str]
    pairs: frozenset[tuple[str, str]]
    numbers: frozenset[str]
    short_numbers: frozenset[str]
    phrases: frozenset[str]
    days: frozenset[str]


class Searcher:
    """Compiled patterns of one set of needles, and the values already found clean."""

    def __init__(self, needles: Needles) -> None:
        words, phrases = needles.words, needles.phrases
        inside = [re.escape(word) for word in sorted(words) if len(word) >= _TELLING or not word.isascii()]
        alone = [re.escape(word) for word in sorted(words) if len(word) < _TELLING and word.isascii()]
        parts = [f"(?:{'|'.join(inside)})"] if inside else []
        if alone:
            parts.append(rf"(?<![a-z])(?:{'|'.join(alone)})(?![a-z])")
        # A short family name says nothing by itself; beside its given name it says who.
        parts += [
            rf"(?<![a-z]){re.escape(one)}[^a-z0-9\n]{{1,3}}{re.escape(other)}(?![a-z])"
            for one, other in sorted(needles.pairs)
        ]
        self.words = _either(parts)
        ids = sorted(needles.numbers, key=len, reverse=True)
        self.numbers = _either([rf"(?<!\d){re.escape(number)}(?!\d)" for number in ids])
        self.exact_numbers = needles.numbers | needles.days
        self.short_numbers = needles.short_numbers
        self.phrases = _either([re.escape(phrase) for phrase in sorted(phrases)])
        self.days = _either(sorted(days_spelled(needles.days)))
        plain = {needle for needle in words | phrases if needle.isascii() and len(needle) >= _TELLING}
        plain |= {number for number in needles.numbers if not number.isdigit() and len(number) >= _TELLING}
        self._plain = sorted(needle.encode() for needle in plain)
        self._foreign = sorted(
            {form for word in words | phrases if not word.isascii() for form in _forms(word)}
        )
        digits = [number for number in ids if number.isdigit() and len(number) >= _TELLING]
        self._digits = _either([rf"(?<!\d)(?:{number})(?!\d)" for number in [*digits, *sorted(needles.days)]])
        self.clean: set[object] = set()

    def in_bytes(self, raw: bytes) -> bool:
        """Long words, numbers and days in bytes of any kind: 8 bits a letter, or 16 either way round."""
        low = raw.lower()
        versions = (low, low.replace(b"\0", b"")) if b"\0" in low else (low,)
        if any(needle in version for version in versions for needle in self._plain):
            return True
        if any(form in raw for form in self._foreign):
            return True
        digits = self._digits
        return digits is not None and any(digits.search(version.decode("latin-1")) for version in versions)


def _either(patterns: list[str]) -> re.Pattern[str] | None:
    return re.compile("|".join(patterns)) if patterns else None


def _forms(word: str) -> set[bytes]:
    """A word with letters beyond ASCII as bytes."""
    found = set()
    for spelling in {word, word.upper(), word.title()}:
        for codec in ("utf-8", "utf-16-le", "utf-16-be"):
            found.add(spelling.encode(codec))
    return found


@functools.lru_cache(maxsize=128)
def searcher(needles: Needles) -> Searcher:
    """The patterns of these needles; kept, because a series has one set."""
    return Searcher(needles)
