"""Read the lines the detector found. What was read stays in memory and never leaves this room."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final, NamedTuple

import cv2
import numpy as np

from collegium_deid.pixels import models
from collegium_deid.pixels.detect import Line, lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Grey = NDArray[np.uint8]

_HEIGHT: Final = 48
_WIDEST: Final = 1600
_NARROWEST: Final = 96
_BATCH: Final = 6
# A line so much taller than wide is turned by 90 degrees.
_TURNED: Final = 1.5
_SURE: Final = 0.5
_LONGER: Final = 0.2


class Reading(NamedTuple):
    """A read line; `repr` shows no text."""

    text: str
    confidence: float

    def __repr__(self) -> str:
        return f"Reading({len(self.text)} characters, {self.confidence:.2f})"

    @property
    def characters(self) -> int:
        """Letters and digits."""
        return sum(c.isalnum() for c in self.text)

    @property
    def is_clear(self) -> bool:
        """Read with enough confidence, however little it is."""
        return self.confidence >= _SURE

    @property
    def is_sure(self) -> bool:
        """At least two letters or digits, read with enough confidence."""
        return self.is_clear and self.characters > 1


class Letter(NamedTuple):
    """A letter or digit in a strip and how sure it is; never which one."""

    column: float
    confidence: float


class Reader:
    """Finds and reads with this process's models, which are loaded by the first picture that needs them."""

    def find(self, picture: Grey, zoom: float = 1.0) -> list[Line]:
        """Lines of one picture, looked at `zoom` times as large as usual, or below 1 as it is."""
        return lines(picture, models.detection(), zoom)

    def read(self, picture: Grey, found: Sequence[Line]) -> list[Reading]:
        """One reading a line, in their order; turned lines are read both ways round."""
        crops: list[Grey] = []
        owners: list[int] = []
        for number, line in enumerate(found):
            for crop in _crops(picture, line):
                crops.append(crop)
                owners.append(number)
        best = [Reading("", 0.0)] * len(found)
        for owner, reading in zip(owners, self._read(crops), strict=True):
            if reading.confidence > best[owner].confidence:
                best[owner] = reading
        return best

    def letters(self, strip: Grey) -> list[Letter]:
        """Where in an upright strip of one line's height letters and digits are read."""
        crop = _sized(strip)
        width = max(_NARROWEST, crop.shape[1])
        batch = np.zeros((1, 3, _HEIGHT, width), np.float32)
        batch[0, :, :, : crop.shape[1]] = crop.astype(np.float32) / 127.5 - 1.0
        likely = models.recognition().run(batch)[0]
        path, sure = likely.argmax(axis=1), likely.max(axis=1)
        alphabet = _alphabet()
        step = width / len(path) * strip.shape[1] / crop.shape[1]
        return [
            Letter((n + 0.5) * step, float(sure[n]))
            for n, letter in enumerate(path)
            if alphabet[letter].isalnum()
        ]

    def _read(self, crops: list[Grey]) -> list[Reading]:
        order = sorted(range(len(crops)), key=lambda n: crops[n].shape[1])
        readings = [Reading("", 0.0)] * len(crops)
        for first in range(0, len(order), _BATCH):
            chosen = order[first : first + _BATCH]
            width = max(_NARROWEST, *(crops[n].shape[1] for n in chosen), 0)
            batch = np.zeros((len(chosen), 3, _HEIGHT, width), np.float32)
            for row, n in enumerate(chosen):
                batch[row, :, :, : crops[n].shape[1]] = crops[n].astype(np.float32) / 127.5 - 1.0
            for n, likely in zip(chosen, models.recognition().run(batch), strict=True):
                readings[n] = _decoded(likely)
        return readings


def _decoded(likely: NDArray[np.float32]) -> Reading:
    """The best path without repeats and blanks (CTC)."""
    path = likely.argmax(axis=1)
    keep = (path != 0) & np.append(True, path[1:] != path[:-1])
    if not keep.any():
        return Reading("", 0.0)
    alphabet = _alphabet()
    text = "".join(alphabet[n] for n in path[keep])
    return Reading(text, float(likely.max(axis=1)[keep].mean()))


@functools.cache
def _alphabet() -> list[str]:
    """Blank first, then the model's characters, then the space."""
    return ["", *models.recognition().characters().splitlines(), " "]


def _crops(picture: Grey, line: Line) -> list[Grey]:
    """The line upright, 48 pixels high; both ways round when it is turned."""
    corners = _longer(line)
    width = max(1, round(float(np.linalg.norm(corners[1] - corners[0]))))
    height = max(1, round(float(np.linalg.norm(corners[3] - corners[0]))))
    target = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, target)
    crop = cv2.warpPerspective(
        picture, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    ).astype(np.uint8, copy=False)
    if height < _TURNED * width:
        return [_sized(crop)]
    return [
        _sized(cv2.rotate(crop, way).astype(np.uint8, copy=False))
        for way in (cv2.ROTATE_90_COUNTERCLOCKWISE, cv2.ROTATE_90_CLOCKWISE)
    ]


def _longer(line: Line) -> NDArray[np.float32]:
    """The corners moved out along the line, because the detector often cuts the first and last letter."""
    across, down = line.sides
    corners = line.corners.copy()
    first, other = (0, 1) if across >= down else (0, 3)
    along = corners[other] - corners[first]
    step = along / max(1.0, float(np.linalg.norm(along))) * min(across, down) * _LONGER
    ends = (1, 2) if across >= down else (2, 3)
    for corner in range(4):
        corners[corner] += step if corner in ends else -step
    return corners


def _sized(crop: Grey) -> Grey:
    height, width = crop.shape
    wanted = min(_WIDEST, max(8, round(width * _HEIGHT / height)))
    return cv2.resize(crop, (wanted, _HEIGHT)).astype(np.uint8, copy=False)
