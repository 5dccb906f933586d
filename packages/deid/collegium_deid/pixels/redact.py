"""Hide areas in stored values: each becomes what lies around it, on this frame, in this colour space."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from collegium_deid.pixels.gate import Box

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from collegium_deid.pixels.layout import Layout

    Frame = NDArray[Any]  # its dtype is the file's

_RING: Final = 5


def hidden(
    frame: Frame, areas: Sequence[Box], layout: Layout, photometric: str, *, fill: str = "background"
) -> Frame:
    """A copy of one frame's stored values with every area filled; nothing outside them changes."""
    out = frame.copy(order="K")
    covered = np.zeros((layout.rows, layout.columns), np.uint8)
    for box in areas:
        covered[box.top : box.bottom, box.left : box.right] = 1
    for box in areas:
        colour = _black(frame, layout, photometric) if fill == "black" else _around(frame, box, covered)
        out[box.top : box.bottom, box.left : box.right] = colour
    return out


def without_overlays(frame: Frame, layout: Layout) -> Frame:
    """A copy with the bits cleared that hold overlays instead of picture."""
    bits = layout.overlay_bits
    unsigned = frame.view(f"<u{layout.allocated // 8}")
    return np.asarray(unsigned & ~unsigned.dtype.type(bits)).view(frame.dtype)


def grown(box: Box, layout: Layout) -> Box:
    """With a margin.

    Along the line a letter at its end may be missing, so a third of the height is added there; across
    it 2 to 4 pixels, because the next line is near.
    """
    across, down = box.right - box.left, box.bottom - box.top
    height = min(across, down)
    ends, sides = min(10, max(3, height // 3)), min(4, max(2, height // 8))
    x, y = (sides, ends) if down > 1.5 * across else (ends, sides)
    return paired(Box(box.left - x, box.top - y, box.right + x, box.bottom + y), layout)


def paired(box: Box, layout: Layout) -> Box:
    """Inside the picture; on whole pairs where two pixels share a colour."""
    left, right = box.left, box.right
    if layout.is_subsampled:
        left, right = left - left % 2, right + right % 2
    return Box(max(0, left), max(0, box.top), min(layout.columns, right), min(layout.rows, box.bottom))


def _around(frame: Frame, box: Box, covered: NDArray[np.uint8]) -> Frame:
    """The median of the box, most of which is paper, and of a ring round it that no area covers."""
    rows, columns = covered.shape
    top, bottom = max(0, box.top - _RING), min(rows, box.bottom + _RING)
    left, right = max(0, box.left - _RING), min(columns, box.right + _RING)
    free = covered[top:bottom, left:right] == 0
    inside = frame[box.top : box.bottom, box.left : box.right].reshape(-1, *frame.shape[2:])
    ring = np.concatenate((inside, frame[top:bottom, left:right][free]))
    # The lower of two middle values: a value that is there, not one between two entries of a palette.
    middle = np.sort(ring, axis=0)[(len(ring) - 1) // 2]
    return np.asarray(middle, frame.dtype)


def _black(frame: Frame, layout: Layout, photometric: str) -> Frame:
    if layout.palette is not None:
        entry = int(layout.palette.sum(axis=1, dtype=np.int32).argmin())
        return np.asarray(entry + layout.palette_first, frame.dtype)
    if layout.samples == 1:
        return np.asarray(frame.max() if photometric == "MONOCHROME1" else frame.min(), frame.dtype)
    if photometric.startswith("YBR"):
        middle = 1 << (layout.stored - 1)
        return np.asarray([0, middle, middle], frame.dtype)
    return np.asarray([0, 0, 0], frame.dtype)


def merged(areas: Sequence[Box]) -> list[Box]:
    """The same areas without those that lie inside another."""
    kept: list[Box] = []
    for box in sorted(areas, key=lambda b: (b.left - b.right) * (b.bottom - b.top)):
        inside = any(
            other.left <= box.left and other.top <= box.top
            and box.right <= other.right and box.bottom <= other.bottom
            for other in kept
        )  # fmt: skip
        if not inside:
            kept.append(box)
    return kept
