"""Text for a terminal."""

from __future__ import annotations


def plain(text: str) -> str:
    """On one line, without anything a terminal would obey."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)


def cut(text: str, width: int) -> str:
    """The same, at most `width` characters."""
    line = plain(text)
    return line if len(line) <= width else line[: width - 1] + "…"
