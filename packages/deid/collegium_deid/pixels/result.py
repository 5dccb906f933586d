"""What the pixel step gives back: bytes to write, and areas to report. Never a word that was read."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Area:
    """A hidden rectangle in pixels from the top left, on frames `first` to `last` (from 0, included)."""

    first: int
    last: int
    x: int
    y: int
    width: int
    height: int
    reason: str
    """Why: `known` (says what the header says), `pattern`, `words`, `all`, `unreadable`, `mask`, `device`, `person`."""


@dataclass(frozen=True)
class CleanedPixels:
    """Header and pixel element, ready to write one after the other."""

    head: bytes = field(repr=False)
    pixels: list[bytes | memoryview] = field(repr=False)
    """The pixel data element; views of the input where nothing was changed."""
    areas: tuple[Area, ...]
    seconds: float
    transfer_syntax_uid: str | None
    """The new one; None when it is as before."""
    code: str
    """`untouched`, `no_text` (looked at), `kept` (text that may stay), `redacted`."""
