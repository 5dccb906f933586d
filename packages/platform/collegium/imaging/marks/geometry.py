"""What a drawn measurement is worth: from patient coordinates, checked against the pixels, in Decimal.

No database. Source: DICOM PS3.3 C.7.6.2.1.1 (plane equation) and 10.7.1.3 (pixel spacing).
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from collegium.imaging.marks.errors import (
    DiametersApart,
    DiametersNotPerpendicular,
    NoSpacing,
    OutsideImage,
    PointsDisagree,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collegium.imaging.archive.document import Attributes, Json

_SPACING, _POSITION, _ORIENTATION = "00280030", "00200032", "00200037"
_SHARED, _PER_FRAME = "52009229", "52009230"
_MEASURES, _PLANE_POSITION, _PLANE_ORIENTATION = "00289110", "00209113", "00209116"
_STEP = Decimal("0.01")
"""Values are given in hundredths of a millimetre."""
_TOLERANCE_MM = Decimal("0.05")
_TOLERANCE_SHARE = Decimal("0.001")
_SINE_OF_2_DEGREES = Decimal("0.0348994967")
"""Two diameters may be this far from a right angle: the sine of the difference."""

Point3 = tuple[Decimal, Decimal, Decimal]
Point2 = tuple[Decimal, Decimal]


@dataclass(frozen=True, slots=True)
class Plane:
    """How the pixels of one frame lie in the patient. `row_mm` is between rows, `column_mm` between columns."""

    row_mm: Decimal
    column_mm: Decimal
    position: Point3 | None = None
    along_row: Point3 | None = None
    along_column: Point3 | None = None


def plane_of(attributes: Attributes, frame: int) -> Plane:
    """The plane of a frame (from 1).

    Raises:
        NoSpacing: the image has no pixel spacing in the patient.
    """
    spacing = _found(attributes, frame, _MEASURES, _SPACING)
    if len(spacing) != 2 or min(spacing) <= 0:
        raise NoSpacing
    position = _found(attributes, frame, _PLANE_POSITION, _POSITION)
    orientation = _found(attributes, frame, _PLANE_ORIENTATION, _ORIENTATION)
    if len(position) != 3 or len(orientation) != 6:
        return Plane(spacing[0], spacing[1])
    return Plane(
        spacing[0],
        spacing[1],
        (position[0], position[1], position[2]),
        (orientation[0], orientation[1], orientation[2]),
        (orientation[3], orientation[4], orientation[5]),
    )


def require_inside(rows: int, columns: int, image_points: Sequence[Point2]) -> None:
    """Refuse a point that lies more than half a pixel beyond the edge of the frame. Raises OutsideImage."""
    if not all(-1 <= column <= columns and -1 <= row <= rows for column, row in image_points):
        raise OutsideImage


def length_mm(plane: Plane, points: Sequence[Point3], image_points: Sequence[Point2]) -> Decimal:
    """The distance of two points in the patient, in mm to the hundredth.

    Args:
        plane: of the frame it was drawn on.
        points: x, y, z in mm (LPS).
        image_points: column, row in pixels, 0 at the centre of the first pixel.

    Raises:
        PointsDisagree: both descriptions do not mean the same place or length.
    """
    length = _distance(points[0], points[1])
    allowed = max(_TOLERANCE_MM, length * _TOLERANCE_SHARE)
    (column_0, row_0), (column_1, row_1) = image_points
    across = (column_1 - column_0) * plane.column_mm
    down = (row_1 - row_0) * plane.row_mm
    if abs((across * across + down * down).sqrt() - length) > allowed:
        raise PointsDisagree
    for point, image_point in zip(points, image_points, strict=True):
        place = _in_patient(plane, image_point)
        if place is not None and _distance(place, point) > max(
            allowed, min(plane.row_mm, plane.column_mm) / 2
        ):
            raise PointsDisagree
    return length.quantize(_STEP)


def diameters_mm(plane: Plane, points: Sequence[Point3], image_points: Sequence[Point2]) -> list[Decimal]:
    """Both diameters of a bidirectional measurement, in mm to the hundredth, as they were drawn.

    Args:
        plane: of the frame it was drawn on.
        points: both ends of one line, then both of the other; as for `length_mm`.
        image_points: the same four.

    Raises:
        PointsDisagree: a line is not on the frame where it says.
        DiametersNotPerpendicular: they are more than 2 degrees from a right angle, or one has no length.
        DiametersApart: they do not cross.
    """
    lines = [(points[at : at + 2], image_points[at : at + 2]) for at in (0, 2)]
    lengths = [length_mm(plane, *line) for line in lines]
    (a, b), (c, d) = ([_in_mm(plane, at) for at in line[1]] for line in lines)
    first, second = _minus(b, a), _minus(d, c)
    square = _dot(first, first) * _dot(second, second)
    if not square or _dot(first, second) ** 2 > square * _SINE_OF_2_DEGREES**2:
        raise DiametersNotPerpendicular
    # Where each line meets the other, as a share of its own length; lines that only touch do cross.
    across, between = _turned(first, second), _minus(c, a)
    for met, line in (
        (_turned(between, second) / across, first),
        (_turned(between, first) / across, second),
    ):
        slack = _TOLERANCE_MM / _dot(line, line).sqrt()
        if not -slack <= met <= 1 + slack:
            raise DiametersApart
    return lengths


def _in_mm(plane: Plane, at: Point2) -> Point2:
    return at[0] * plane.column_mm, at[1] * plane.row_mm


def _minus(a: Point2, b: Point2) -> Point2:
    return a[0] - b[0], a[1] - b[1]


def _dot(a: Point2, b: Point2) -> Decimal:
    return a[0] * b[0] + a[1] * b[1]


def _turned(a: Point2, b: Point2) -> Decimal:
    """The area between two directions; zero when they are parallel."""
    return a[0] * b[1] - a[1] * b[0]


def _in_patient(plane: Plane, at: Point2) -> Point3 | None:
    if plane.position is None or plane.along_row is None or plane.along_column is None:
        return None
    column, row = at[0] * plane.column_mm, at[1] * plane.row_mm
    x, y, z = (
        plane.position[axis] + plane.along_row[axis] * column + plane.along_column[axis] * row
        for axis in range(3)
    )
    return x, y, z


def _distance(a: Point3, b: Point3) -> Decimal:
    return sum(((p - q) * (p - q) for p, q in zip(a, b, strict=True)), Decimal(0)).sqrt()


def _found(attributes: Attributes, frame: int, group: str, name: str) -> list[Decimal]:
    """A value of the plane: of the image itself, else of its per-frame, else of its shared functional groups."""
    places: list[Attributes] = [attributes]
    per_frame = _values(attributes, _PER_FRAME)
    shared = _values(attributes, _SHARED)
    for item in [*per_frame[frame - 1 : frame], *shared[:1]]:
        places += _values(item, group)[:1]
    for place in places:
        values = [value for value in _values(place, name) if isinstance(value, int | float)]
        if values:
            # repr of a float is its shortest decimal, which is what the header said.
            return [Decimal(repr(value)) for value in values]
    return []


def _values(attributes: Attributes, name: str) -> list[Json]:
    return list(attributes.get(name, {}).get("Value") or [])
