"""Find lines of letters that are too large for the detector as it usually looks, and for the gate.

The detector knows letters of some 8 to 40 pixels; of larger ones it boxes strokes, or nothing. Seen from
further off it finds them, at a sixth of the cost, and it seldom takes anatomy for such letters.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from collegium_deid.pixels.sanity import each_once

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from collegium_deid.pixels.detect import Line
    from collegium_deid.pixels.gate import Box
    from collegium_deid.pixels.read import Reader

    Grey = NDArray[np.uint8]

_FURTHER: Final = 0.4
_FURTHEST: Final = 0.2
# Height of a line's box, which is nearly half as high again as its letters.
_LEAST: Final = 44.0
# As wide as two letters at least.
_WIDEST_LETTER: Final = 1.3
# Of the shorter side of the picture: what is higher is anatomy.
_HIGHEST: Final = 0.4


def seen_from_afar(picture: Grey, reader: Reader) -> list[Box]:
    """Where there may be large letters; quick enough for every picture."""
    return [line.box for line in reader.find(picture, _FURTHER) if _is_large(line, picture)]


def large_lines(picture: Grey, reader: Reader) -> list[Line]:
    """Lines of large letters, each once."""
    found = [*reader.find(picture, _FURTHER), *reader.find(picture, _FURTHEST)]
    return each_once(line for line in found if _is_large(line, picture))


def _is_large(line: Line, picture: Grey) -> bool:
    low, high = sorted(line.sides)
    return _LEAST <= low <= _HIGHEST * min(picture.shape) and high >= _WIDEST_LETTER * low
