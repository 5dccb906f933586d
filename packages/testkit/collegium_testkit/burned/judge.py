"""Say of an output how much of each line is gone, by comparing pixels; no reading, no model.

A pixel of ink is hidden when the picture changed there and it no longer stands out from what surrounds it in the output
by more than half of what it did in the input. A line on several frames is as hidden as on its worst.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

import cv2
import numpy as np
import numpy.typing as npt
from pydicom import dcmread

from collegium_testkit.burned.encode import pixels_of

if TYPE_CHECKING:
    from collegium_testkit.burned.scene import Line, Scene

ENOUGH: Final = 0.9
"""Share of a line's ink that must be hidden, or left, to count."""

Shown = npt.NDArray[np.float32]


def hidden(scene: Scene, output: bytes) -> tuple[float, ...]:
    """For each identifying line the share of its ink that is gone from a Part 10 file, 0 to 1."""
    before, after = _shown(scene.data), _shown(output)
    return tuple(_gone(line, before, after) for line in scene.identifying)


def kept(scene: Scene, output: bytes) -> tuple[float, ...]:
    """For each diagnostic line the share of its ink that is still there, 0 to 1."""
    before, after = _shown(scene.data), _shown(output)
    return tuple(1 - _gone(line, before, after) for line in scene.diagnostic)


def is_untouched(scene: Scene, output: bytes) -> bool:
    """Whether every stored value is as it was."""
    return bool(np.array_equal(pixels_of(scene.data), pixels_of(output)))


def _shown(data: bytes) -> Shown:
    """(frame, row, column, channel): stored values, through the palette where there is one."""
    values = pixels_of(data)
    ds = dcmread(io.BytesIO(data), stop_before_pixels=True)
    if ds.PhotometricInterpretation == "PALETTE COLOR":
        tables = [
            np.frombuffer(ds[f"{name}PaletteColorLookupTableData"].value, "<u2")
            for name in ("Red", "Green", "Blue")
        ]
        values = np.stack([table[values] for table in tables], -1)
    shown = values.astype(np.float32)
    return shown if shown.ndim == 4 else shown[..., None]


def _gone(line: Line, before: Shown, after: Shown) -> float:
    """The smallest share over the frames that show the line."""
    return min(_gone_in_frame(line, before[frame], after[frame]) for frame in line.frames)


def _gone_in_frame(line: Line, before: Shown, after: Shown) -> float:
    box, reach = line.box, max(3, line.height // 2)
    # Only the paper inside the box: around a filled box everything differs from the fill.
    part = (slice(box.top, box.bottom), slice(box.left, box.right))
    ink = line.ink
    stood, stands = _stand_out(before[part], ink, reach), _stand_out(after[part], ink, reach)
    channel = int(np.abs(stood[ink]).mean(0).argmax())
    was, is_now = stood[..., channel][ink], stands[..., channel][ink]
    # The sign and the size of the whole line: single pixels over noise say little.
    usual = float(np.median(was))
    differs = (before[part] != after[part]).any(-1).astype(np.float32)
    # Around it, not itself: a fill may have the colour of the ink.
    changed = cv2.blur(differs, (2 * reach + 1, 2 * reach + 1))[ink] > 0.2
    gone = changed & (np.sign(usual) * is_now <= 0.5 * abs(usual))
    return float(gone.mean())


def _stand_out(values: Shown, ink: npt.NDArray[np.bool_], reach: int) -> Shown:
    """Each pixel minus the mean of what is not ink within `reach` pixels."""
    size = (2 * reach + 1, 2 * reach + 1)
    paper = cv2.dilate(ink.astype(np.uint8), np.ones((3, 3), np.uint8)) == 0
    if not paper.any():
        paper = ~ink
    share = cv2.blur(paper.astype(np.float32), size, borderType=cv2.BORDER_CONSTANT)
    result = np.empty_like(values)
    for channel in range(values.shape[2]):
        plane = np.ascontiguousarray(values[..., channel])
        mean = cv2.blur(plane * paper, size, borderType=cv2.BORDER_CONSTANT) / np.maximum(share, 1e-6)
        # Inside fat letters there may be no paper within reach.
        result[..., channel] = plane - np.where(share > 1e-4, mean, plane[paper].mean())
    return result
