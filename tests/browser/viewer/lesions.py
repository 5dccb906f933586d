"""An elliptic lesion whose diameters are known exactly, painted into a phantom's slice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from collegium_testkit.ellipses import Ellipse

if TYPE_CHECKING:
    from pydicom.dataset import FileDataset

LESION_HU = 115
_ALONG = (0.8, 0.6)
"""Direction of the long axis: a 3-4-5 triangle, so that the ends have short decimals."""


@dataclass(frozen=True)
class Lesion:
    """On one slice; centre and half axes in patient mm."""

    slice_index: int
    centre: tuple[float, float]
    half_axes_mm: tuple[float, float]

    def paint(self, dataset: FileDataset) -> None:
        """Draw the lesion if this is its slice."""
        if dataset.InstanceNumber != self.slice_index + 1:
            return
        first_x, first_y, _ = (float(value) for value in dataset.ImagePositionPatient)
        between_rows, between_columns = (float(value) for value in dataset.PixelSpacing)
        rows, columns = np.mgrid[0 : dataset.Rows, 0 : dataset.Columns]
        pixels = dataset.pixel_array.copy()
        inside = self._ellipse.holds(first_x + columns * between_columns, first_y + rows * between_rows)
        pixels[inside] += LESION_HU - 65
        dataset.PixelData = pixels.astype("<i2").tobytes()

    def long(self, z: float) -> list[list[float]]:
        """The ends of the long axis, patient mm."""
        return [list(end) for end in self._ellipse.long_axis(z)]

    def short(self, z: float) -> list[list[float]]:
        return [list(end) for end in self._ellipse.short_axis(z)]

    @property
    def _ellipse(self) -> Ellipse:
        return Ellipse(self.centre, self.half_axes_mm, _ALONG)
