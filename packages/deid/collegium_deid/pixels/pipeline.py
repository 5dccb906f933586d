"""The pixel step of one object, from the planned look to bytes that may be written.

Memory: the object, what is written anew of its frames (a gibibyte at most, `codec`), and one frame at a
time: up to 1.5 gigabytes where it has the 67 million pixels it may have (`layout`). What is larger is refused.
"""

from __future__ import annotations

import functools
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import cv2

from collegium_deid.engine.elements import parse_file
from collegium_deid.engine.passage import PixelPassage
from collegium_deid.engine.pixelplan import Look, PixelPlan, places_of_device
from collegium_deid.errors import DeidError, Rejected
from collegium_deid.pixels import frames, header, redact
from collegium_deid.pixels.codec import Codec
from collegium_deid.pixels.gate import Box
from collegium_deid.pixels.layout import layout_of
from collegium_deid.pixels.look import Found, Sight
from collegium_deid.pixels.read import Reader
from collegium_deid.pixels.region import regions_of
from collegium_deid.pixels.result import Area, CleanedPixels

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from collegium_deid.engine.clean import Cleaned
    from collegium_deid.pixels.layout import Layout
    from collegium_deid.pixels.masks import Masks
    from collegium_deid.pixels.series import SeriesLook
    from collegium_deid.rules.recipe import Recipe

    Frame = NDArray[Any]  # its dtype is the file's

_ROUNDS: Final = 3
# Of a picture whose header gives no reason to expect writing, more than this is never hidden.
_MAX_SHARE: Final = 0.25
_DEVICE: Final = "device"
_LOOKED: Final = PixelPlan(Look.NONE, "The pixels were looked at.")

cv2.setNumThreads(1)


class Aids(NamedTuple):
    """What may help: models of the caller's own, learned masks, a look at the whole series, a person's places."""

    reader: Reader | None = None
    masks: Masks | None = None
    series: SeriesLook | None = None
    places: tuple[tuple[int, int, int, int], ...] = ()


def clean_pixels(data: bytes | memoryview, cleaned: Cleaned, recipe: Recipe, aids: Aids) -> CleanedPixels:
    """See `collegium_deid.pixels.clean_pixels`."""
    began = time.perf_counter()
    view = memoryview(data)
    original = _passed(view, cleaned)
    if cleaned.plan.look is Look.NONE and not aids.places:
        return CleanedPixels(cleaned.head, original, (), time.perf_counter() - began, None, "untouched")
    if recipe.pixels is None:
        raise DeidError("deid.pixels.no_policy", "The recipe says nothing about pixels.")
    head = parse_file(bytes(view[: cleaned.pixel_start + 12]), complete=True)
    layout = layout_of(head)
    codec = Codec(layout, head, view)
    sight = Sight(
        reader=aids.reader or Reader(),
        layout=layout,
        photometric=codec.photometric,
        policy=recipe.pixels,
        tokens=cleaned.tokens,
        is_doubtful=cleaned.plan.look is Look.READ,
        regions=regions_of(head),
    )
    known = [] if aids.series is None else _of_series(sight, aids.series)
    mask = () if aids.masks is None or aids.masks.is_due(head) else aids.masks.confirmed(head)
    known += [Found(box, "mask") for box in mask]
    known += [Found(redact.paired(Box(*place), layout), _DEVICE) for place in places_of_device(head, recipe)]
    known += [Found(_place(place, layout), "person") for place in aids.places]
    found = frames.look(sight, codec, known, reads_always=sight.is_doubtful and not mask)
    reasons: dict[Box, str] = {line.box: line.reason for line in found if line.reason is not None}
    if not reasons and not layout.overlay_bits:
        code = "kept" if found else "no_text"
        declared = header.declared(cleaned.head, None)
        return CleanedPixels(declared, original, (), time.perf_counter() - began, None, code)
    areas = redact.merged([redact.grown(box, layout) if reasons[box] != _DEVICE else box for box in reasons])
    is_read = len(found) > len(known)
    areas = _all_areas(sight, codec, areas, is_read=is_read)
    written = codec.write(lambda frame: _filled(sight, frame, areas))
    return CleanedPixels(
        header.declared(cleaned.head, written),
        written.element,
        tuple(_area(box, reasons, layout.frames) for box in areas),
        time.perf_counter() - began,
        written.syntax,
        "redacted",
    )


def _place(place: tuple[int, int, int, int], layout: Layout) -> Box:
    left, top, right, bottom = place
    if not (0 <= left < right <= layout.columns and 0 <= top < bottom <= layout.rows):
        raise Rejected("deid.pixels.place", "A place to hide lies outside the picture.")
    return Box(left, top, right, bottom)


def _all_areas(sight: Sight, codec: Codec, areas: list[Box], *, is_read: bool) -> list[Box]:
    """The areas, and what is still seen when they are hidden.

    Raises:
        Rejected: writing that identifies is still there, or so much would go that it cannot be writing.
    """
    layout = sight.layout
    for _ in range(_ROUNDS):
        if (
            not sight.is_doubtful
            and sum(box.area for box in areas) > _MAX_SHARE * layout.rows * layout.columns
        ):
            raise Rejected("deid.pixels.doubt", "So much looks like writing that it may be anatomy.")
        filled = functools.partial(_filled_of, sight, codec, areas)
        left = frames.left_over(sight, filled, areas, reads_always=is_read)
        if not left:
            return areas
        areas = redact.merged([*areas, *(redact.grown(box, layout) for box in left)])
    raise Rejected("deid.pixels.left", "Writing that identifies is still seen after hiding it.")


def _of_series(sight: Sight, series: SeriesLook) -> list[Found]:
    """What stands still in the series this object belongs to."""
    if (series.rows, series.columns) != (sight.layout.rows, sight.layout.columns):
        return []
    judged = (sight.judge(seen) for seen in series.lines)
    return [found for found in judged if found is not None]


def _filled_of(sight: Sight, codec: Codec, areas: list[Box], number: int) -> Frame:
    return _filled(sight, codec.frame(number), areas)


def _filled(sight: Sight, frame: Frame, areas: list[Box]) -> Frame:
    layout = sight.layout
    if layout.overlay_bits:
        frame = redact.without_overlays(frame, layout)
    return redact.hidden(frame, areas, layout, sight.photometric, fill=sight.policy.fill)


def _passed(view: memoryview, cleaned: Cleaned) -> list[bytes | memoryview]:
    """The pixel element as it is, if it says nothing beside the picture: where it is changed, parts of it stay."""
    passage = PixelPassage(replace(cleaned, plan=_LOOKED))
    pixels = passage.feed(view[cleaned.pixel_start :])
    passage.finish()
    return pixels


def _area(box: Box, reasons: dict[Box, str], count: int) -> Area:
    inside = (reason for line, reason in reasons.items() if line.overlaps(box))
    width, height = box.right - box.left, box.bottom - box.top
    return Area(0, count - 1, box.left, box.top, width, height, next(inside, "left"))
