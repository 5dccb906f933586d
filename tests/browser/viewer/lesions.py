"""An elliptic lesion whose diameters are known exactly, painted into a phantom's slice."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pydicom.dataset import FileDataset

LESION_HU = 115
_ALONG = (0.8, 0.6)
"""Direction of the long axis (column, row): a 3-4-5 triangle, so that the ends have short decimals."""


@dataclass(frozen=True)
class Ellipse:
    """Centre and half axes in patient mm, in an axial image with cosines 1,0,0 / 0,1,0."""

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
        x = first_x + columns * between_columns - self.centre[0]
        y = first_y + rows * between_rows - self.centre[1]
        along, across = x * _ALONG[0] + y * _ALONG[1], -x * _ALONG[1] + y * _ALONG[0]
        long, short = self.half_axes_mm
        pixels = dataset.pixel_array.copy()
        pixels[(along / long) ** 2 + (across / short) ** 2 <= 1] += LESION_HU - 65
        dataset.PixelData = pixels.astype("<i2").tobytes()

    def long(self, z: float) -> list[list[float]]:
        """The ends of the long axis, patient mm."""
        return self._ends(self.half_axes_mm[0], _ALONG, z)

    def short(self, z: float) -> list[list[float]]:
        return self._ends(self.half_axes_mm[1], (-_ALONG[1], _ALONG[0]), z)

    def _ends(self, half: float, way: tuple[float, float], z: float) -> list[list[float]]:
        x, y = self.centre
        return [[x + side * half * way[0], y + side * half * way[1], z] for side in (-1, 1)]
