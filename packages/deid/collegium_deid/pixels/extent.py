"""How far a line of writing reaches: the detector's box drawn in to the ink, and drawn out along it.

The detector's box leaves room into which the next line may fall, and it often ends a letter early, or
after the label of a field whose value is faint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from collegium_deid.pixels.gate import Box

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Grey = NDArray[np.uint8]

_TURNED: Final = 1.5
_MIN_INK: Final = 25
_CLEAR: Final = 20.0
_INK: Final = 0.4
# Never draw in more than a quarter of the height from above and from below.
_DRAW_IN: Final = 4
# Between two letters or words, in heights.
_GAP: Final = 0.9
_BESIDE: Final = 1.2
_NEAR, _FAR = 3.0, 14.0
# As long as the value of a field is at least taken to be, in heights.
_VALUE: Final = 9.0
_SOLID: Final = 0.95


def tight(picture: Grey, box: Box) -> Box:
    """The box without the rows that belong to no letter of it."""
    if is_turned(box):
        return _swapped(tight(picture.T, _swapped(box)))
    ink = _ink(picture, box, box)
    if ink is None:
        return box
    top, bottom = _middle_run(np.asarray(ink.any(axis=1)))
    most = (box.bottom - box.top) // _DRAW_IN
    return Box(box.left, box.top + min(top, most), box.right, max(box.top + bottom, box.bottom - most))


def extended(picture: Grey, box: Box, others: Sequence[Box], *, is_label: bool) -> Box:
    """The box as far along the line as ink goes on, but not into `others`.

    `is_label`: only the name of a field was read, so its value must be beside it.
    """
    if is_turned(box):
        turned = [_swapped(other) for other in others]
        return _swapped(extended(picture.T, _swapped(box), turned, is_label=is_label))
    height = box.bottom - box.top
    reach = int(height * (_FAR if is_label else _NEAR))
    beside = [
        other
        for other in others
        if other.top < box.bottom - height // 4 and box.top + height // 4 < other.bottom
    ]
    left = max([0, box.left - reach, *(o.right for o in beside if o.right <= box.left)])
    right = min([picture.shape[1], box.right + reach, *(o.left for o in beside if o.left >= box.right)])
    least = min(right, box.right + int(_VALUE * height)) if is_label else box.right
    ink = _ink(picture, box, Box(left, box.top, right, box.bottom))
    if ink is None:
        return Box(box.left, box.top, least, box.bottom)
    share = ink.mean(axis=0)
    has_ink = (share > 0) & (share < _SOLID)
    after = _goes_on(has_ink[box.right - left :], height)
    before = _goes_on(has_ink[: box.left - left][::-1], height)
    return Box(box.left - before, box.top, max(least, box.right + after), box.bottom)


def is_beside(box: Box, other: Box) -> bool:
    """True when `other` is on the same line, of about the same height, and near its ends."""
    if is_turned(box):
        return not is_turned(_swapped(box)) and is_beside(_swapped(box), _swapped(other))
    height, tall = box.bottom - box.top, other.bottom - other.top
    level = min(box.bottom, other.bottom) - max(box.top, other.top)
    gap = max(box.left, other.left) - min(box.right, other.right)
    return (
        2 * level >= min(height, tall) and 3 * height <= 6 * tall <= 11 * height and gap <= _BESIDE * height
    )


def union(a: Box, b: Box) -> Box:
    """The rectangle round both."""
    return Box(min(a.left, b.left), min(a.top, b.top), max(a.right, b.right), max(a.bottom, b.bottom))


def is_turned(box: Box) -> bool:
    """Much taller than wide."""
    return box.bottom - box.top > _TURNED * (box.right - box.left)


def _ink(picture: Grey, line: Box, part: Box) -> NDArray[np.bool_] | None:
    """Where `part` stands out as the letters of `line` do; None when those do not stand out."""
    inside = picture[line.top : line.bottom, line.left : line.right].astype(np.int16)
    if inside.size < _MIN_INK:
        return None
    low, paper, high = np.percentile(inside, (3, 50, 97))
    sign, peak = (1, high - paper) if high - paper >= paper - low else (-1, paper - low)
    if peak < _CLEAR:
        return None
    values = picture[part.top : part.bottom, part.left : part.right].astype(np.int16)
    return np.asarray((values - int(paper)) * sign > _INK * peak)


def _middle_run(has_ink: NDArray[np.bool_]) -> tuple[int, int]:
    """First and behind-last row of the writing round the middle; the rest belongs to the next line."""
    gap = max(1, len(has_ink) // 10)
    inked = np.flatnonzero(has_ink)
    middle = int(np.argmin(np.abs(inked - len(has_ink) // 2)))
    first = last = middle
    while first > 0 and inked[first] - inked[first - 1] <= gap:
        first -= 1
    while last + 1 < len(inked) and inked[last + 1] - inked[last] <= gap:
        last += 1
    return int(inked[first]), int(inked[last]) + 1


def _goes_on(has_ink: NDArray[np.bool_], height: int) -> int:
    """How many columns ink goes on without a gap wider than between words; 0 when it never ends."""
    end = 0
    for column in np.flatnonzero(has_ink):
        if column - end > _GAP * height:
            break
        end = int(column) + 1
    # Up to the very end of where one may look: that is anatomy, not writing.
    return end if end < len(has_ink) or not len(has_ink) else 0


def _swapped(box: Box) -> Box:
    return Box(box.top, box.left, box.bottom, box.right)
