"""The cheap look: is there anything in the picture that stands in a row like letters do?

Top-hat and black-hat (7 x 7) leave thin bright and thin dark strokes; their small components are kept,
and runs of at least four of similar height beside each other, or below each other for text turned by
90 degrees, make a chain. A chain is a reason to read and a second opinion on what the detector says,
never a mask: it does not box lines well.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Grey = NDArray[np.uint8]
    Parts = NDArray[np.int32]

_STROKES: Final = cv2.getStructuringElement(cv2.MORPH_RECT, (7, 7))
# Text over about 30 pixels has strokes wider than the element; half and quarter size make them fit.
_SMALLER: Final = ((2, 256), (4, 512))
_MIN_CONTRAST: Final = 22
_CHAIN: Final = 4
_MAX_PARTS: Final = 6000
_HEIGHTS: Final = (5, 44)
_MIN_AREA: Final = 5
_MAX_RISE: Final = 17  # tenths of the tallest letter


class Box(NamedTuple):
    """A rectangle in pixels; right and bottom excluded."""

    left: int
    top: int
    right: int
    bottom: int

    def overlaps(self, other: Box) -> bool:
        return (
            self.left < other.right and other.left < self.right
            and self.top < other.bottom and other.top < self.bottom
        )  # fmt: skip

    @property
    def area(self) -> int:
        """In pixels."""
        return (self.right - self.left) * (self.bottom - self.top)

    def shared(self, other: Box) -> tuple[int, int]:
        """Width and height of what both cover; both 0 when they do not meet."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        return (width, height) if width > 0 and height > 0 else (0, 0)


def chains(picture: Grey) -> list[Box]:
    """Boxes round every chain of letter-like components; empty where nothing looks like writing."""
    found = _chains(picture)
    for times, size in _SMALLER:
        if max(picture.shape) >= size:
            small = cv2.resize(picture, None, fx=1 / times, fy=1 / times, interpolation=cv2.INTER_AREA)
            found += [
                Box(*(times * side for side in box)) for box in _chains(small.astype(np.uint8, copy=False))
            ]
    return found


def _chains(picture: Grey) -> list[Box]:
    found: list[Box] = []
    for operation in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT):
        strokes = np.asarray(cv2.morphologyEx(picture, operation, _STROKES), np.uint8)
        parts = _parts(strokes)
        if len(parts) >= _CHAIN:
            found += _rows(parts)
            turned = parts[:, [1, 0, 3, 2]]
            found += [Box(box.top, box.left, box.bottom, box.right) for box in _rows(turned)]
    return found


def _parts(strokes: NDArray[np.uint8]) -> Parts:
    """(left, top, width, height) of components that could be letters."""
    mean, deviation = cv2.meanStdDev(strokes)
    threshold = max(_MIN_CONTRAST, float(mean[0, 0]) + 2.0 * float(deviation[0, 0]))
    mask = cv2.threshold(strokes, threshold, 255, cv2.THRESH_BINARY)[1]
    stats = cv2.connectedComponentsWithStats(mask, connectivity=8, ltype=cv2.CV_32S)[2][1:]
    width, height, area = stats[:, 2], stats[:, 3], stats[:, 4]
    longest = np.maximum(width, height)
    fits = (
        (longest >= _HEIGHTS[0]) & (longest <= _HEIGHTS[1]) & (area >= _MIN_AREA)
        & (area * 8 >= width * height)
    )  # fmt: skip
    return np.asarray(stats[fits][:_MAX_PARTS, :4], np.int32)


def _rows(parts: Parts) -> list[Box]:
    """Chains from left to right."""
    tall = parts[parts[:, 3] >= _HEIGHTS[0]]
    if len(tall) < _CHAIN:
        return []
    tall = tall[np.argsort(tall[:, 0], kind="stable")]
    follower = _followers(tall)
    length = np.ones(len(tall), np.int32)
    head = np.arange(len(tall))
    # Sorted from left to right, so that whoever comes before has its length already.
    for here, after in enumerate(follower):
        if after >= 0 and length[here] + 1 > length[after]:
            length[after], head[after] = length[here] + 1, head[here]
    ends = np.flatnonzero((length >= _CHAIN) & (follower < 0))
    spans = (_span(tall, follower, int(head[end])) for end in ends)
    return [box for box in spans if box is not None]


def _followers(parts: Parts) -> NDArray[np.int64]:
    """For each part the nearest one to its right that continues the row, or -1."""
    left, top, width, height = (parts[:, n] for n in range(4))
    right, bottom, middle = left + width, top + height, top * 2 + height
    follower = np.full(len(parts), -1)
    open_ = np.ones(len(parts), bool)
    for step in range(1, min(len(parts), 160)):
        a, b = slice(None, -step), slice(step, None)
        gap = left[b] - right[a]
        high, low = np.maximum(height[a], height[b]), np.minimum(height[a], height[b])
        near = (gap <= high) & (gap >= -(high // 3))
        level = (np.abs(bottom[a] - bottom[b]) * 4 <= high) | (np.abs(middle[a] - middle[b]) * 2 <= high)
        good = near & level & (high * 10 <= low * 18) & open_[a] & (left[b] > left[a])
        hits = np.flatnonzero(good)
        follower[hits] = hits + step
        open_[hits] = False
        if not (open_[a] & (gap <= _HEIGHTS[1])).any():
            break
    return follower


def _span(parts: Parts, follower: NDArray[np.int64], head: int) -> Box | None:
    """The box round a chain; None when it climbs like an edge does instead of standing in a row."""
    members = [head]
    while follower[members[-1]] >= 0:
        members.append(int(follower[members[-1]]))
    rows = parts[members]
    top, bottom = int(rows[:, 1].min()), int((rows[:, 1] + rows[:, 3]).max())
    if (bottom - top) * 10 > _MAX_RISE * int(rows[:, 3].max()):
        return None
    return Box(int(rows[:, 0].min()), top, int((rows[:, 0] + rows[:, 2]).max()), bottom)
