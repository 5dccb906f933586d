"""Clean free text: keep the words that identify nobody, drop every other one. A doubtful word is never kept.

Four sieves: patterns that look like dates, numbers, addresses; what the header itself says about the
person (`KnownTokens`); the word lists; and for a word that is also a name, what stands beside it. What
is left is judged again until nothing changes, so cleaned text is clean.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from typing import TYPE_CHECKING, Final

from collegium_deid.engine.text.judge import judge
from collegium_deid.engine.text.known import KnownTokens, fold, known_tokens, squeeze
from collegium_deid.engine.text.patterns import IDENTITY, looks_identifying
from collegium_deid.engine.text.words import GONE, PLACE
from collegium_deid.vocabulary import name_list, plain

if TYPE_CHECKING:
    from collegium_deid.engine.text.words import Token

__all__ = [
    "KnownTokens",
    "clean",
    "fold",
    "is_diagnostic",
    "known_tokens",
    "looks_identifying",
    "names_somebody",
    "squeeze",
]

# What may stay between two words that stay.
_BETWEEN: Final = re.compile(
    r"[ \t\r\n.,;:!?()\[\]{}<>=+\-_/\\%*'\"^&~|°\u2013\u2014\u2019\u3001\u3002\uff08\uff09]*"
)
_FRONT: Final = " \t\r\n.,;:!?)]}>=+-_/\\*'^&~|"
_BACK: Final = " \t\r\n,;:!?([{<=+-_/\\*'^&~|"
_CONTROLS: Final = {0: " ", 1: " "}
_ROUNDS: Final = 6
_LONG: Final = 1000


def clean(text: str, tokens: KnownTokens) -> str:
    """The words of `text` that identify nobody, in their order and spelling; everything else is left out.

    Returns:
        The text itself, without blanks around it, when every word may stay; else the words that may,
        with what was between two neighbours; empty when nothing is certain.

    Source: DICOM PS3.15 section E.3.5, Clean Descriptors Option.
    """
    return _clean_short(text, tokens) if len(text) <= _LONG else _cleaned(text, tokens)


@functools.lru_cache(maxsize=4096)
def _clean_short(text: str, tokens: KnownTokens) -> str:
    return _cleaned(text, tokens)


def _cleaned(text: str, tokens: KnownTokens) -> str:
    text = unicodedata.normalize("NFC", text).translate(_CONTROLS).strip()
    for _ in range(_ROUNDS):
        once = _once(text, tokens)
        if once == text:
            return "" if tokens.in_text(text) else text
        text = once
    return ""


def _once(text: str, tokens: KnownTokens) -> str:
    """One round; equal to `text` when nothing had to go."""
    marked = IDENTITY.sub(_mark, text)
    words = judge(marked)
    _drop_known(marked, words, tokens)
    pieces: list[str] = []
    last = -1
    for n, word in enumerate(words):
        if not word.is_kept:
            continue
        if pieces:
            pieces.append(_joiner(marked[words[last].end : word.start], is_next=n == last + 1))
        elif n == 0 and _BETWEEN.fullmatch(marked[: word.start]):
            pieces.append(marked[: word.start])
        pieces.append(word.text)
        last = n
    if last < 0:
        return ""
    rest = marked[words[last].end :]
    if last == len(words) - 1 and _BETWEEN.fullmatch(rest):
        pieces.append(rest)
    result = "".join(pieces).strip()
    return result if result == text else result.lstrip(_FRONT).rstrip(_BACK)


def _mark(found: re.Match[str]) -> str:
    """What stands for an identity while the words are judged: a place speaks against its neighbours too."""
    return PLACE if found["house"] else GONE


def _joiner(between: str, *, is_next: bool) -> str:
    if is_next and _BETWEEN.fullmatch(between):
        return between
    return "\n" if "\n" in between else " "


def _drop_known(text: str, words: list[Token], tokens: KnownTokens) -> None:
    """Every word that a token of the header touches, also across separators."""
    if not tokens.in_text(text):
        return
    for start, end in tokens.spans(text):
        for word in words:
            if word.start < end and start < word.end:
                word.is_kept = False


@functools.lru_cache(maxsize=4096)
def is_diagnostic(line: str, tokens: KnownTokens) -> bool:
    """True when every word of a line (of burned-in text) is vocabulary, a measure, a number or a mark.

    The line as a whole is judged: one doubtful word makes it doubtful. An empty line is not diagnostic.
    """
    line = unicodedata.normalize("NFC", line).strip()
    if tokens.in_text(line) or looks_identifying(line):
        return False
    words = judge(line)
    return bool(words) and all(word.is_kept or word.is_mark for word in words)


def names_somebody(text: str) -> bool:
    """True when a word that no list of words has is on the list of names: enough to doubt technical text."""
    return any(word.is_strange and plain(word.lower) in name_list() for word in judge(text))
