"""The words that cleaned text may keep, and how sure each is not a person's name.

Read once from the package's lists. Engine and conformance check share these facts, not their judgement:
here stands what a word is, in `engine.text` what may stay in its place.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from enum import IntEnum
from typing import Final, NamedTuple

from collegium_deid.table import DATA

_LISTS: Final = (
    "words.txt", "words_reports.txt", "words_technical.txt", "words_languages.txt", "words_scripts.txt",
    "words_codes.txt", "words_further.txt",
)  # fmt: skip
_UMLAUTS: Final = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "ø": "oe", "œ": "oe"})
_PREFIXES: Final = (
    "anti", "auto", "bi", "cardio", "cerebro", "co", "cranio", "de", "dis", "endo", "entero", "epi", "extra", "fibro",
    "gastro", "hemi", "hemo", "hepato", "hyper", "hypo", "infra", "inter", "intra", "iso", "juxta", "macro",
    "mal", "micro", "mid", "mis", "mono", "multi", "myo", "neo", "nephro", "neuro", "non", "osteo", "over", "para",
    "peri", "pleuro", "pneumo", "poly", "post", "pre", "pseudo", "re", "retro", "semi", "spondylo", "sub",
    "super", "supra", "thoraco", "trans", "tri", "ultra", "un", "under", "uni", "utero", "vaso", "ventro",
)  # fmt: skip
_LINKS: Final = ("", "s", "n", "en", "es")


class Grade(IntEnum):
    """How much speaks against a word being a name."""

    UNKNOWN = 0
    """On no list."""
    DOUBTFUL = 1
    """Mostly a name; only beside a partner, or in lower case amid a sentence."""
    COMMON = 2
    """Also a name, but mostly a word; not beside anything that speaks of a person."""
    SURE = 3


class _Lists(NamedTuple):
    words: frozenset[str]
    common_names: frozenset[str]
    names: frozenset[str]
    sure: frozenset[str]
    body: frozenset[str]
    capitals: frozenset[str]
    amid: frozenset[str]
    partners: dict[str, frozenset[str]]


def _lines(name: str) -> list[str]:
    text = (DATA / name).read_text("utf-8")
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def plain(word: str) -> str:
    """Without accents, so that one spelling finds all."""
    if word.isascii():
        return word
    return "".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c))


def _spellings(word: str) -> set[str]:
    """A word as listed, without its accents, and with the letters that stand for umlauts."""
    if word.isascii():
        return {word}
    found = {word, unicodedata.normalize("NFC", word)}
    if ord(word[0]) < 0x250:
        found |= {plain(word), plain(word.translate(_UMLAUTS))}
    return found


@functools.cache
def _lists() -> _Lists:
    listed = {
        w
        for name in _LISTS
        for line in _lines(name)
        for word in line.casefold().split()
        for w in _spellings(word)
    }
    names: tuple[set[str], set[str]] = (set(), set())
    for line in _lines("names.txt"):
        kind, _, rest = line.partition(":")
        names[kind == "rare"].update(rest.split())
    sure: set[str] = set()
    never: set[str] = set()
    eponyms: set[str] = set()
    nouns: set[str] = set()
    partners: dict[str, set[str]] = {}
    body: set[str] = set()
    scores: set[str] = set()
    steps: set[str] = set()
    capitals: set[str] = set()
    amid: set[str] = set()
    sections = {
        "body": body, "sure": sure, "never": never, "eponym": eponyms, "partner": nouns, "score": scores,
        "step": steps, "capitals": capitals, "amid": amid,
    }  # fmt: skip
    for line in _lines("doubtful.txt"):
        head, _, rest = line.casefold().partition(":")
        if head in sections:
            sections[head].update(w for word in rest.split() for w in _spellings(word))
            continue
        for word in head.split():
            partners.setdefault(word, set()).update(rest.split())
    for word in eponyms:
        partners.setdefault(word, set()).update(nouns, {"!", "^"})
    for word in scores:
        # A widespread name with a number behind it may be a person with an age.
        partners.setdefault(word, set()).update(nouns, steps, {"!", "^"}, () if word in names[0] else {"~"})
    words = (listed | set(partners) | nouns | steps | sure | body | capitals) - never
    # A partner makes a word doubtful, whatever another line says.
    return _Lists(
        frozenset(words), frozenset(names[0]), frozenset(names[1]), frozenset(sure - set(partners)),
        frozenset(body - set(partners)), frozenset(capitals), frozenset(amid),
        {word: frozenset(mates) for word, mates in partners.items()},
    )  # fmt: skip


def is_body(word: str) -> bool:
    """True for a part of the body."""
    return word in _lists().body


def is_abbreviation(word: str) -> bool:
    """True for an abbreviation that, with only its first letter a capital, is a name: NG, but Ng."""
    return word in _lists().capitals


def is_name_with_capital(word: str) -> bool:
    """True for a word that amid a line is a name if it has a capital: lange, but Lange."""
    return word in _lists().amid


@functools.cache
def name_list() -> frozenset[str]:
    """Every listed name, folded."""
    return _lists().names | _lists().common_names


def partners(word: str) -> frozenset[str]:
    """The words beside which a doubtful word is no name.

    `#` stands for a number, `!` says beside them only, `^` that the word stands before them (an eponym),
    `~` for the step of a score behind the word: 3, IIF, B7, 3+4.
    """
    return _lists().partners.get(word, frozenset())


@functools.lru_cache(maxsize=16384)
def grade(word: str) -> Grade:
    """What a word in lower case is."""
    lists = _lists()
    if word in lists.words or plain(word) in lists.words:
        bare = plain(word)
        if word in lists.partners:
            return Grade.DOUBTFUL
        if word in lists.sure or word in lists.body:
            return Grade.COMMON if bare in lists.names or bare in lists.common_names else Grade.SURE
        if bare in lists.common_names:
            return Grade.DOUBTFUL
        return Grade.COMMON if bare in lists.names else Grade.SURE
    return Grade.SURE if _is_derived(word) else Grade.UNKNOWN


def knows(word: str) -> bool:
    """True for a listed word in lower case, and for one made of listed words."""
    return grade(word) is not Grade.UNKNOWN


def _is_listed_and_sure(word: str) -> bool:
    lists = _lists()
    if word not in lists.words or word in lists.partners:
        return False
    return word not in lists.names and word not in lists.common_names


def _is_derived(word: str) -> bool:
    """An inflection, a prefixed word or a compound of sure words, and no known name."""
    if len(word) < 5 or not word.isalpha() or not plain(word).isascii():
        return False
    lists = _lists()
    if plain(word) in lists.names or plain(word) in lists.common_names:
        return False
    return _is_inflected(word) or _is_prefixed(word) or _is_compound(word)


def _is_inflected(word: str) -> bool:
    for ending, bases in _ENDINGS:
        if word.endswith(ending):
            stem = word[: -len(ending)]
            if len(stem) >= 3 and any(_is_listed_and_sure(stem + base) for base in bases):
                return True
            if (
                len(stem) >= 4
                and ending in {"ed", "ing"}
                and stem[-1] == stem[-2]
                and _is_listed_and_sure(stem[:-1])
            ):
                return True
    return len(word) >= _LONG and any(
        word.endswith(ending) and _is_listed_and_sure(word[: -len(ending)] + base)
        for ending, bases in _LONG_ENDINGS
        for base in bases
    )


_ENDINGS: Final = (
    ("ies", ("y",)), ("ied", ("y",)), ("es", ("", "is", "e")), ("s", ("",)), ("ed", ("", "e")),
    ("ing", ("", "e")), ("ally", ("al", "")), ("ly", ("", "le")), ("ae", ("a",)), ("i", ("us",)),
)  # fmt: skip
# In long words only: short ones with these endings are often names (Grassi, Berger).
_LONG_ENDINGS: Final = (
    # German
    ("en", ("", "e")), ("em", ("", "e")), ("er", ("", "e")), ("es", ("", "e")), ("e", ("",)), ("n", ("",)),
    # Italian, Spanish, Portuguese, French
    ("a", ("o", "")), ("o", ("a",)), ("i", ("o", "e", "a")), ("e", ("a", "o")), ("as", ("o", "a")),
    ("os", ("o", "a")), ("che", ("ca", "co")), ("ghe", ("ga", "go")), ("aux", ("al",)), ("ales", ("al",)),
    ("ive", ("if",)), ("ives", ("if",)), ("euse", ("eux",)), ("euses", ("eux",)), ("elle", ("el",)),
    ("elles", ("el",)), ("enne", ("en",)), ("ennes", ("en",)), ("ciones", ("ción", "cion")),
    ("siones", ("sión", "sion")), ("ões", ("ão",)), ("amente", ("o", "a")), ("mente", ("e", "")),
)  # fmt: skip
_LONG: Final = 8


def _is_prefixed(word: str) -> bool:
    for prefix in _PREFIXES:
        rest = word[len(prefix) :]
        if len(rest) >= 5 and word.startswith(prefix) and (_is_listed_and_sure(rest) or _is_inflected(rest)):
            return True
    return False


def _is_compound(word: str) -> bool:
    """Two listed words written as one, as German and Dutch do."""
    if len(word) < 9:
        return False
    for cut in range(4, len(word) - 3):
        if not _may_join(word[cut:]):
            continue
        for link in _LINKS:
            first = word[:cut].removesuffix(link)
            if word[:cut].endswith(link) and len(first) >= 4 and _may_join(first):
                return True
    return False


def _may_join(word: str) -> bool:
    lists = _lists()
    return word in lists.words and word not in lists.partners and word not in lists.common_names


@functools.cache
def _unspaced() -> frozenset[str]:
    """The listed words of scripts that write without blanks."""
    return frozenset(word for word in _lists().words if is_unspaced(word[0]))


_UNSPACED: Final = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")


def is_unspaced(character: str) -> bool:
    """Kana and Chinese characters."""
    return _UNSPACED.match(character) is not None


def split_unspaced(run: str) -> list[tuple[str, bool]]:
    """A run of such characters as words, longest first: (piece, is listed).

    One character alone counts as listed only between listed words or at the end of the run: a family
    name is often one character too.
    """
    words = _unspaced()
    pieces: list[tuple[str, bool]] = []
    start = 0
    while start < len(run):
        for length in range(min(8, len(run) - start), 0, -1):
            piece = run[start : start + length]
            if piece in words or length == 1:
                pieces.append((piece, piece in words))
                start += length
                break
    long = [len(piece) > 1 and listed for piece, listed in pieces]
    return [
        (piece, listed and (long[n] or _stands_between(pieces, n, has_long=any(long))))
        for n, (piece, listed) in enumerate(pieces)
    ]


def _stands_between(pieces: list[tuple[str, bool]], n: int, *, has_long: bool) -> bool:
    neighbours = pieces[max(0, n - 1) : n] + pieces[n + 1 : n + 2]
    return has_long and all(listed for _, listed in neighbours)


_WORDS: Final = re.compile(r"[^\W_]+(?:['\u2019][^\W\d_]+)*")
_RUNS: Final = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z]?[a-z]+|[^\W\d_A-Za-z]+")


def holds_only_known(text: str) -> bool:
    """True when every run of two letters or more is on the lists, alone or as part of a longer word.

    Coarser than what the engine keeps, on purpose: the places of words are not looked at.
    """
    return all(_is_known_token(token) for token in _WORDS.findall(unicodedata.normalize("NFC", text)))


def _is_known_token(token: str) -> bool:
    lower = token.casefold()
    if len(lower) < 2 or knows(lower):
        return True
    runs = [
        run
        for part in re.findall(r"[^\W\d_]+", token)
        for run in ([part] if knows(part.casefold()) else _RUNS.findall(part))
    ]
    has_digit = any(map(str.isdigit, token))
    return all(_is_known_run(run.casefold(), has_digit=has_digit) for run in runs)


def _is_known_run(run: str, *, has_digit: bool) -> bool:
    if len(run) <= (3 if has_digit else 1) or knows(run) or knows(run[:-1]):
        return True
    return is_unspaced(run[0]) and all(listed for _, listed in split_unspaced(run))
