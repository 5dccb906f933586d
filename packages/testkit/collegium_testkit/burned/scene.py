"""What a scene is: a picture with writing, and the truth about every line of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from collegium_testkit.burned.words import Identity


class Kind(StrEnum):
    """Whether a line must be hidden or should stay."""

    IDENTIFYING = "identifying"
    DIAGNOSTIC = "diagnostic"


class Box(NamedTuple):
    """Pixels from the top left; right and bottom excluded."""

    left: int
    top: int
    right: int
    bottom: int

    def overlaps(self, other: Box, gap: int) -> bool:
        """Whether the two come nearer to each other than `gap` pixels."""
        return (
            self.left < other.right + gap
            and other.left < self.right + gap
            and self.top < other.bottom + gap
            and other.top < self.bottom + gap
        )


@dataclass(frozen=True)
class Line:
    """One line of writing in the picture."""

    box: Box
    words: str
    kind: Kind
    contrast: float
    """Ink against its surroundings, as a share of the displayed range, as it was asked for: 0.2 to 1."""
    over_anatomy: bool
    height: int
    """Of the capitals, in pixels."""
    frames: tuple[int, ...]
    is_inverted: bool
    is_turned: bool
    font: str
    ink: npt.NDArray[np.bool_] = field(repr=False, compare=False)
    """The pixels of the glyphs inside `box`."""


@dataclass(frozen=True)
class Scene:
    """One object with burned-in writing; the same seed gives the same bytes."""

    name: str
    """Kind, number and syntax: `us_rgb-3-rle`."""
    kind: str
    data: bytes = field(repr=False)
    """The whole Part 10 file, its header as full of identity as a scanner's."""
    lines: tuple[Line, ...]
    identity: Identity = field(repr=False)

    @property
    def identifying(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.kind is Kind.IDENTIFYING)

    @property
    def diagnostic(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.kind is Kind.DIAGNOSTIC)
