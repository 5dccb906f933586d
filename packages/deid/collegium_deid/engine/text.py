"""Clean free text: keep the medical words, drop every other one. A doubtful word is never kept.

Three sieves: what the header itself says about the person (`KnownTokens`), patterns that look like
dates, numbers, addresses or titled names, and last the word list: what is on no list goes.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from collegium_deid.table import medical_words

if TYPE_CHECKING:
    from collections.abc import Iterable

_MONTH: Final = (
    r"(?:jan(?:uar[yi]?)?|feb(?:ruar[yi]?)?|mar(?:ch|z|s)?|mär(?:z)?|apr(?:il)?|mai|may|jun[ei]?|jul[yi]?|aug(?:ust)?"
    r"|sep(?:t(?:ember)?)?|o[ck]t(?:ober)?|nov(?:ember)?|de[cz](?:ember)?)"
)
_TITLES: Final = "dr|prof|mr|mrs|ms|miss|sir|mme|mlle|sr|sra|dott|sig|dhr|mevr"
_TITLED: Final = "Dr|Prof|Mr|Mrs|Ms|Miss|Sir|Mme|Mlle|Sr|Sra|Dott|Sig|Dhr|Mevr"
_SUSPECT: Final = re.compile(
    "|".join(
        (
            r"[\w.+-]+@[\w-]+\.[\w.-]+",  # e-mail
            r"(?:https?|ftp)://\S+|\bwww\.\S+",  # address on the web
            r"(?<!\d)(?:19|20)\d{2}[-./ ]?(?:0[1-9]|1[0-2])[-./ ]?(?:0[1-9]|[12]\d|3[01])(?!\d)",  # date, year first
            r"(?<!\d)\d{1,2}[-./]\d{1,2}[-./](?:\d{4}|\d{2})(?!\d)",  # date, year last
            rf"(?<![^\W_])\d{{1,2}}[-. ]*{_MONTH}[-. ,]*\d{{2,4}}(?!\d)",  # 3 May 2020
            rf"(?<![^\W_]){_MONTH}[-. ]*\d{{1,2}},? *\d{{2,4}}(?!\d)",  # May 3, 2020
            r"(?:\+|(?<!\d)00)\d[\d ()/-]{6,}\d",  # telephone, international
            r"(?<![\d.])\(?0?\d{2,5}\)?[ /-]\d{3,}(?:[ -]?\d{2,})*(?![\d.])",  # telephone, local
            r"(?<![\d.])\d{7,}(?![\d.])",  # a long number
            rf"\b(?:{_TITLES})\. *[^\W\d_]\S*",  # title with a dot, then a name
            rf"\b(?-i:{_TITLED}|[FfHh](?:rau|err)) +[^\W\d_]\S*",  # without: MR, DR and MS are no titles
            r"\b(?:mrn|pat(?:ient)? ?id|acc(?:ession)? ?(?:no|nr|number)|ssn|nhs|dob)\b[ :#.]*\S+",  # labelled
        )
    ),
    re.IGNORECASE,
)
# "w/o" is one word: without its second half it would say the opposite.
_WORD: Final = re.compile(r"(?i:w/o)(?![^\W_])|[^\W_]+(?:[.,'\u2019-][^\W_]+)*")
# A measure: a short number, perhaps with a unit or a size in two or three directions.
_MEASURE: Final = re.compile(
    r"(?:\d{1,3}(?:[.,]\d{1,3})?|[.,]\d{1,3})(?:mm|cm|ml|kvp?|m?as|mg|m?gy|hz|khz|mhz|sec|s|ms|min|hr?|t|d|deg|bit|px|ppm|x|th|st|nd|rd)?"
    r"|\d{1,3}(?:[.,]\d{1,2})?(?:x\d{1,4}(?:[.,]\d{1,2})?){1,2}(?:mm|cm)?"
    r"|b[0-9]{1,4}|[tf][0-9][w*]?|[cltsCLTS][0-9]{1,2}|[a-z][0-9]"
)

# Marks on a picture: a side, an end, a direction, a short counter.
_MARK: Final = re.compile(r"[LRAPHFISlrapfhis]{1,3}|[+-]?\d{1,4}(?:[.,]\d{1,4})?")


def fold(text: str) -> str:
    """Lower case without accents, so that MÜLLER, Mueller's twin Muller and müller are one."""
    text = text.casefold()
    if text.isascii():
        return text
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def squeeze(folded: str) -> str:
    """Letters and digits only."""
    return "".join(c for c in folded if c.isalnum())


def looks_identifying(text: str) -> bool:
    """True when a pattern of identity (date, long number, address, titled name) is in the text."""
    return _SUSPECT.search(text) is not None


@dataclass(frozen=True)
class KnownTokens:
    """What this header says about persons and numbers, folded; made by `known_tokens`."""

    parts: tuple[str, ...]
    """Name parts and numbers, at least 3 characters (2 in scripts without letters case)."""
    wholes: tuple[str, ...]
    """Squeezed whole values: `smithjohn`, `mrn12345`."""

    def in_text(self, text: str) -> bool:
        """True when any token is in the text, also across separators."""
        pattern = _pattern(self)
        if pattern is None:
            return False
        folded = fold(text)
        if pattern.search(folded) is not None:
            return True
        squeezed = squeeze(folded)
        return any(whole in squeezed for whole in self.wholes)


@functools.lru_cache(maxsize=64)
def _pattern(tokens: KnownTokens) -> re.Pattern[str] | None:
    """A short part must stand alone, a longer one may be inside a word (`XSmithX`)."""
    if not tokens.parts and not tokens.wholes:
        return None
    chosen = [
        re.escape(part) if len(part) >= 5 or not part.isascii() else rf"(?<![a-z]){re.escape(part)}(?![a-z])"
        for part in tokens.parts
        if not part.isdigit()
    ]
    chosen += [rf"(?<!\d){re.escape(part)}(?!\d)" for part in tokens.parts if part.isdigit()]
    return re.compile("|".join(chosen) or r"(?!)")


def known_tokens(names: Iterable[str], numbers: Iterable[str]) -> KnownTokens:
    """Collect the tokens of person names and of identifying numbers or phrases."""
    parts: set[str] = set()
    wholes: set[str] = set()
    for name in names:
        folded = fold(name)
        for group in folded.split("="):
            words = [word for word in re.split(r"[\W\d_]+", group) if word]
            parts.update(word for word in words if len(word) >= (3 if word.isascii() else 2))
            if len(words) > 1:
                wholes.update({squeeze("".join(words)), squeeze("".join(reversed(words[:2])))})
    for number in numbers:
        squeezed = squeeze(fold(number))
        if len(squeezed) >= 4:
            wholes.add(squeezed)
        if len(squeezed) >= 3:
            parts.add(fold(number).strip())
    return KnownTokens(tuple(sorted(parts)), tuple(sorted(whole for whole in wholes if len(whole) >= 4)))


def clean(text: str, tokens: KnownTokens) -> str:
    """The words of `text` that are medical, technical or a measure; everything else is left out.

    Returns:
        At most the words of the input in their order and spelling, one blank or their own hyphen,
        slash, plus or underscore between them; empty when nothing is certain.

    Source: DICOM PS3.15 section E.3.5, Clean Descriptors Option.
    """
    text = _SUSPECT.sub("\0", unicodedata.normalize("NFC", text))
    kept: list[str] = []
    last_end = -1
    for found in _WORD.finditer(text):
        word = found[0]
        if not _is_safe(word, tokens):
            continue
        between = text[last_end : found.start()] if last_end >= 0 else ""
        joiner = between if between in {"-", "/", "+", "_", ", ", "."} and "\0" not in between else " "
        kept.append((joiner if kept else "") + word)
        last_end = found.end()
    result = "".join(kept)
    # Two safe words may spell the person once they stand together.
    return "" if tokens.in_text(result) else result


def _is_safe(word: str, tokens: KnownTokens) -> bool:
    if tokens.in_text(word):
        return False
    words = medical_words()
    lower = word.casefold()
    if lower in words or lower == "w/o" or _MEASURE.fullmatch(lower) is not None:
        return True
    pieces = re.split(r"[.,'\u2019-]", lower)
    return len(pieces) > 1 and all(piece in words or _MEASURE.fullmatch(piece) for piece in pieces)


@functools.lru_cache(maxsize=4096)
def is_diagnostic(line: str, tokens: KnownTokens) -> bool:
    """True when every word of a line (of burned-in text) is vocabulary, a measure, a number or a mark.

    The line as a whole is judged: one doubtful word makes it doubtful. An empty line is not diagnostic.
    """
    line = unicodedata.normalize("NFC", line).strip()
    words = [found[0] for found in _WORD.finditer(line)]
    if not words or tokens.in_text(line) or looks_identifying(line):
        return False
    return all(_is_safe(word, tokens) or _MARK.fullmatch(word) is not None for word in words)
