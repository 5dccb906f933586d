"""What devices write onto pictures: settings, modes, makers. The medical words are the engine's."""

from __future__ import annotations

import functools
from importlib import resources


@functools.cache
def screen_words() -> frozenset[str]:
    """Lower case words of data/screen_words.txt."""
    text = (resources.files("collegium_deid") / "data" / "screen_words.txt").read_text("utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return frozenset(word.casefold() for line in lines for word in line.split())
