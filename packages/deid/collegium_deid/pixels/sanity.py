"""Which of the detector's boxes can be a line of text at all; the rest is "nothing".

On pictures of anatomy the detector also boxes the skull base or a whole phantom.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from collegium_deid.pixels.detect import Line

_MAX_SHARE: Final = 0.30
_MAX_HEIGHT_SHARE: Final = 0.08
_MAX_HEIGHT: Final = 80.0
_MIN_HEIGHT: Final = 4.0
_SAME: Final = 0.6


def sane(lines: Iterable[Line], rows: int, columns: int) -> list[Line]:
    """Lines of a believable size, each once; the surer of two that cover the same place."""
    highest = max(_MAX_HEIGHT, _MAX_HEIGHT_SHARE * rows)
    return each_once(
        line
        for line in lines
        if line.sides[0] * line.sides[1] <= _MAX_SHARE * rows * columns
        and line.box.bottom - line.box.top < rows
        and _MIN_HEIGHT <= min(line.sides) <= highest
    )


def each_once(lines: Iterable[Line]) -> list[Line]:
    """The surer of two that cover the same place."""
    kept: list[Line] = []
    for line in sorted(lines, key=lambda line: -line.score):
        if not any(_is_same(line, other) for other in kept):
            kept.append(line)
    return kept


def _is_same(line: Line, other: Line) -> bool:
    a, b = line.box, other.box
    width, height = a.shared(b)
    if not width:
        return False
    smaller, larger = sorted((a.area, b.area))
    return width * height >= _SAME * larger or (width * height >= 0.9 * smaller and smaller >= _SAME * larger)
