"""A line as its words and what stands between them, and the words that speak of people."""

from __future__ import annotations

import functools
import itertools
import re
from typing import TYPE_CHECKING, Final

from collegium_deid.engine.text.words import GONE, Token, tokens_of
from collegium_deid.table import DATA

if TYPE_CHECKING:
    from collections.abc import Iterator

_CLOSE: Final = re.compile(r"[ \t]{0,2}[-,_^.'\u2019/& ]?[ \t]{0,2}|:")


@functools.cache
def people() -> dict[str, frozenset[str]]:
    """By kind (title, role, staff, particle and so on) the words of `people.txt`."""
    lines = (DATA / "people.txt").read_text("utf-8").splitlines()
    rows = (line.partition(":") for line in lines if line and not line.startswith("#"))
    return {kind: frozenset(words.split()) for kind, _, words in rows}


def is_plain_function(token: Token) -> bool:
    """`with`, `the`, in lower case: no role before it makes a name of it."""
    return token.lower in people()["function"] and token.text.islower()


class Line:
    """The words of a text in their order."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = tokens_of(text)
        self.near = [self._is_close(left, right) for left, right in itertools.pairwise(self.tokens)]

    def _is_close(self, left: Token, right: Token) -> bool:
        """Nothing between two words that parts them: no bracket, colon, new line, end of a sentence."""
        between = self.text[left.end : right.start]
        if _CLOSE.fullmatch(between) is None or GONE in (left.text, right.text):
            return False
        ends_sentence = between[:1] == "." and between != "." and len(left.text) > 3
        return not ends_sentence or left.lower in people()["title"]

    def between(self, left: int, right: int) -> str:
        """What stands between two words, in either order."""
        first, second = sorted((left, right))
        return self.text[self.tokens[first].end : self.tokens[second].start]

    def behind(self, n: int, length: int = 1) -> str:
        """The characters directly behind a word."""
        end = self.tokens[n].end
        return self.text[end : end + length]

    def beside(self, n: int) -> Iterator[int]:
        """The places of the words directly beside, unless something parts them."""
        if n > 0 and self.near[n - 1]:
            yield n - 1
        if n < len(self.near) and self.near[n]:
            yield n + 1

    def is_joined(self, n: int, m: int) -> bool:
        """Nothing parts two words or the words between them."""
        return 0 <= m < len(self.tokens) and all(self.near[min(n, m) : max(n, m)])

    def is_prose(self) -> bool:
        """A sentence: begins with a capital and is mostly in lower case."""
        words = [token.text for token in self.tokens if token.text[0].isalpha() and len(token.text) > 1]
        if len(words) < 4 or not words[0][0].isupper():
            return False
        return sum(word.islower() for word in words) * 2 > len(words)
