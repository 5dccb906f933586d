"""Lengths and diameters against hand calculations; DICOM PS3.3 C.7.6.2.1.1 gives the plane equation."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from collegium.imaging.marks.errors import (
    DiametersApart,
    DiametersNotPerpendicular,
    NoSpacing,
    OutsideImage,
    PointsDisagree,
)
from collegium.imaging.marks.geometry import Plane, diameters_mm, length_mm, plane_of, require_inside

D = Decimal


def points(*flat: str) -> list[Any]:  # Any: tuples of two or three
    size = len(flat) // 2
    return [tuple(map(D, flat[:size])), tuple(map(D, flat[size:]))]


OBLIQUE = Plane(
    row_mm=D("0.5"),
    column_mm=D("0.25"),
    position=(D(10), D(20), D(30)),
    along_row=(D(0), D(1), D(0)),
    along_column=(D(0), D(0), D(-1)),
)


def diameters(plane: Plane, *ends: tuple[str, str]) -> list[D]:
    """Measure two lines given by their ends in mm from the first pixel, along a row and along a column."""
    at = [(D(across), D(down)) for across, down in ends]
    zero = (D(0), D(0), D(0))
    position, row, column = (
        plane.position or zero,
        plane.along_row or (D(1), D(0), D(0)),
        plane.along_column or (D(0), D(1), D(0)),
    )
    in_patient: list[Any] = [
        tuple(position[axis] + row[axis] * x + column[axis] * y for axis in range(3)) for x, y in at
    ]
    return diameters_mm(plane, in_patient, [(x / plane.column_mm, y / plane.row_mm) for x, y in at])


@pytest.mark.parametrize("plane", [Plane(D(1), D(1)), Plane(D("0.7"), D("0.3")), OBLIQUE])
def test_the_diameters_of_an_ellipse_are_its_axes(plane: Plane) -> None:
    # Half axes of 15 and 10 mm, turned by atan(3/4) so that every end is exact: (4/5, 3/5) and (-3/5, 4/5).
    ends = ("38", "41"), ("62", "59"), ("56", "42"), ("44", "58")

    assert diameters(plane, *ends) == [D("30.00"), D("20.00")]


def test_a_right_angle_may_miss_by_two_degrees_and_no_more() -> None:
    # A short diameter of 20 mm that leans by d: tan(1.9 degrees) * 20 = 0.6635, tan(2.1 degrees) * 20 = 0.7334.
    plane = Plane(D(1), D(1))

    assert diameters(plane, ("0", "50"), ("40", "50"), ("20", "40"), ("20.6635", "60"))[1] == D("20.01")
    with pytest.raises(DiametersNotPerpendicular):
        diameters(plane, ("0", "50"), ("40", "50"), ("20", "40"), ("20.7334", "60"))


def test_the_right_angle_is_that_of_the_patient_and_not_of_the_pixels() -> None:
    # Pixels twice as high as wide: (10, 10) and (10, -10) cross at a right angle in pixels, in mm they do not.
    plane = Plane(row_mm=D(2), column_mm=D(1))

    with pytest.raises(DiametersNotPerpendicular):
        diameters(plane, ("0", "0"), ("10", "20"), ("0", "20"), ("10", "0"))


def test_diameters_that_touch_cross_and_those_apart_do_not() -> None:
    plane = Plane(D(1), D(1))
    long = ("10", "10"), ("40", "10")

    assert diameters(plane, *long, ("20", "10"), ("20", "30")) == [D(30), D(20)]
    assert diameters(plane, *long, ("40", "0"), ("40", "20")) == [D(30), D(20)]
    with pytest.raises(DiametersApart):
        diameters(plane, *long, ("20", "10.1"), ("20", "30"))
    with pytest.raises(DiametersApart):
        diameters(plane, *long, ("40.1", "0"), ("40.1", "20"))


def test_a_diameter_without_length_has_no_angle() -> None:
    with pytest.raises(DiametersNotPerpendicular):
        diameters(Plane(D(1), D(1)), ("10", "10"), ("40", "10"), ("20", "10"), ("20", "10"))


def test_each_diameter_must_lie_on_its_frame() -> None:
    along, across = (D(0), D(1), D(0)), (D(0), D(0), D(-1))
    ends: list[Any] = [(D(10), D(20) + x, D(30) - y) for x, y in ((0, 10), (30, 10), (15, 0), (15, 20))]
    pixels = [(D(x), D(y)) for x, y in ((0, 10), (30, 10), (15, 0), (15, 20))]
    plane = Plane(D(1), D(1), (D(10), D(20), D(30)), along, across)
    beside = [*ends[:2], *[(x + 1, y, z) for x, y, z in ends[2:]]]

    assert diameters_mm(plane, ends, pixels) == [D(30), D(20)]
    with pytest.raises(PointsDisagree):
        diameters_mm(plane, beside, pixels)


def test_a_point_may_stand_on_the_edge_of_the_frame_and_not_beyond() -> None:
    require_inside(10, 20, [(D("-0.5"), D("9.5")), (D("19.5"), D("-0.5"))])

    for beyond in ((D("-1.1"), D(0)), (D("20.1"), D(0)), (D(0), D("10.1")), (D(0), D("-1.1"))):
        with pytest.raises(OutsideImage):
            require_inside(10, 20, [(D(1), D(1)), beyond])


@pytest.mark.requirement("V05")
def test_three_four_five() -> None:
    plane = Plane(D(1), D(1))

    assert length_mm(plane, points("0", "0", "0", "3", "4", "0"), points("0", "0", "3", "4")) == D("5.00")


@pytest.mark.requirement("V05")
def test_rows_and_columns_have_their_own_spacing() -> None:
    # 10 columns of 0.5 mm and 10 rows of 2 mm: sqrt(25 + 400) = 20.6155 mm.
    plane = Plane(row_mm=D(2), column_mm=D("0.5"))

    assert length_mm(plane, points("0", "0", "0", "5", "20", "0"), points("0", "0", "10", "10")) == D("20.62")


def test_swapped_spacings_are_noticed() -> None:
    plane = Plane(row_mm=D("0.5"), column_mm=D(2))

    with pytest.raises(PointsDisagree):
        length_mm(plane, points("0", "0", "0", "0", "20", "0"), points("0", "0", "0", "10"))


@pytest.mark.requirement("V05")
def test_an_oblique_plane_is_followed_into_the_patient() -> None:
    # Rows along y, columns along -z, origin at (10, 20, 30); pixel (3, 4) of 1 mm lies at (10, 23, 26).
    plane = Plane(D(1), D(1), (D(10), D(20), D(30)), (D(0), D(1), D(0)), (D(0), D(0), D(-1)))

    assert length_mm(plane, points("10", "20", "30", "10", "23", "26"), points("0", "0", "3", "4")) == D(5)
    with pytest.raises(PointsDisagree):
        length_mm(plane, points("11", "20", "30", "11", "23", "26"), points("0", "0", "3", "4"))


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"00280030": {"vr": "DS"}},
        {"00280030": {"vr": "DS", "Value": [0, 1]}},
        {"00280030": {"vr": "DS", "Value": [-1, 1]}},
        {"00181164": {"vr": "DS", "Value": [0.1, 0.1]}},  # spacing at the detector is not in the patient
    ],
)
def test_without_spacing_in_the_patient_nothing_is_measured(attributes: dict[str, Any]) -> None:  # Any: JSON
    with pytest.raises(NoSpacing):
        plane_of(attributes, 1)


def test_spacing_of_an_enhanced_image_is_that_of_its_frame() -> None:
    def measures(spacing: float) -> dict[str, Any]:  # Any: JSON
        return {"00289110": {"vr": "SQ", "Value": [{"00280030": {"vr": "DS", "Value": [spacing, spacing]}}]}}

    attributes = {
        "52009229": {"vr": "SQ", "Value": [measures(9)]},
        "52009230": {"vr": "SQ", "Value": [measures(1), measures(2)]},
    }

    assert plane_of(attributes, 2).row_mm == 2
    assert plane_of({"52009229": attributes["52009229"]}, 5).row_mm == 9
