"""What this header says about persons, folded so that every spelling meets every other."""

from __future__ import annotations

import functools
import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


def fold(text: str) -> str:
    """Lower case without accents, so that MÜLLER, Mueller's twin Muller and müller are one."""
    text = text.casefold()
    if text.isascii():
        return text
    return "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))


def squeeze(folded: str) -> str:
    """Letters and digits only."""
    return "".join(c for c in folded if c.isalnum())


@dataclass(frozen=True)
class KnownTokens:
    """What this header says about persons and numbers, folded; made by `known_tokens`."""

    parts: tuple[str, ...]
    """Name parts and numbers, at least 3 characters (2 in scripts without letters case)."""
    wholes: tuple[str, ...]
    """Squeezed whole values: `smithjohn`, `mrn12345`; and the bare digits of long ones: `12345678`."""
    short: tuple[str, ...] = ()
    """Family and given names of two letters, folded: `ng` counts only where it is written Ng or NG."""

    def in_text(self, text: str) -> bool:
        """True when any token is in the text, also across separators."""
        pattern = _pattern(self)
        if pattern is None:
            return False
        folded = fold(text)
        if pattern.search(folded) is not None:
            return True
        if self.short and _short_pattern(self).search(text) is not None:
            return True
        squeezed = squeeze(folded)
        return any(whole in squeezed for whole in self.wholes)

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Where in `text` a token stands, as (start, end) of its characters."""
        pattern = _pattern(self)
        if pattern is None:
            return
        for found in _short_pattern(self).finditer(text) if self.short else ():
            yield found.span()
        folded: list[str] = []
        origin: list[int] = []
        for place, character in enumerate(text):
            new = fold(character)
            folded.append(new)
            origin.extend([place] * len(new))
        flat = "".join(folded)
        for found in pattern.finditer(flat):
            if found.end() > found.start():
                yield origin[found.start()], origin[found.end() - 1] + 1
        places = [n for n, character in enumerate(flat) if character.isalnum()]
        squeezed = "".join(flat[n] for n in places)
        for whole in self.wholes:
            start = squeezed.find(whole)
            while start >= 0:
                yield origin[places[start]], origin[places[start + len(whole) - 1]] + 1
                start = squeezed.find(whole, start + 1)


@functools.lru_cache(maxsize=64)
def _pattern(tokens: KnownTokens) -> re.Pattern[str] | None:
    """A short part must stand alone, a longer one may be inside a word (`XSmithX`)."""
    if not tokens.parts and not tokens.wholes and not tokens.short:
        return None
    chosen = [
        re.escape(part)
        if len(part) >= 5 or not part.isascii()
        else rf"(?<![a-z]){re.escape(part)}s?(?![a-z])"
        for part in tokens.parts
        if not part.isdigit()
    ]
    chosen += [rf"(?<!\d){re.escape(part)}(?!\d)" for part in tokens.parts if part.isdigit()]
    return re.compile("|".join(chosen) or r"(?!)")


@functools.lru_cache(maxsize=64)
def _short_pattern(tokens: KnownTokens) -> re.Pattern[str]:
    spellings = "|".join(f"{name.title()}|{name.upper()}" for name in tokens.short)
    return re.compile(rf"(?<![^\W\d_])(?:{spellings})(?![^\W\d_])")


def known_tokens(names: Iterable[str], numbers: Iterable[str]) -> KnownTokens:
    """Collect the tokens of person names and of identifying numbers or phrases."""
    parts: set[str] = set()
    wholes: set[str] = set()
    short: set[str] = set()
    for name in names:
        folded = fold(name)
        for group in folded.split("="):
            words = [word for word in re.split(r"[\W\d_]+", group) if word]
            parts.update(word for word in words if len(word) >= (3 if word.isascii() else 2))
            # Not prefixes and suffixes: Mr and MD are no names.
            short.update(
                word for word in re.split(r"[\W\d_]+", "^".join(group.split("^")[:2])) if len(word) == 2
            )
            if len(words) > 1:
                wholes.update({squeeze("".join(words)), squeeze("".join(reversed(words[:2])))})
    for number in numbers:
        squeezed = squeeze(fold(number))
        if len(squeezed) >= 4:
            wholes.add(squeezed)
        digits = "".join(c for c in squeezed if c.isdigit())
        wholes.update(bare for bare in (digits, digits.lstrip("0")) if len(bare) >= 6)
        if len(squeezed) >= 3:
            parts.add(fold(number).strip())
            # `STS_043` is also known by its 043.
            parts.update(re.findall(r"\d{3,}", number))
    long = tuple(sorted(whole for whole in wholes if len(whole) >= 4))
    return KnownTokens(tuple(sorted(parts)), long, tuple(sorted(word for word in short if word.isascii())))
