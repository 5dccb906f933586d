"""Codes and what machines say of themselves: may a text stay, although no medical list has all its words?

A scanner writes `VPFX-S`, `tfl3d1_16ns` or `syngo MR E11`, and no list is ever complete. A name is a run of
letters that could be spoken; so a run stays if a list knows it, or if it is too short, too unspeakable or too
full of digits to be anybody.
"""

from __future__ import annotations

import functools
import re
from typing import Final, NamedTuple

from collegium_deid.table import terms
from collegium_deid.vocabulary import Grade, grade, is_abbreviation, name_list

_PIECE: Final = re.compile(r"[^\W_]+")
# A name letter by letter: four or more of them, with one mark between each two.
_SPELLED: Final = re.compile(r"(?<![^\W_])[^\W\d_](?:[^\w\\]{1,2}[^\W\d_]){3,}(?![^\W_])")
# Of a piece in mixed case each hump is a run: `LightSpeedApps`, `SUVbw`.
_RUN: Final = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+|[A-Z]")
_LETTERS: Final = re.compile(r"[^\W\d_]+")
_VOWEL: Final = re.compile(r"[aeiouy]")
# Two of them are a Patient Orientation (PS3.3 section C.7.6.1.1.1).
_DIRECTIONS: Final = frozenset("lraphf")
_PAIR: Final = 2
_ABBREVIATED: Final = 3
_UNSPEAKABLE: Final = 4
_TIED: Final = 5


class _Run(NamedTuple):
    word: str
    """Letters, folded."""
    is_title: bool
    is_lower: bool
    is_tied: bool
    """A digit is in the same piece."""


@functools.lru_cache(maxsize=4096)
def says_nobody(text: str, *, coded: bool) -> bool:
    """True when every word of a text is a term, or plainly no word.

    Args:
        text: one value.
        coded: a coded string or a code, for which the words of the standard's codes count too.
    """
    runs = [run for piece in _PIECE.findall(text) for run in _runs(piece, coded=coded)]
    words = {run.word for run in runs}
    if has_short_name(text) or _SPELLED.search(text) is not None:
        return False
    return all(_is_term(run, words, coded=coded) for run in runs)


def has_short_name(text: str) -> bool:
    """True for a text with one of the commonest short families, `Li` or `NG`; in small letters they are words."""
    pieces = {piece for piece in _LETTERS.findall(text) if not piece.islower()}
    return any(piece.casefold() in terms("name") for piece in pieces)


def devices(text: str) -> str:
    """The names of makers, machines and methods in a text, and nothing else of it; empty when there is none."""
    named = terms("device")
    pieces = [piece for piece in _PIECE.findall(text) if piece.casefold() in named | terms("firm")]
    return " ".join(pieces) if any(piece.casefold() in named for piece in pieces) else ""


def _runs(piece: str, *, coded: bool) -> list[_Run]:
    """The letters of a piece: together where a list knows them so, else hump by hump."""
    if coded:
        piece = piece.removeprefix("99")  # of a private scheme (PS3.16 section 8)
    has_digit = any(map(str.isdigit, piece))
    found = []
    for letters in _LETTERS.findall(piece):
        is_one = letters.isupper() or letters.islower() or _is_listed(letters.casefold(), coded=coded)
        for run in [letters] if is_one else _RUN.findall(letters):
            is_title = run.istitle() and len(run) > 1
            found.append(_Run(run.casefold(), is_title, run.islower(), has_digit))
    return found


def _is_listed(word: str, *, coded: bool) -> bool:
    if grade(word) >= Grade.COMMON or word in terms("device") or word in terms("firm"):
        return True
    return coded and word in terms("code")


@functools.cache
def _partners() -> dict[str, set[str]]:
    """By a maker or machine that is called like a person, the words that say it is none."""
    partners: dict[str, set[str]] = {}
    for pair in terms("beside"):
        word, _, partner = pair.partition(":")
        partners.setdefault(word, set()).add(partner)
    return partners


def _is_short_name(run: _Run, *, coded: bool) -> bool:
    """Two letters that are a name, and no code or metal."""
    is_code = run.word in terms("device") or (coded and run.word in terms("code"))
    return len(run.word) == _PAIR and not is_code and _is_name(run.word)


def _is_name(word: str) -> bool:
    return word in name_list() or word in terms("name")


def _is_term(run: _Run, words: set[str], *, coded: bool) -> bool:
    word, size = run.word, len(run.word)
    if run.is_title and is_abbreviation(word):
        return False
    if size == 1 or _is_listed(word, coded=coded):
        return True
    if word in _partners():
        return not words.isdisjoint(_partners()[word])
    if size == _PAIR:
        is_orientation = coded and _DIRECTIONS.issuperset(word)
        return is_orientation or (not _is_short_name(run, coded=coded) and (run.is_tied or not run.is_title))
    if not word.isascii() or _is_name(word) or (run.is_title and not run.is_tied):
        return False
    is_speakable = _VOWEL.search(word) is not None
    longest = _ABBREVIATED if is_speakable else _UNSPEAKABLE
    return size <= (_TIED if run.is_tied and run.is_lower else longest)
