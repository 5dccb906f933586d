"""Values that must not be found, and how to find them in a text whatever they are written as.

Pure: no database. Ids (UIDs, UUIDs, digests) are looked up token by token, so that a project with a hundred
thousand images is searched as fast as a small one; words are found by their first four letters.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SHORTEST = 4
"""A shorter value stands in too many texts by chance; it is reported as not looked for."""
_ALONE_BELOW = 8
"""A shorter value counts only where no letter or digit touches it."""
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_HEX = re.compile(r"[0-9a-f]{32,64}")
_UID = re.compile(r"[0-9]+(?:\.[0-9]+){2,}")
_TOKENS = (_UUID, _HEX, _UID)
_DAY = re.compile(r"(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])")
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Needle:
    """A value and what it is; `kind` is for the report, which does not show the value."""

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class _Word:
    """A form of a value; whether a letter or digit may stand before it, and after it."""

    text: str
    needle: Needle
    is_free_before: bool
    is_free_after: bool

    def stands_at(self, at: int, text: str) -> bool:
        return (
            text.startswith(self.text, at)
            and (self.is_free_before or not _touches_before(self.text, text, at))
            and (self.is_free_after or not _touches_after(self.text, text, at))
        )


class Hidden:
    """What must not be found; `unsearchable` is what is too short, or stands in texts that may be seen."""

    def __init__(self, needles: Iterable[Needle], *, seen: str = "") -> None:
        """`seen` is text that the person may see anyway: a word of it tells nothing."""
        self._ids: dict[str, Needle] = {}
        self._words: dict[str, list[_Word]] = defaultdict(list)
        self.needles: list[Needle] = []
        self.unsearchable: list[Needle] = []
        known = seen.casefold()
        for needle in dict.fromkeys(needles):
            forms = [form.casefold() for form in written(needle.value)]
            if all(len(form) < SHORTEST for form in forms) or any(_stands(form, known) for form in forms):
                self.unsearchable.append(needle)
                continue
            self.needles.append(needle)
            for form in forms:
                if any(token.fullmatch(form) for token in _TOKENS):
                    self._ids.setdefault(form, needle)
                else:
                    is_day, is_long = bool(_DAY.fullmatch(needle.value)), len(form) >= _ALONE_BELOW
                    # A time may follow a day (DT), but a day inside a longer number is none.
                    after = form.isdigit() if is_day else is_long
                    self._words[form[:SHORTEST]].append(_Word(form, needle, is_long and not is_day, after))

    def find(self, text: str) -> set[Needle]:
        """Which of the values stand in `text`, in any case."""
        folded = text.casefold()
        found = {
            self._ids[token[0]]
            for pattern in _TOKENS
            for token in pattern.finditer(folded)
            if token[0] in self._ids
        }
        words = self._words
        for at in range(len(folded) - SHORTEST + 1):
            for word in words.get(folded[at : at + SHORTEST], ()):
                if word.stands_at(at, folded):
                    found.add(word.needle)
        return found


def written(value: str) -> Iterator[str]:
    """The ways in which a value is written: a day in the usual forms, an id with and without hyphens."""
    yield value
    if _UUID.fullmatch(value.lower()):
        yield value.replace("-", "")
    if _DAY.fullmatch(value):
        yield from _days(date(int(value[:4]), int(value[4:6]), min(int(value[6:]), 28)), int(value[6:]))


def _days(month_of: date, day: int) -> Iterator[str]:
    year, month, name = month_of.year, month_of.month, _MONTHS[month_of.month - 1]
    for separator in "-./":
        yield f"{year}{separator}{month:02}{separator}{day:02}"
        yield f"{day:02}{separator}{month:02}{separator}{year}"
        yield f"{day}{separator}{month}{separator}{year}"
        yield f"{month:02}{separator}{day:02}{separator}{year}"
        yield f"{month}{separator}{day}{separator}{year}"
    for word in {name, name[:3]}:
        yield f"{day} {word} {year}"
        yield f"{word} {day}, {year}"
        yield f"{word}. {day}, {year}"


def _stands(form: str, text: str) -> bool:
    at = text.find(form) if len(form) >= SHORTEST else -1
    while at >= 0:
        if _is_alone(form, text, at):
            return True
        at = text.find(form, at + 1)
    return False


def _is_alone(form: str, text: str, at: int) -> bool:
    return not (_touches_before(form, text, at) or _touches_after(form, text, at))


def _touches_before(form: str, text: str, at: int) -> bool:
    return at > 0 and text[at - 1].isalnum() and form[0].isalnum()


def _touches_after(form: str, text: str, at: int) -> bool:
    return text[at + len(form) : at + len(form) + 1].isalnum() and form[-1].isalnum()
