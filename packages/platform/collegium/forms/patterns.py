"""Patterns for text items: the part of regular expressions that cannot be made to run for ever.

Python's matcher goes back over what it tried; with a repeated part inside of a repeated part, or with many open
repeats, a text of fifty letters keeps it busy for hours. So a pattern here repeats single characters and groups of
fixed parts, and looks at short texts only.
"""

from __future__ import annotations

import re
from functools import lru_cache

LONGEST_TEXT = 200
"""Characters of a text that has a pattern."""
LONGEST_PATTERN = 200
MOST_OPEN = 3
"""Parts that may be repeated without a fixed count: the matcher's time grows with their power."""
_PART = re.compile(
    r"""(?P<escape>\\[dwsDWS.\\+*?()\[\]{}|/^$-])  # a class of characters, or a sign as itself
    |(?P<set>\[\^?(?:\\.|[^\]\\])+\])
    |(?P<repeat>(?:[*+?]|\{[0-9]{1,3}(?:,[0-9]{0,3})?\}))
    |(?P<open>\((?:\?:)?)(?!\?)
    |(?P<close>\))
    |(?P<other>\|)
    |(?P<plain>[^\\\[\](){}*+?])""",
    re.VERBOSE,
)


class PatternError(ValueError):
    """A pattern that is not taken, in words for its author."""


def check(pattern: str) -> None:
    """Refuse a pattern that is no regular expression, or not one of the safe ones.

    Raises:
        PatternError: says why.
    """
    if len(pattern) > LONGEST_PATTERN:
        raise PatternError(f"This pattern is longer than {LONGEST_PATTERN} characters.")
    reader = _Reader()
    at = 0
    while at < len(pattern):
        found = _PART.match(pattern, at)
        if found is None:
            raise PatternError(f"“{pattern[at]}” at character {at + 1} is not possible in a pattern here.")
        reader.take(str(found.lastgroup), found[0])
        at = found.end()
    try:
        re.compile(pattern)
    except re.error as error:
        raise PatternError(f"This is not a regular expression: {error}.") from error


class _Reader:
    """What was read of a pattern so far. A group is loose when it can match one text in more than one way."""

    def __init__(self) -> None:
        self.loose = [False]  # of each bracket that is open, the pattern itself first
        self.was_loose = False  # the part just read was a loose group
        self.open_count = 0

    def take(self, kind: str, text: str) -> None:
        if kind == "repeat":
            self.repeat(is_fixed=re.fullmatch(r"\{[0-9]+\}", text) is not None)
        self.was_loose = kind == "close" and self.close()
        if kind == "open":
            self.loose.append(False)
        elif self.was_loose or (kind == "other" and len(self.loose) > 1):
            self.loose[-1] = True

    def repeat(self, *, is_fixed: bool) -> None:
        if self.was_loose:
            raise PatternError("A repeated group may hold neither repeats nor alternatives.")
        if is_fixed:
            return
        self.loose[-1] = True
        self.open_count += 1
        if self.open_count > MOST_OPEN:
            raise PatternError(
                f"At most {MOST_OPEN} parts of a pattern may be repeated without a fixed count."
            )

    def close(self) -> bool:
        if len(self.loose) == 1:
            raise PatternError("A bracket is closed that was not opened.")
        return self.loose.pop()


def matches(pattern: str, text: str) -> bool:
    """Whether the whole text is as the pattern asks."""
    return len(text) <= LONGEST_TEXT and _compiled(pattern).fullmatch(text) is not None


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)
