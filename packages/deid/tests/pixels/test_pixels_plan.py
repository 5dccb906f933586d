"""What the header alone says about how closely to look."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from collegium_deid import Recipe, Rejected, load_recipe, parse_file
from collegium_deid.engine.pixelplan import Look, pixel_plan
from collegium_deid.rules.pixels import PixelPolicy

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Draw, Make

CT = "1.2.840.10008.5.1.4.1.1.2"
SEGMENTATION = "1.2.840.10008.5.1.4.1.1.66.4"
CAPTURE = "1.2.840.10008.5.1.4.1.1.7"


@pytest.mark.parametrize(
    ("more", "look", "expected"),
    [
        ({"SOPClassUID": CT}, "all", Look.GATE),
        ({"SOPClassUID": CT}, "doubtful", Look.NONE),
        ({"SOPClassUID": CT, "BurnedInAnnotation": "YES"}, "doubtful", Look.READ),
        ({"SOPClassUID": CT, "BurnedInAnnotation": "NO"}, "all", Look.GATE),
        ({"SOPClassUID": CT, "ImageType": ["DERIVED", "SECONDARY", "SCREEN SAVE"]}, "all", Look.READ),
        ({"SOPClassUID": CT, "ConversionType": "WSD"}, "all", Look.READ),
        ({"SOPClassUID": CAPTURE}, "doubtful", Look.READ),
        ({}, "doubtful", Look.READ),
        ({"SOPClassUID": SEGMENTATION}, "all", Look.NONE),
    ],
)
def test_the_header_decides_how_closely_to_look(  # noqa: PLR0917 - fixtures and what is varied
    draw: Draw, make: Make, looking: Callable[..., Recipe], more: dict[str, Any], look: str, expected: Look
) -> None:
    head = parse_file(make(draw(), **more), complete=True)

    assert pixel_plan(head, looking(look=look)).look is expected


def test_video_is_refused_because_no_frame_of_it_can_be_changed(
    draw: Draw, make: Make, looking: Callable[..., Recipe]
) -> None:
    data = make(draw(), syntax="1.2.840.10008.1.2.4.102", frames=[b"\0\0"])

    with pytest.raises(Rejected) as error:
        pixel_plan(parse_file(data, complete=True), looking())

    assert error.value.code == "deid.pixels"


def test_without_a_pixel_policy_everything_doubtful_is_refused(draw: Draw, make: Make) -> None:
    recipe = replace(load_recipe("trial"), pixels=None)

    with pytest.raises(Rejected):
        pixel_plan(parse_file(make(draw(), BurnedInAnnotation="YES"), complete=True), recipe)

    plain = pixel_plan(parse_file(make(draw(), SOPClassUID=CT), complete=True), recipe)
    assert plain.look is Look.NONE


def test_the_policy_is_one_of_three() -> None:
    assert PixelPolicy("whitelist").look == "doubtful"
