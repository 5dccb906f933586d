"""An ellipse in an axial plane of the patient: the lesion whose diameters are known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Point = tuple[float, float, float]


@dataclass(frozen=True)
class Ellipse:
    """Centre and half axes in patient mm (LPS), in an image with cosines 1,0,0 / 0,1,0."""

    centre: tuple[float, float]
    half_axes_mm: tuple[float, float]
    along: tuple[float, float] = (1.0, 0.0)
    """Direction of the long axis, a unit vector (x, y)."""

    def holds(self, x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
        """Which of these points, in patient mm, lie in the ellipse."""
        right, down = x - self.centre[0], y - self.centre[1]
        along = right * self.along[0] + down * self.along[1]
        across = down * self.along[0] - right * self.along[1]
        long, short = self.half_axes_mm
        return np.asarray((along / long) ** 2 + (across / short) ** 2 <= 1.0)

    def long_axis(self, z: float) -> tuple[Point, Point]:
        """Its ends, patient mm."""
        return self._ends(self.half_axes_mm[0], self.along, z)

    def short_axis(self, z: float) -> tuple[Point, Point]:
        return self._ends(self.half_axes_mm[1], (-self.along[1], self.along[0]), z)

    def _ends(self, half: float, way: tuple[float, float], z: float) -> tuple[Point, Point]:
        x, y = self.centre
        return (x - half * way[0], y - half * way[1], z), (x + half * way[0], y + half * way[1], z)
