"""Text for a terminal."""

from __future__ import annotations


def cut(text: str, width: int) -> str:
    """On one line of at most `width` characters, without anything a terminal would obey."""
    plain = "".join(c if c.isprintable() else "?" for c in text)
    return plain if len(plain) <= width else plain[: width - 1] + "…"
