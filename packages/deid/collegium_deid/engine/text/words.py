"""The words, numbers and marks of a line, each with what the lists say about it."""

from __future__ import annotations

import functools
import re
from typing import Final

from collegium_deid.engine.text.patterns import MARK, MEASURE
from collegium_deid.vocabulary import Grade, grade, is_abbreviation, is_unspaced, split_unspaced

GONE: Final = "\0"
"""Stands where a date, number or address was."""
PLACE: Final = "\1"
"""Stands where a hospital was: as telling for its neighbours as a name."""

_TOKEN: Final = re.compile(
    r"[\0\1]"
    r"|[Xx\uff38](?:\u7dda|\u7ebf|\u5149|\u5c04\u7ebf|\uc120)"  # X-ray in Japanese, Chinese, Korean
    r"|(?i:(?:mm2?|cm|ml|cc|mg|m|l|g|mmol|mci|gy|cgy)/(?:s|sec|min|h|hr|kg|m2|ml|dl|l|fx))(?![^\W_])"  # ml/s
    r"|(?i:[cgip]tv[a-z]?\d?_\d{4})(?![^\W_])"  # a volume with its dose in cGy
    r"|(?:[ap]\.-?[ap]|d\.p|d\.v|v\.d|p\.o|[iz]\.[vmb]|n\.b|[eu]\.[ag]|i\.e|d\.h|s\.o|z\.n|o\.b|v\.a|m\.c)\."
    r"(?![^\W_])"  # a.p.
    r"|(?i:w/o)(?![^\W_])"  # one word: without its second half it would say the opposite
    r"|(?:\d+(?:[.,]\d+)*|(?<![\w.])[.,]\d+)[^\W_\u3040-\u9fff]*"  # a number and what is written to it
    r"|[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+"
    r"|[^\W\d_\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff][^\W_\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]*"
    r"(?:['\u2019][^\W\d_]+)*"
)
_CAMEL: Final = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z]?[a-z]+|[A-Z]")
_ALNUM: Final = re.compile(r"[^\W\d_]+|\d+")
# Sides, planes, levels and waves in capitals; articles, prepositions and units in lower case.
_LETTERS: Final = frozenset("LRAPSIHFCTBWVXYZQEMNaàbeyoiuéóèncdlswxz")


class Token:
    """One word, number or mark of a line, and what was decided about it."""

    __slots__ = ("end", "grade", "is_kept", "is_number", "lower", "start", "text")

    def __init__(self, text: str, start: int, known: Grade | None = None) -> None:
        self.text, self.start, self.end = text, start, start + len(text)
        self.lower = text.casefold()
        self.is_number = text[0].isdigit() or text[0] in ".,"
        self.grade = _grade(text, self.lower) if known is None else known
        self.is_kept = self.grade is not Grade.UNKNOWN

    @property
    def is_strange(self) -> bool:
        """A word of letters nobody knows: perhaps a name."""
        if self.text == PLACE:
            return True
        # In other scripts one character may be a family name.
        return (
            self.grade is Grade.UNKNOWN
            and self.text[0].isalpha()
            and (len(self.text) > 1 or not self.text.isascii())
        )

    @property
    def is_letter(self) -> bool:
        """One capital alone: a side, or an initial."""
        return len(self.text) == 1 and self.text.isupper()

    @property
    def is_gone(self) -> bool:
        return self.text in {GONE, PLACE}

    @property
    def is_mark(self) -> bool:
        """A side or a counter, as pictures carry them."""
        return MARK.fullmatch(self.text) is not None


@functools.lru_cache(maxsize=8192)
def _grade(text: str, lower: str) -> Grade:
    if text in {GONE, PLACE} or (text.istitle() and is_abbreviation(lower)):
        return Grade.UNKNOWN
    if "/" in text or "_" in text or text.endswith(".") or MEASURE.fullmatch(lower):
        return Grade.SURE
    if len(text) == 1:
        return Grade.COMMON if text in _LETTERS or text.isdigit() else Grade.UNKNOWN
    if (found := grade(lower)) is not Grade.UNKNOWN:
        return found
    for tail in ("'s", "\u2019s", "'", "\u2019"):
        if lower.endswith(tail):
            # A thing owns rarely, a person often.
            return Grade(max(0, min(grade(lower[: -len(tail)]) - 1, Grade.COMMON)))
    return _grade_of_pieces(text, lower)


def _grade_of_pieces(text: str, lower: str) -> Grade:
    if lower.isalpha():
        return _korean(lower) if "\uac00" <= text[0] <= "\ud7a3" else _camel(text)
    if "'" in lower or "\u2019" in lower:
        return min(grade(piece) if len(piece) > 1 else Grade.SURE for piece in re.split("['\u2019]", lower))
    return _mixed(text)


def _camel(text: str) -> Grade:
    """`AbdRoutine`, `isoDWI`, `KneeR`: as good as the worst of its words, and no doubtful one."""
    pieces = _CAMEL.findall(text)
    if not 2 <= len(pieces) <= 4 or "".join(pieces) != text:
        return Grade.UNKNOWN
    if pieces[-1] in {"L", "R", "W", "F"}:
        pieces.pop()
    worst = min(grade(piece.casefold()) if len(piece) > 1 else Grade.UNKNOWN for piece in pieces)
    return worst if worst >= Grade.COMMON else Grade.UNKNOWN


def _korean(word: str) -> Grade:
    """A word without the particle behind it."""
    return grade(word[:-1]) if len(word) > 2 and word[-1] in "의에은는이가을를와과로도" else Grade.UNKNOWN


def _mixed(text: str) -> Grade:
    """Letters with digits: known words beside numbers of at most three digits, or a counter like 0001."""
    pieces = _ALNUM.findall(text)
    worst = Grade.SURE if len(pieces) <= 5 else Grade.UNKNOWN
    for piece in pieces:
        if piece.isdigit():
            known = len(piece) <= 3 or (len(piece) == 4 and piece[0] == "0")
            found = Grade.SURE if known else Grade.UNKNOWN
        elif len(piece) > 1 and MEASURE.fullmatch("1" + piece.casefold()):
            found = Grade.SURE
        else:
            found = max(grade(piece.casefold()), _camel(piece)) if len(piece) > 1 else Grade.UNKNOWN
        worst = min(worst, found)
    return worst if worst >= Grade.COMMON else Grade.UNKNOWN


def tokens_of(text: str) -> list[Token]:
    """Every run of letters and digits, the words of scripts without blanks apart."""
    found: list[Token] = []
    for run in _TOKEN.finditer(text):
        if not is_unspaced(run[0][0]):
            found.append(Token(run[0], run.start()))
            continue
        start = run.start()
        for piece, is_listed in split_unspaced(run[0]):
            found.append(Token(piece, start, Grade.SURE if is_listed else Grade.UNKNOWN))
            start = found[-1].end
    return found
