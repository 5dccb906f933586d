"""Lengths against hand calculations; DICOM PS3.3 C.7.6.2.1.1 gives the plane equation."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from collegium.imaging.marks.errors import NoSpacing, PointsDisagree
from collegium.imaging.marks.geometry import Plane, length_mm, plane_of

D = Decimal


def points(*flat: str) -> list[Any]:  # Any: tuples of two or three
    size = len(flat) // 2
    return [tuple(map(D, flat[:size])), tuple(map(D, flat[size:]))]


def test_three_four_five() -> None:
    plane = Plane(D(1), D(1))

    assert length_mm(plane, points("0", "0", "0", "3", "4", "0"), points("0", "0", "3", "4")) == D("5.00")


def test_rows_and_columns_have_their_own_spacing() -> None:
    # 10 columns of 0.5 mm and 10 rows of 2 mm: sqrt(25 + 400) = 20.6155 mm.
    plane = Plane(row_mm=D(2), column_mm=D("0.5"))

    assert length_mm(plane, points("0", "0", "0", "5", "20", "0"), points("0", "0", "10", "10")) == D("20.62")


def test_swapped_spacings_are_noticed() -> None:
    plane = Plane(row_mm=D("0.5"), column_mm=D(2))

    with pytest.raises(PointsDisagree):
        length_mm(plane, points("0", "0", "0", "0", "20", "0"), points("0", "0", "0", "10"))


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
