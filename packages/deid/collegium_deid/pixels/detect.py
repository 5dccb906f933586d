"""Find lines of text with the detection model: boxes, not yet a reason to touch a pixel.

The network gives a map of how much each pixel belongs to text; this is its own way from the map to
boxes (differentiable binarisation: threshold, contours, smallest rectangle, grown outwards).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import cv2
import numpy as np

from collegium_deid.pixels.gate import Box

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from collegium_deid.pixels.models import Model

    Grey = NDArray[np.uint8]

_TEXT: Final = 0.3
_SURE: Final = 0.5
_GROW: Final = 1.6
_MIN_SIDE: Final = 3.0
_MAX_LINES: Final = 500
# Small letters need a picture of this height or more; very large pictures shrink to three megapixels.
_SMALL: Final = 736
_LARGEST_SCALE: Final = 2.5
_MAX_PIXELS: Final = 3_000_000
_MULTIPLE: Final = 32


class Line(NamedTuple):
    """One line as the detector saw it."""

    corners: NDArray[np.float32]
    """(4, 2) x and y, clockwise from the top left of the line as it stands."""
    score: float

    @property
    def box(self) -> Box:
        """The upright rectangle round it."""
        left, top = np.floor(self.corners.min(axis=0)).astype(int)
        right, bottom = np.ceil(self.corners.max(axis=0)).astype(int)
        return Box(int(left), int(top), int(right), int(bottom))

    @property
    def sides(self) -> tuple[float, float]:
        """Width and height of the turned rectangle."""
        across = float(np.linalg.norm(self.corners[1] - self.corners[0]))
        down = float(np.linalg.norm(self.corners[3] - self.corners[0]))
        return across, down


def lines(picture: Grey, model: Model, zoom: float = 1.0) -> list[Line]:
    """Every line the detector is sure enough of, in pixels of `picture`.

    `zoom`: look at it so much larger than usual; below 1, so much smaller than it is.
    """
    rows, columns = picture.shape
    larger = min(_LARGEST_SCALE, max(1.0, _SMALL / max(1, min(rows, columns)))) if zoom >= 1 else 1.0
    scale = min(zoom * larger, (_MAX_PIXELS / (rows * columns)) ** 0.5)
    sized = picture
    if scale != 1.0:
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
        sized = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=way).astype(np.uint8, copy=False)
    likely = model.run(_batch(sized))[0, 0, : sized.shape[0], : sized.shape[1]]
    limits = np.array([columns, rows], np.float32)
    return [
        Line(np.clip(corners / scale, 0, limits).astype(np.float32), score)
        for corners, score in _boxes(likely)
    ]


def equalised(picture: Grey) -> Grey:
    """A copy whose contrast is evened out locally, for faint writing over anatomy."""
    return cv2.createCLAHE(clipLimit=4.0, tileGridSize=(8, 8)).apply(picture).astype(np.uint8, copy=False)


def _batch(picture: Grey) -> NDArray[np.float32]:
    """(1, 3, row, column) from -1 to 1, padded to a multiple of 32 with its own edge."""
    rows, columns = picture.shape
    padded = cv2.copyMakeBorder(picture, 0, -rows % _MULTIPLE, 0, -columns % _MULTIPLE, cv2.BORDER_REPLICATE)
    grey = padded.astype(np.float32) / 127.5 - 1.0
    return np.ascontiguousarray(np.broadcast_to(grey, (1, 3, *grey.shape)))


def _boxes(likely: NDArray[np.float32]) -> Iterator[tuple[NDArray[np.float32], float]]:
    mask = (likely > _TEXT).astype(np.uint8)
    mask = cv2.dilate(mask, np.ones((2, 2), np.uint8)).astype(np.uint8, copy=False)
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    for contour in contours[:_MAX_LINES]:
        centre, (width, height), angle = cv2.minAreaRect(contour)
        if min(width, height) < _MIN_SIDE:
            continue
        score = _score(likely, cv2.boxPoints((centre, (width, height), angle)))
        if score < _SURE:
            continue
        grown = width * height * _GROW / (2 * (width + height)) * 2
        yield _ordered(cv2.boxPoints((centre, (width + grown, height + grown), angle))), score


def _score(likely: NDArray[np.float32], corners: NDArray[np.generic]) -> float:
    """The mean of the map inside a rectangle."""
    points = corners.astype(np.float32)
    left, top = np.clip(np.floor(points.min(axis=0)), 0, None).astype(int)
    right, bottom = np.ceil(points.max(axis=0)).astype(int) + 1
    part = likely[top:bottom, left:right]
    inside = np.zeros(part.shape, np.uint8)
    cv2.fillPoly(inside, [(points - (left, top)).round().astype(np.int32)], 1)
    return float(cv2.mean(part, inside)[0])


def _ordered(corners: NDArray[np.generic]) -> NDArray[np.float32]:
    """Clockwise from the top left, so that the first side is the upper one."""
    points = corners.astype(np.float32)
    points = points[np.argsort(points[:, 0], kind="stable")]
    left = points[:2][np.argsort(points[:2, 1], kind="stable")]
    right = points[2:][np.argsort(points[2:, 1], kind="stable")]
    return np.array([left[0], right[0], right[1], left[1]], np.float32)
