"""Place lines of writing in a picture: blocks in the corners as machines do, or anywhere over anatomy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from collegium_testkit.burned.lettering import FONTS, draw
from collegium_testkit.burned.scene import Box, Kind, Line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collegium_testkit.burned.lettering import Mask
    from collegium_testkit.burned.textures import Picture

_MARGIN: Final = 6
_INVERTED: Final = 0.15
_TURNED: Final = 0.04
_SHOWN: Final = 0.06
"""Mean brightness or deviation from which what lies below a line counts as anatomy."""


@dataclass(frozen=True)
class Style:
    """How the writing of one picture is."""

    heights: tuple[int, int]
    contrasts: tuple[float, ...]
    over_anatomy: float
    """Share of lines that are placed anywhere instead of in a corner."""


@dataclass(frozen=True)
class Placed:
    """A line and how to paint it."""

    line: Line
    mask: Mask
    level: float
    ground: float | None
    """The level of the filled box below an inverted line."""


def place(
    random: np.random.Generator,
    picture: Picture,
    lines: Sequence[tuple[Kind, str]],
    style: Style,
    frames: Sequence[tuple[int, ...]],
) -> list[Placed]:
    """Give each line a place, a font and a contrast; a line without room is left out.

    Args:
        random: of this picture's writing.
        picture: (row, column), 0 to 1; not changed.
        lines: what to write; earlier ones find room first.
        style: sizes and contrasts of this picture.
        frames: for each line the frames that show it.
    """
    corners = _Corners(picture.shape[0], picture.shape[1])
    height = int(random.integers(style.heights[0], style.heights[1] + 1))
    font = FONTS[int(random.integers(len(FONTS)))]
    taken: list[Box] = []
    placed = []
    for (kind, words), shown in zip(lines, frames, strict=True):
        if random.random() < 0.3:
            font = FONTS[int(random.integers(len(FONTS)))]
            height = int(random.integers(style.heights[0], style.heights[1] + 1))
        mask = draw(words, font, height)
        is_turned = bool(random.random() < _TURNED)
        if is_turned:
            mask = np.ascontiguousarray(np.rot90(mask))
        anywhere = is_turned or random.random() < style.over_anatomy
        box = _anywhere(random, picture, mask, taken) if anywhere else corners.next(random, mask, taken)
        if box is None:
            continue
        taken.append(box)
        below = picture[box.top : box.bottom, box.left : box.right]
        wanted = style.contrasts[int(random.integers(len(style.contrasts)))]
        is_inverted = bool(random.random() < _INVERTED)
        ground = None if not is_inverted else float(random.choice((1.0, 0.85, 0.7)))
        level = _level(float(below.mean()) if ground is None else ground, wanted)
        contrast = round(abs(level - (float(below.mean()) if ground is None else ground)), 2)
        anatomy = ground is None and bool(below.mean() > _SHOWN or below.std() > _SHOWN)
        ink = mask >= 0.5 * float(mask.max())
        line = Line(
            box, words, kind, contrast, anatomy, height, shown, is_inverted, is_turned, font, ink
        )  # fmt: skip
        placed.append(Placed(line, mask, level, ground))
    return placed


def paint(picture: Picture, placed: Sequence[Placed], frame: int) -> Picture:
    """The picture with the lines that this frame shows."""
    image = picture.copy()
    for one in placed:
        if frame not in one.line.frames:
            continue
        box = one.line.box
        if one.ground is not None:
            image[max(0, box.top - 3) : box.bottom + 3, max(0, box.left - 3) : box.right + 3] = one.ground
        part = image[box.top : box.bottom, box.left : box.right]
        part += one.mask * (one.level - part)
    return image


def _level(below: float, contrast: float) -> float:
    """White where there is room for it, else black, else what there is room for."""
    if below + contrast <= 1:
        return below + contrast
    if below - contrast >= 0:
        return below - contrast
    return 1.0 if below <= 0.6 else 0.0


class _Corners:
    """Four blocks of lines that grow towards the middle."""

    def __init__(self, rows: int, columns: int) -> None:
        self.rows, self.columns = rows, columns
        self.used = [_MARGIN] * 4

    def next(self, random: np.random.Generator, mask: Mask, taken: list[Box]) -> Box | None:
        high, wide = mask.shape
        for corner in random.permutation(4):
            top = self.used[corner] if corner < 2 else self.rows - self.used[corner] - high
            left = _MARGIN if corner % 2 == 0 else self.columns - _MARGIN - wide
            box = Box(left, top, left + wide, top + high)
            if self.used[corner] + high > self.rows * 0.45 or left < 0:
                continue
            if any(box.overlaps(other, 4) for other in taken):
                continue
            self.used[corner] += high + max(5, round(0.45 * high))
            return box
        return None


def _anywhere(random: np.random.Generator, picture: Picture, mask: Mask, taken: list[Box]) -> Box | None:
    """A free place, rather over something than over black."""
    high, wide = mask.shape
    rows, columns = picture.shape
    if high + 2 * _MARGIN >= rows or wide + 2 * _MARGIN >= columns:
        return None
    best: Box | None = None
    for _ in range(30):
        left = int(random.integers(_MARGIN, columns - wide - _MARGIN))
        top = int(random.integers(_MARGIN, rows - high - _MARGIN))
        box = Box(left, top, left + wide, top + high)
        if any(box.overlaps(other, 2 * min(high, wide)) for other in taken):
            continue
        if picture[top : top + high, left : left + wide].mean() > 0.15:
            return box
        best = best or box
    return best
