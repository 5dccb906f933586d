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
    """With 2 to 4 pixels of margin, inside the picture; on whole pairs where two pixels share a colour."""
    margin = min(4, max(2, (min(box.bottom - box.top, box.right - box.left)) // 6))
    left, right = box.left - margin, box.right + margin
    if layout.is_subsampled:
        left, right = left - left % 2, right + right % 2
    return Box(
        max(0, left), max(0, box.top - margin),
        min(layout.columns, right), min(layout.rows, box.bottom + margin),
    )  # fmt: skip


def _around(frame: Frame, box: Box, covered: NDArray[np.uint8]) -> Frame:
    """The median of a ring round the box that no area covers."""
    rows, columns = covered.shape
    top, bottom = max(0, box.top - _RING), min(rows, box.bottom + _RING)
    left, right = max(0, box.left - _RING), min(columns, box.right + _RING)
    free = covered[top:bottom, left:right] == 0
    ring = frame[top:bottom, left:right][free]
    if not len(ring):
        ring = frame.reshape(-1, *frame.shape[2:])[:: max(1, frame.shape[1] // 7)]
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
