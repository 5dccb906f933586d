"""Does a read line identify anybody, may it stay? By the recipe's policy, forgiving what readers misread.

A reader drops blanks (`TIS0.0MI0.6`) and takes O for 0 and l for 1. So header words are looked for
with a mistake or two, numbers and dates with look-alikes folded, and a line may be cut at changes of
letters, digits and case before its words are looked up. What is in doubt is hidden.
"""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final

from collegium_deid.engine.text import fold, is_diagnostic, looks_identifying, squeeze
from collegium_deid.pixels.vocabulary import screen_words
from collegium_deid.table import medical_words

if TYPE_CHECKING:
    from collegium_deid.engine.text import KnownTokens
    from collegium_deid.pixels.read import Reading
    from collegium_deid.rules.pixels import PixelPolicy

KNOWN, PATTERN, WORDS, ALL, UNREADABLE = "known", "pattern", "words", "all", "unreadable"

_ALIKE: Final = str.maketrans(
    {"0": "o", "1": "l", "i": "l", "|": "l", "!": "l", "5": "s", "8": "b", "2": "z"}
)
_AS_DIGITS: Final = str.maketrans(
    {"O": "0", "o": "0", "Q": "0", "D": "0", "l": "1", "I": "1", "|": "1", "S": "5", "B": "8"}
)
_PATTERN: Final = re.compile(
    r"\d{1,4}([-./])\d{1,2}\1\d{2,4}"  # a date, whatever stands before and behind it
    r"|(?:19|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"
    r"|\d{1,2}[-. ]*(?:jan|feb|m[aä]r|apr|ma[iy]|ju[nl]|aug|sep|o[ck]t|nov|de[cz])[a-z]*[-. ,_]*\d{2,4}"
    r"|(?:jan|feb|m[aä]r|apr|ma[iy]|ju[nl]|aug|sep|o[ck]t|nov|de[cz])[a-z]*[-. ,_]*\d{1,2}[-. ,]+\d{2,4}"
    r"|(?:jan|feb|mar|apr|ma[iy]|ju[nl]|aug|sep|o[ck]t|nov|de[cz])[-. ,_]*\d{4,6}(?!\d)"  # its blanks were lost
    r"|\d{1,2}\W*[a-z01|]{3}\W*(?:19|20)\d\d(?!\d)"  # its month was misread
    r"|\d{1,2}/\d{1,2}/\d|(?:19|20)\d\d[-/](?:0[1-9]|1[0-2])(?!\d)"  # its end was cut off
    r"|(?<!\d)(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d"
    r"|\d{6,}|\d{3}-\d{4}(?!\d)"
    r"|\b(?:name|pat(?:ient)?|pid|mrn|dob|born|birth|geb|acc(?:ession)?|ssn|nhs|tech|op(?:er)?|hosp|clinic|klinik"
    r"|phys(?:ician)?)\b *[:#.]|\b(?:ref|perf)(?::|[. ]*(?:phys|dr)\b)"
    r"|operator|sonographer|technologist|technician|radiographer|nurse"
    r"|d[o0q]b(?![a-z])|(?:dob|mrn|accession|patientid|patname|hospital|klinik|clinic|universit)",
    re.IGNORECASE,
)
_LABEL: Final = re.compile(
    r"(?:name|patient|patid|mrn|dob|born|birth|geb|acc(?:ession)?|tech|nurse|ref|phys|op|operator|sonographer"
    r"|station|tel|hosp|date)"
    r"\W*(?:dr|phys|by|no|nr|id|of)?\W*\w{0,3}\W*",
    re.IGNORECASE,
)
_PARTS: Final = re.compile(r"[A-Z]?[a-zµ°]+|[A-Z]+(?![a-z])|[\d.,]+|[^\sA-Za-z\d]")
_DIGITS_APART: Final = re.compile(r"[A-Za-zµ°]+|[\d.,]+|[^\sA-Za-z\d]+")
_ZERO_IN_WORD: Final = re.compile(r"0(?=[A-Za-z]{2})")
_WORD: Final = re.compile(r"[^\W\d_]{4}")
_SPLIT: Final = re.compile(r"[^A-Za-z0-9.]+")
_MISTAKES: Final = 5  # one in five letters may be misread
_SHORT: Final = 4
_PIECE: Final = 4
_NUMBER: Final = re.compile(r"[+-]?\d{1,4}(?:[.,:/x]\d{1,3})*%?|\d{5}")
_UNITS: Final = frozenset(
    (
        "mm", "cm", "cm2", "cm3", "ml", "kv", "kvp", "ma", "mas", "ms", "sec", "db", "hz", "khz", "mhz", "fps", "bpm",
        "gy", "mgy", "hu", "sid", "fd", "fov", "ww", "wl", "te", "tr", "fa", "pa", "ap", "lat", "rt", "lt", "ct", "mr",
        "cbf", "cbv", "edv", "psv", "tof", "mip", "agd", "neg",
    )
)  # fmt: skip
_MARKS: Final = ".,:;()[]{}<>*'\"+-=/#%_~^°\\|"
# Letters a reader takes for each other in small print.
_LOOKS: Final = str.maketrans("nltj1|oe0v58", "miiiiicccusb")
_AS_LETTERS: Final = str.maketrans("0158|", "olsbl")


def reason_to_hide(reading: Reading, policy: PixelPolicy, tokens: KnownTokens) -> str | None:
    """Why a read line must go; None when it may stay."""
    text = reading.text
    if _says_what_the_header_says(text, tokens):
        return KNOWN
    spellings = (text, _numbers(text), _ZERO_IN_WORD.sub("O", text))
    if is_label(text) or looks_identifying(text) or any(map(_PATTERN.search, spellings)):
        return PATTERN
    if policy.policy == "all_text":
        return ALL
    if policy.policy == "whitelist" and not _is_allowed(text, policy.allow, tokens):
        return WORDS
    return None


def is_label(text: str) -> bool:
    """True when a line is the name of a field with nothing, or next to nothing, behind it."""
    return _LABEL.fullmatch(text) is not None


def has_word(text: str) -> bool:
    """True when there is a run of letters long enough to be a word of its own."""
    return _WORD.search(text) is not None


def _numbers(text: str) -> str:
    """Look-alikes folded to digits in every word that is mostly digits."""

    def folded(word: re.Match[str]) -> str:
        digits = sum(c.isdigit() for c in word[0])
        return word[0].translate(_AS_DIGITS) if 2 * digits > len(word[0]) else word[0]

    return re.sub(r"\S*\d\S*", folded, text)


def _says_what_the_header_says(text: str, tokens: KnownTokens) -> bool:
    if tokens.in_text(text):
        return True
    line = squeeze(fold(text)).translate(_ALIKE)
    for token in (*tokens.parts, *tokens.wholes):
        wanted = squeeze(token).translate(_ALIKE)
        if len(wanted) < _SHORT:
            if wanted and wanted in {squeeze(fold(w)).translate(_ALIKE) for w in re.split(r"[\W_]+", text)}:
                return True
        elif _is_inside(wanted, line, len(wanted) // _MISTAKES):
            return True
    return False


def _is_inside(wanted: str, line: str, mistakes: int) -> bool:
    """True when `wanted` is somewhere in `line` with at most so many changes (Sellers' algorithm)."""
    if not mistakes:
        return wanted in line
    if len(line) < len(wanted) - mistakes:
        return False
    column = list(range(len(wanted) + 1))
    for char in line:
        before, column[0] = column[0], 0
        for n, letter in enumerate(wanted, 1):
            here = column[n]
            column[n] = min(before + (letter != char), here + 1, column[n - 1] + 1)
            before = here
        if column[-1] <= mistakes:
            return True
    return False


def _is_allowed(text: str, allow: tuple[str, ...], tokens: KnownTokens) -> bool:
    """True when every part of the line is known; glued and misread words get a second and third look."""
    if is_diagnostic(text, tokens):
        return True
    words = text.split()
    return bool(words) and all(
        any(all(_is_known(part, allow, tokens) for part in cut) for cut in _cuts(word)) for word in words
    )


def _cuts(word: str) -> tuple[list[str], ...]:
    """A word as it is, cut at marks, between letters and digits, and where case changes."""
    return [word], _SPLIT.split(word), _DIGITS_APART.findall(word), _PARTS.findall(word) or [word]


def _is_known(part: str, allow: tuple[str, ...], tokens: KnownTokens) -> bool:
    bare = part.strip(_MARKS)
    word = bare.casefold()
    if len(bare) <= 1 or word in allow or word in screen_words() or _is_number(bare):
        return True
    if is_diagnostic(bare, tokens):
        return True
    if bare.isalnum() and bare.isascii() and _is_composed(word, tokens):
        return True
    if bare.isascii() and len(word) > _PIECE and word.translate(_LOOKS) in _known_looks():
        return not tokens.in_text(word)
    spellings = (word.translate(_AS_LETTERS), word.replace("1", "i").translate(_AS_LETTERS))
    return len(word) >= _PIECE and any(each.isalpha() and _is_word(each, tokens) for each in spellings)


@functools.cache
def _known_looks() -> frozenset[str]:
    """Words of five letters and more as a reader may see them."""
    words = screen_words() | medical_words()
    return frozenset(word.translate(_LOOKS) for word in words if len(word) > _PIECE and word.isascii())


def _is_number(bare: str) -> bool:
    """Up to five digits: a setting or a measure, too short to be a record number."""
    digits = bare.translate(_AS_DIGITS)
    return _NUMBER.fullmatch(digits) is not None


def _is_word(word: str, tokens: KnownTokens) -> bool:
    return word in screen_words() or is_diagnostic(word, tokens)


@functools.lru_cache(maxsize=4096)
def _is_composed(word: str, tokens: KnownTokens) -> bool:
    """True for known words whose blanks were lost: `leftkidney`, `sid105cm`."""
    fits = [True] + [False] * len(word)
    for end in range(1, len(word) + 1):
        fits[end] = any(fits[start] and _is_piece(word[start:end], tokens) for start in range(end))
    return fits[len(word)]


def _is_piece(piece: str, tokens: KnownTokens) -> bool:
    """A short word may be part of a glued one only where it is a unit or a setting."""
    if len(piece) < _PIECE:
        return piece in _UNITS or piece.isdigit()
    return _is_word(piece, tokens)
