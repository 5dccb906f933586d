"""Stored values as 8 bit grey pictures to look at; never what is written.

Writing may be the brightest thing in the picture or only a coloured thing on grey, so the window goes
by percentiles with room above and below, and a colour picture gives a second one: its saturation. A picture
with padding that nobody declared gives two as well, for next to it all else may be one grey.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from collegium_deid.pixels.layout import Layout

    Frame = NDArray[Any]  # its dtype is the file's
    Grey = NDArray[np.uint8]

_STEP: Final = 4
# Everything between the percentiles gets these greys; the rest of the scale is for what lies outside.
_LOW, _HIGH = 12, 228
_COLOURED: Final = 40
_FEW: Final = 30
# Padding: so much of the picture has its one value, and the distance to all others is so many times their range
# that they would share a quarter of the greys. Even air around a body is nearer: its noise would look like letters.
# A screen of few shades has no padding but writing on a ground.
_PADDED: Final = 0.01
_APART: Final = 3.0
_SHADES: Final = 64


def pictures_of(frame: Frame, layout: Layout, photometric: str) -> list[Grey]:
    """One grey picture; a second of the saturation where there is colour to see, or with undeclared padding."""
    if layout.samples == 1 and layout.palette is None:
        return _greys(frame, layout)
    rgb = _rgb(frame, layout, photometric)
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    red, green, blue = cv2.split(rgb)
    saturation = cv2.subtract(cv2.max(cv2.max(red, green), blue), cv2.min(cv2.min(red, green), blue))
    pictures = [grey.astype(np.uint8, copy=False)]
    if cv2.countNonZero(cv2.threshold(saturation, _COLOURED, 255, cv2.THRESH_BINARY)[1]) > _FEW:
        pictures.append(saturation.astype(np.uint8, copy=False))
    return pictures


def png_of(frame: Frame, layout: Layout, photometric: str) -> bytes:
    """A PNG for a person's eye, grey or in colour, with the contrast of `pictures_of`."""
    if layout.samples == 1 and layout.palette is None:
        picture = _greys(frame, layout)[0]
    else:
        # OpenCV writes blue, green, red.
        picture = np.ascontiguousarray(_rgb(frame, layout, photometric)[..., ::-1])
    return bytes(cv2.imencode(".png", picture)[1])


def _rgb(frame: Frame, layout: Layout, photometric: str) -> NDArray[np.uint8]:
    if layout.palette is not None:
        first = np.int32(layout.palette_first)
        at = np.clip(frame.astype(np.int32) - first, 0, len(layout.palette) - 1)
        return np.asarray(layout.palette[at], np.uint8)
    colours = np.ascontiguousarray(frame)
    if colours.dtype.itemsize > 1:
        colours = (colours.view(np.uint16) >> (layout.stored - 8)).astype(np.uint8)
    colours = colours.view(np.uint8)
    if photometric.startswith("YBR"):
        # OpenCV wants Y, Cr, Cb.
        return cv2.cvtColor(colours[..., [0, 2, 1]], cv2.COLOR_YCrCb2RGB).astype(np.uint8, copy=False)
    return colours


def _greys(frame: Frame, layout: Layout) -> list[Grey]:
    values = _stored(frame, layout)
    padding = None if layout.padding is not None else _padding_of(values)
    plain = _window(values, layout, layout.padding)
    return [plain] if padding is None else [_window(values, layout, (padding, padding)), plain]


def _stored(frame: Frame, layout: Layout) -> Frame:
    """Only the stored bits are the picture; shifted up and down again, so that the sign is theirs."""
    shift = layout.high_bit + 1 - layout.stored
    if not (layout.overlay_bits or shift):
        return frame
    spare = layout.allocated - layout.stored
    unsigned = frame.view(f"u{frame.dtype.itemsize}") << (spare - shift)
    return unsigned.view(frame.dtype) >> spare


def _padding_of(values: Frame) -> int | None:
    """The lowest or highest value where it stands far from all others, as it does in a corner outside the beam."""
    if values.dtype.itemsize == 1:
        return None
    sample = _sample(values)
    for value in (sample.min(), sample.max()):
        others = sample[sample != value]
        if others.size < _SHADES or sample.size - others.size < _PADDED * sample.size:
            continue
        far, low, high = int(value), int(others.min()), int(others.max())
        if max(low - far, far - high) > _APART * (high - low) and len(np.unique(others)) >= _SHADES:
            return far & 0xFFFF
    return None


def _sample(values: Frame) -> Frame:
    return values[::_STEP, ::_STEP] if values.size > 1 << 14 else values


def _window(values: Frame, layout: Layout, padding: tuple[int, int] | None) -> Grey:
    if values.dtype.itemsize == 1 and not layout.signed:
        table = _table(values, 0, 256, layout, padding)
        return cv2.LUT(np.ascontiguousarray(values).view(np.uint8), table).astype(np.uint8, copy=False)
    offset = 1 << (8 * values.dtype.itemsize - 1) if layout.signed else 0
    table = _table(values, -offset, 1 << (8 * values.dtype.itemsize), layout, padding)
    index = values.astype(np.int32) + offset if offset else values
    return np.asarray(np.take(table, index), np.uint8)


def _table(
    values: Frame, first: int, size: int, layout: Layout, padding: tuple[int, int] | None
) -> NDArray[np.uint8]:
    """Grey of every stored value from `first` on."""
    sample = _sample(values)
    if padding is not None:
        low, high = (np.uint16(n).astype(values.dtype) for n in padding)
        inside = sample[(sample < min(low, high)) | (sample > max(low, high))]
        sample = inside if inside.size > 100 else sample
    darkest, brightest = int(values.min()), int(values.max())
    counts = np.bincount(sample.ravel().astype(np.int32) - darkest)
    sums = np.cumsum(counts)
    low = darkest + int(np.searchsorted(sums, sums[-1] * 0.005))
    high = darkest + int(np.searchsorted(sums, sums[-1] * 0.995))
    xs = [darkest - 1, low, max(high, low + 1), max(brightest, high + 2)]
    greys = np.interp(np.arange(first, first + size), xs, [0, _LOW, _HIGH, 255])
    if layout.photometric == "MONOCHROME1":
        greys = 255 - greys
    return greys.astype(np.uint8)
