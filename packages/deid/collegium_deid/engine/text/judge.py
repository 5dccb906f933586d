"""Which words of a line may stay: the word, and what stands beside it."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Final

from collegium_deid.engine.text.patterns import MARK, MEASURE
from collegium_deid.table import DATA
from collegium_deid.vocabulary import Grade, grade, is_unspaced, partners, split_unspaced

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN: Final = re.compile(
    r"\0"
    r"|(?i:w/o)(?![^\W_])"  # one word: without its second half it would say the opposite
    r"|(?:\d+(?:[.,]\d+)*|(?<![\w.])[.,]\d+)[^\W_\u3040-\u9fff]*"  # a number and what is written to it
    r"|[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+"
    r"|[^\W\d_\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff][^\W_\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]*"
    r"(?:['\u2019][^\W\d_]+)*"
)
_CLOSE: Final = re.compile(r"[ \t]{0,2}[-,_^.'\u2019/ ]?[ \t]{0,2}")
_STOP: Final = re.compile(r"[^\n]*[;:\n()\[\]!?]")
_CAMEL: Final = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z]?[a-z]+|[A-Z]")
_ALNUM: Final = re.compile(r"[^\W\d_]+|\d+")
_SIDES: Final = frozenset("LRAPSIHFCTBWVXYZQEMN")
_SMALL: Final = frozenset("aàeyoiuéóèàn")
# Words so common that no role makes a name of them while they are in lower case.
_FUNCTION: Final = frozenset(
    [
        "a",
        "about",
        "after",
        "all",
        "also",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "been",
        "before",
        "both",
        "but",
        "by",
        "can",
        "could",
        "de",
        "der",
        "die",
        "do",
        "does",
        "du",
        "each",
        "el",
        "en",
        "et",
        "for",
        "from",
        "further",
        "had",
        "has",
        "have",
        "he",
        "her",
        "here",
        "his",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "la",
        "le",
        "more",
        "most",
        "no",
        "non",
        "nor",
        "not",
        "now",
        "of",
        "off",
        "on",
        "one",
        "only",
        "or",
        "other",
        "out",
        "over",
        "per",
        "same",
        "see",
        "seen",
        "she",
        "should",
        "since",
        "so",
        "some",
        "such",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "those",
        "three",
        "to",
        "two",
        "under",
        "until",
        "up",
        "us",
        "very",
        "was",
        "we",
        "well",
        "were",
        "what",
        "when",
        "where",
        "which",
        "who",
        "will",
        "with",
        "without",
    ]
)
_GONE: Final = "\0"


class Token:
    """One word, number or mark of a line, and what was decided about it."""

    __slots__ = ("end", "grade", "is_kept", "is_number", "lower", "start", "text")

    def __init__(self, text: str, start: int) -> None:
        self.text, self.start, self.end = text, start, start + len(text)
        self.lower = text.casefold()
        self.is_number = text[0].isdigit() or text[0] in ".,"
        self.grade = _grade(text, self.lower)
        self.is_kept = self.grade is not Grade.UNKNOWN

    @property
    def is_strange(self) -> bool:
        """A word of letters nobody knows: perhaps a name."""
        return self.grade is Grade.UNKNOWN and len(self.text) > 1 and self.text[0].isalpha()


@functools.cache
def _people() -> dict[str, frozenset[str]]:
    lines = (DATA / "people.txt").read_text("utf-8").splitlines()
    rows = (line.partition(":") for line in lines if line and not line.startswith("#"))
    return {kind: frozenset(words.split()) for kind, _, words in rows}


@functools.lru_cache(maxsize=8192)
def _grade(text: str, lower: str) -> Grade:
    if text == _GONE:
        return Grade.UNKNOWN
    if lower == "w/o" or MEASURE.fullmatch(lower):
        return Grade.SURE
    if len(text) == 1:
        return Grade.COMMON if text in _SIDES or text in _SMALL or text.isdigit() else Grade.UNKNOWN
    found = grade(lower)
    if found is not Grade.UNKNOWN:
        return found
    for tail in ("'s", "\u2019s", "'", "\u2019"):
        if lower.endswith(tail):
            return min(grade(lower[: -len(tail)]), Grade.COMMON)
    if lower.isalpha():
        found = _camel(text)
        return found if found is not Grade.UNKNOWN or not "\uac00" <= text[0] <= "\ud7a3" else _korean(lower)
    if "'" in lower or "\u2019" in lower:
        return min(grade(piece) if len(piece) > 1 else Grade.SURE for piece in re.split("['\u2019]", lower))
    return _mixed(text)


def _camel(text: str) -> Grade:
    """`AbdRoutine`, `isoDWI`: every piece a sure word."""
    pieces = _CAMEL.findall(text)
    if not 2 <= len(pieces) <= 4 or "".join(pieces) != text:
        return Grade.UNKNOWN
    sure = all(len(piece) > 1 and grade(piece.casefold()) is Grade.SURE for piece in pieces[:-1])
    last = pieces[-1]
    sure = sure and (last in {"L", "R", "W", "F"} or (len(last) > 1 and grade(last.casefold()) is Grade.SURE))
    return Grade.SURE if sure else Grade.UNKNOWN


def _korean(word: str) -> Grade:
    """A word without the particle behind it."""
    return grade(word[:-1]) if len(word) > 2 and word[-1] in "의에은는이가을를와과로도" else Grade.UNKNOWN


def _mixed(text: str) -> Grade:
    """Letters with digits: sure words beside numbers of at most three digits."""
    pieces = _ALNUM.findall(text)
    if len(pieces) > 5:
        return Grade.UNKNOWN
    for piece in pieces:
        if piece.isdigit():
            if len(piece) > 3:
                return Grade.UNKNOWN
        elif MEASURE.fullmatch("1" + piece.casefold()) is None or len(piece) < 2:
            if len(piece) < 2 or max(grade(piece.casefold()), _camel(piece)) < Grade.SURE:
                return Grade.UNKNOWN
    return Grade.SURE


def tokens_of(text: str) -> list[Token]:
    """Every run of letters and digits, the words of scripts without blanks apart."""
    found: list[Token] = []
    for run in _TOKEN.finditer(text):
        if not is_unspaced(run[0][0]):
            found.append(Token(run[0], run.start()))
            continue
        start = run.start()
        for piece, is_listed in split_unspaced(run[0]):
            token = Token(piece, start)
            token.grade = Grade.SURE if is_listed else Grade.UNKNOWN
            token.is_kept = is_listed
            found.append(token)
            start = token.end
    return found


def judge(text: str) -> list[Token]:
    """The words of a line with `is_kept` decided."""
    tokens = tokens_of(text)
    near = [_is_close(text, left, right) for left, right in zip(tokens, tokens[1:], strict=False)]
    _drop_called(text, tokens, near)
    prose = _is_prose(text, tokens)
    for n, token in enumerate(tokens):
        if token.is_kept and token.grade is Grade.DOUBTFUL:
            token.is_kept = _has_partner(tokens, near, n) or (prose and _is_amid(tokens, near, n))
    for n, token in enumerate(tokens):
        if token.is_kept and token.grade < Grade.SURE and _is_beside_person(text, tokens, near, n):
            token.is_kept = False
    return tokens


def _is_close(text: str, left: Token, right: Token) -> bool:
    """Nothing between two words that parts them: no bracket, colon, new line, end of a sentence."""
    between = text[left.end : right.start]
    if _CLOSE.fullmatch(between) is None or _GONE in (left.text, right.text):
        return False
    return not (
        between[:1] == "." and between != "." and len(left.text) > 3 and left.lower not in _people()["title"]
    )


def _drop_called(text: str, tokens: list[Token], near: list[bool]) -> None:
    """What stands behind a title, a role or a label."""
    people = _people()
    for n, token in enumerate(tokens[:-1]):
        is_title = _is_title(text, token)
        if not is_title and token.lower not in people["role"]:
            continue
        if is_title:
            token.is_kept = False
        taken = 0
        for m in range(n + 1, min(n + 6, len(tokens))):
            after, between = tokens[m], text[tokens[m - 1].end : tokens[m].start]
            if not (near[m - 1] or (m == n + 1 and re.fullmatch(r" ?[:=.(#] ?", between))):
                break
            if not is_title and not taken and after.lower in people["hop"]:
                continue
            if after.is_number or (taken and (after.grade is Grade.SURE or _is_plain_function(after))):
                break
            if not taken and not is_title and not _may_be_called(after, between):
                break
            after.is_kept = False
            taken += 1
            if taken == 3:
                break


def _is_title(text: str, token: Token) -> bool:
    people = _people()
    if token.lower in people["title"]:
        # DR is also digital radiography: in capitals only a doubtful word behind it is a name.
        return token.text != "DR" or text[token.end : token.end + 1] == "."
    dotted = text[token.end : token.end + 1] == "." and token.lower in {"mr", "ms", "sr", "fr"}
    return (
        dotted
        or token.text in people["cased"]
        or (token.text == "M" and text[token.end : token.end + 2] == ". ")
    )


def _is_plain_function(token: Token) -> bool:
    return token.lower in _FUNCTION and token.text.islower()


def _may_be_called(token: Token, between: str) -> bool:
    """Directly behind a role: anything not sure, and short capitals behind a colon (initials)."""
    if _is_plain_function(token):
        return False
    return token.grade < Grade.SURE or (":" in between and token.text.isupper() and len(token.text) <= 3)


def _is_prose(text: str, tokens: list[Token]) -> bool:
    words = [token.text for token in tokens if token.text[0].isalpha() and len(token.text) > 1]
    if len(words) < 4 or not words[0][0].isupper():
        return False
    return sum(word.islower() for word in words) * 2 > len(words)


def _has_partner(tokens: list[Token], near: list[bool], n: int) -> bool:
    """One of the word's partners stands beside it, with at most one word between."""
    token = tokens[n]
    word = token.lower
    mates = partners(word)
    if not mates and word.endswith(("'s", "\u2019s")):
        mates = partners(word[:-2])
    around = [m for m in (n + 1, n - 1) if _joined(near, n, m, len(tokens))]
    around += [m for m in (n + 2, n - 2) if _joined(near, n, m, len(tokens))]
    for m in around:
        other = tokens[m]
        if other.is_kept and (other.lower in mates or ("#" in mates and other.is_number)):
            # An eponym stands before its noun, or behind it with "of".
            if "syndrome" not in mates or m > n or tokens[n - 1].lower in _OF or other.lower in _BEFORE:
                return True
    return False


_OF: Final = frozenset({"of", "de", "di", "von", "du", "da", "van"})
_BEFORE: Final = frozenset({"morbus", "tof", "mra", "score"})


def _joined(near: list[bool], n: int, m: int, count: int) -> bool:
    return 0 <= m < count and all(near[min(n, m) : max(n, m)])


def _is_amid(tokens: list[Token], near: list[bool], n: int) -> bool:
    """In lower case between two words that are no names; never a name that needs its partner."""
    token = tokens[n]
    mates = partners(token.lower)
    if not token.text.islower() or mates & _ALWAYS:
        return False
    sides = [m for m in (n - 1, n + 1) if 0 <= m < len(tokens)]
    return all(tokens[m].grade >= Grade.COMMON and tokens[m].is_kept for m in sides)


_ALWAYS: Final = frozenset({"syndrome", "represent", "#none"})


def _is_beside_person(text: str, tokens: list[Token], near: list[bool], n: int) -> bool:
    """A strange word, a name or an initial stands directly beside."""
    token = tokens[n]
    for m, is_near in ((n - 1, n > 0 and near[n - 1]), (n + 1, n < len(near) and near[n])):
        if not is_near:
            continue
        other = tokens[m]
        if other.is_strange:
            return True
        if other.grade is Grade.DOUBTFUL and not other.is_kept and token.lower not in _FUNCTION:
            return True
        if len(other.text) == 1 and other.text.isupper() and len(token.text) > 1:
            dotted = text[other.end : other.end + 1] == "."
            comma = "," in text[min(token.end, other.end) : max(token.start, other.start)]
            if dotted or comma or other.grade is Grade.UNKNOWN:
                return True
    if len(token.text) == 1 and token.text.isupper():
        return _is_initial(text, tokens, near, n)
    return False


def _is_initial(text: str, tokens: list[Token], near: list[bool], n: int) -> bool:
    """A capital alone with a dot behind it, or beside another one."""
    token = tokens[n]
    if text[token.end : token.end + 1] == "." and n + 1 < len(tokens):
        return True
    beside = [
        tokens[m] for m, ok in ((n - 1, n > 0 and near[n - 1]), (n + 1, n < len(near) and near[n])) if ok
    ]
    slashed = "/" in text[max(0, token.start - 1) : token.end + 1]
    if any(len(other.text) == 1 and other.text.isalpha() for other in beside) and not slashed:
        return True
    return len(tokens) > 1 and not any(
        other.is_kept and other.grade is not Grade.DOUBTFUL for other in beside
    )


def is_mark(token: Token) -> bool:
    """A side or a counter, as pictures carry them."""
    return MARK.fullmatch(token.text) is not None


def kept(tokens: list[Token]) -> Iterator[tuple[int, Token]]:
    """The words that stay with their places in the line."""
    return ((n, token) for n, token in enumerate(tokens) if token.is_kept)
