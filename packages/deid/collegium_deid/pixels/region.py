"""Where an ultrasound picture is image and where it is writing: its regions (PS3.3 section C.8.5.5)."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

from pydicom import dcmread

from collegium_deid.pixels.gate import Box

if TYPE_CHECKING:
    from collegium_deid.engine.elements import FileHead

_REGIONS: Final = 0x00186011


def regions_of(head: FileHead) -> list[Box]:
    """The regions with image data; empty where the header names none or names them wrongly."""
    if _REGIONS not in head.elements:
        return []
    try:
        dataset = dcmread(
            io.BytesIO(head.buf[: head.pixel_start]), specific_tags=[_REGIONS], stop_before_pixels=True
        )
        return [
            Box(
                int(item.RegionLocationMinX0), int(item.RegionLocationMinY0),
                int(item.RegionLocationMaxX1) + 1, int(item.RegionLocationMaxY1) + 1,
            )
            for item in dataset[_REGIONS].value
        ]  # fmt: skip
    except (AttributeError, KeyError, TypeError, ValueError, OSError):
        return []


def is_outside(box: Box, regions: list[Box]) -> bool:
    """True when there are regions and the box touches none of them."""
    return bool(regions) and not any(box.overlaps(region) for region in regions)
