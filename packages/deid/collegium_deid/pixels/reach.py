"""How far along its line the reader goes on reading letters beside a box that must be hidden.

The detector breaks off where writing gets faint over anatomy, and ink cannot be told from anatomy there.
The reader still knows letters, and at which column it read each (the steps of its path).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import cv2
import numpy as np

from collegium_deid.pixels.extent import is_turned
from collegium_deid.pixels.gate import Box

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from collegium_deid.pixels.read import Reader

    Grey = NDArray[np.uint8]

# In heights of the line: how far to look, how wide a gap between words may be, half a letter.
_REACH: Final = 8
_GAP: Final = 1.6
_HALF: Final = 0.5
_SURE: Final = 0.5


def read_on(picture: Grey, box: Box, others: Sequence[Box], reader: Reader) -> Box:
    """The box as far along the line as there are letters to read, but not into `others`."""
    if is_turned(box):
        swapped = [_swapped(other) for other in others]
        return _swapped(_read_on(picture.T, _swapped(box), swapped, reader, is_turned=True))
    return _read_on(picture, box, others, reader, is_turned=False)


def _read_on(picture: Grey, box: Box, others: Sequence[Box], reader: Reader, *, is_turned: bool) -> Box:
    height = box.bottom - box.top
    edge = height // 4
    level = [other for other in others if other.top < box.bottom - edge and box.top + edge < other.bottom]
    reach = _REACH * height
    left = max([0, box.left - reach, *(o.right for o in level if o.right <= box.left)])
    right = min([picture.shape[1], box.right + reach, *(o.left for o in level if o.left >= box.right)])
    if left >= box.left and right <= box.right:
        return box
    pad = max(2, height // 6)
    strip = _stretched(picture[max(0, box.top - pad) : box.bottom + pad, left:right])
    # Turned writing arrives mirrored; which way up it stands is seen by what can be read.
    ways = [strip[::-1], strip[:, ::-1]] if is_turned else [strip]
    found = [reader.letters(np.ascontiguousarray(way)) for way in ways]
    if is_turned:
        width = right - left
        found[1] = [letter._replace(column=width - letter.column) for letter in found[1]]
    best = max(found, key=lambda letters: sum(letter.confidence for letter in letters))
    columns = [left + letter.column for letter in best if letter.confidence >= _SURE]
    after = _goes_on((column - box.right for column in columns), height)
    before = _goes_on((box.left - column for column in columns), height)
    return Box(max(left, box.left - before), box.top, min(right, box.right + after), box.bottom)


def _goes_on(distances: Iterable[float], height: int) -> int:
    """How far behind an end of the box letters follow each other."""
    end = 0.0
    for distance in sorted(distances):
        if distance <= 0:
            continue
        if distance - end > (_GAP + _HALF) * height:
            break
        end = distance + _HALF * height
    return round(end)


def _stretched(strip: Grey) -> Grey:
    """Contrast as large as it can be, so that faint letters are read as the others are."""
    low, high = (float(value) for value in np.percentile(strip, (1, 99)))
    scale = 255 / max(1.0, high - low)
    return cv2.convertScaleAbs(np.clip(strip, low, high) - low, alpha=scale).astype(np.uint8, copy=False)


def _swapped(box: Box) -> Box:
    return Box(box.top, box.left, box.bottom, box.right)
