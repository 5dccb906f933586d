"""Free text with and without identities, the truth of every word known, and the measure of a cleaner.

Two halves with their own lines, people and templates: `tuning` is looked at while the cleaner is made,
`heldout` only measures it. `unseen` is whole lines in five languages, as people write them, with the
identities marked in braces: it measures only, too. All names, numbers and places are made up.
"""

from __future__ import annotations

import functools
import random
import re
import unicodedata
from collections import Counter
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Clean = Callable[[str, list[str], list[str]], str]
    """Text, names and numbers of the header (as in PN and LO) to cleaned text."""

# A word: letters and digits; in scripts without blanks each character.
_WORD: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|[^\W_\u3040-\u30ff\u3400-\u9fff]+")
_MARKED: Final = re.compile(r"\{(.+?)\}")
_MONTHS: Final = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]
_MONATE: Final = [
    "Januar",
    "Februar",
    "März",
    "April",
    "Mai",
    "Juni",
    "Juli",
    "August",
    "September",
    "Oktober",
    "November",
    "Dezember",
]
_ROMAN: Final = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"]
# The words around the fields of the templates identify nobody, but for these; they count neither way.
_PLACES: Final = frozenset(
    ["heidelberg", "hauptstraße", "hauptstrasse", "mary", "timone", "zürich", "zurich", "hopital"]
)


@dataclass(frozen=True)
class Sentence:
    """One line with the truth about its words."""

    text: str
    harmless: tuple[str, ...]
    """Words that identify nobody, folded, as often as they occur."""
    identities: tuple[str, ...]
    """The phrases put in."""
    names: tuple[str, ...] = ()
    """What the header knows, as PN."""
    numbers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Measured:
    """How a cleaner did."""

    kept: float
    """Of the harmless words, the fraction that stayed."""
    leaked: tuple[tuple[str, str, str], ...]
    """(sentence, what came out, the identity in it)."""
    lost: tuple[tuple[str, str], ...]
    """(sentence, what came out) where a harmless word went."""


def fold(text: str) -> str:
    """Lower case without accents."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def words(text: str) -> list[str]:
    return _WORD.findall(fold(text))


def _sections(name: str, half: str) -> list[str]:
    lines = (resources.files(__name__) / name).read_text("utf-8").splitlines()
    found: dict[str, list[str]] = {}
    for line in lines:
        if line.startswith("# "):
            rows = found.setdefault(line[2:].partition(":")[0], [])
        elif line:
            rows.append(line)
    return found[half]


def harmless_lines(half: str) -> list[str]:
    """Lines in which no word identifies anybody."""
    lines = (resources.files(__name__) / f"{half}.txt").read_text("utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("# ")]


def sentences(half: str, count: int, seed: int = 1) -> Iterator[Sentence]:
    """Harmless lines with up to two identities each: before, behind, or between two words."""
    chance = random.Random(seed)
    lines, templates = harmless_lines(half), _sections("templates.txt", half)
    people = [tuple(row.split("|")) for row in _sections("people.txt", half)]
    for number in range(count):
        line = lines[number % len(lines)]
        family, given = chance.choice(people)
        other = chance.choice(people)[0]
        phrases = [
            _filled(templates[(number + n * 7) % len(templates)], family, given, other, chance)
            for n in range(chance.choice((1, 1, 1, 2)))
        ]
        is_known = chance.random() < 0.3
        yield Sentence(
            text=_mixed(line, phrases, chance),
            harmless=tuple(words(line)),
            identities=tuple(phrases),
            names=(f"{family}^{given}",) if is_known else (),
        )


def unseen() -> Iterator[Sentence]:
    """Lines whose identities stand where their author put them."""
    for line in harmless_lines("unseen"):
        yield Sentence(
            text=re.sub(r"[{}]", "", line),
            harmless=tuple(words(_MARKED.sub(" ", line))),
            identities=tuple(_MARKED.findall(line)),
        )


@functools.cache
def _frame() -> frozenset[str]:
    """The words of the templates themselves, and the figures of a time of day."""
    rows = (
        re.sub(r"\{\w+\}", " ", row)
        for half in ("tuning", "heldout")
        for row in _sections("templates.txt", half)
    )
    return frozenset(word for row in rows for word in words(row)) - _PLACES


def _filled(template: str, family: str, given: str, other: str, chance: random.Random) -> str:
    month, day, year = chance.randint(1, 12), chance.randint(1, 28), chance.randint(1931, 2024)
    digits = {f"id{n}": "".join(chance.choices("123456789", k=n)) for n in range(2, 11)}
    letters = chance.choices("BDGJKNQUZ", k=4)
    return template.format(
        Family=family, FAMILY=family.upper(), family=family.lower(), Other=other,
        Given=given, GIVEN=given.upper(), given=given.lower(), I=letters[0], J=letters[1],
        d=f"{day:02}", D=day, m=f"{month:02}", Y=year, y=f"{year % 100:02}", Month=_MONTHS[month - 1],
        Mon=_MONTHS[month - 1][:3], Monat=_MONATE[month - 1], roman=_ROMAN[month - 1],
        over=chance.randint(90, 105), A=letters[2], B=letters[3], **digits,
    )  # fmt: skip


def _mixed(line: str, phrases: list[str], chance: random.Random) -> str:
    """Each phrase before, behind or between two words of the line; sometimes all in capitals."""
    parts = line.split(" ")
    for phrase in phrases:
        place = chance.choice((0, len(parts), len(parts), chance.randint(0, len(parts))))
        parts = [*parts[:place], phrase, *parts[place:]]
    text = " ".join(parts)
    return text.upper() if "@" not in text and chance.random() < 0.2 else text


def leaks(sentence: Sentence, cleaned: str) -> Iterator[str]:
    """The identities of which something came through."""
    out = Counter(words(cleaned))
    spare = Counter(sentence.harmless)
    figures = re.sub(r"\D", "", cleaned)
    for phrase in sentence.identities:
        telling = [
            word for word in words(phrase) if word not in _frame() and not (word.isdigit() and len(word) < 4)
        ]
        if any(out[word] > spare[word] and not _is_chance(word) for word in telling):
            yield phrase
            continue
        numbers = "".join(c for c in phrase if c.isdigit())
        if (len(numbers) >= 5 and numbers in figures) or (len(numbers) > 1 and phrase in cleaned):
            yield phrase


def _is_chance(word: str) -> bool:
    """One character of a script without blanks says nothing alone; a letter beside a title does."""
    return len(word) == 1 and not word.isascii()


def measure(clean: Clean, half: str, count: int = 2000, seed: int = 1) -> Measured:
    """Kept and leaked words over `count` sentences and every harmless line of a half; `unseen` is itself."""
    if half == "unseen":
        return measure_of(clean, unseen())
    plain = [Sentence(line, tuple(words(line)), ()) for line in harmless_lines(half)]
    return measure_of(clean, (*plain, *sentences(half, count, seed)))


def measure_of(clean: Clean, these: Iterable[Sentence]) -> Measured:
    """Kept and leaked words of some sentences."""
    kept = total = 0
    leaked: list[tuple[str, str, str]] = []
    lost: list[tuple[str, str]] = []
    for sentence in these:
        cleaned = clean(sentence.text, list(sentence.names), list(sentence.numbers))
        leaked += [(sentence.text, cleaned, phrase) for phrase in leaks(sentence, cleaned)]
        counted = Counter(sentence.harmless)
        for name in sentence.names:
            # A word that the header says is the person's name has to go.
            for word in words(name):
                counted.pop(word, None)
        missing = counted - Counter(words(cleaned))
        total += counted.total()
        kept += counted.total() - missing.total()
        if missing:
            lost.append((sentence.text, cleaned))
    return Measured(kept / total, tuple(leaked), tuple(lost))
