"""Find writing in pictures and hide what identifies: the extra `pixels`.

Importing this room is cheap; numpy, OpenCV and the models are loaded by the first picture. Where the
extra is not installed, `is_available` is False and the caller must refuse every object whose plan asks
for a look.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from collegium_deid.errors import DeidError, Rejected
from collegium_deid.pixels.result import Area, CleanedPixels

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from collegium_deid.engine.clean import Cleaned
    from collegium_deid.pixels.masks import Masks
    from collegium_deid.pixels.read import Reader
    from collegium_deid.pixels.series import SeriesLook
    from collegium_deid.rules.recipe import Recipe

__all__ = ["Area", "CleanedPixels", "clean_pixels", "compress", "is_available", "require", "series_pass"]

_NEEDED: Final = ("numpy", "cv2", "imagecodecs", "onnxruntime", "rapidocr_onnxruntime")


def is_available() -> bool:
    """True when everything the pixel step needs is installed; imports nothing."""
    return all(find_spec(name) is not None for name in _NEEDED)


def require() -> None:
    """Refuse when the extra is missing.

    Raises:
        Rejected: the object stays where it is until the extra is there.
    """
    if not is_available():
        raise Rejected(
            "deid.pixels.not_installed",
            "The recipe asks to look at pixels; install collegium-deid[pixels] on this machine.",
        )


def clean_pixels(  # noqa: PLR0913 - the last four are all optional helps
    data: bytes | memoryview,
    cleaned: Cleaned,
    *,
    recipe: Recipe,
    reader: Reader | None = None,
    masks: Masks | None = None,
    series: SeriesLook | None = None,
    places: Sequence[tuple[int, int, int, int]] = (),
) -> CleanedPixels:
    """Look at the pixels of one cleaned object as its plan says and hide what identifies.

    Args:
        data: the whole Part 10 input, after `prepare`.
        cleaned: what `clean_object` made of it.
        recipe: with a pixel policy.
        reader: the models to use; None takes this process's own.
        masks: learned and confirmed places of text, by device.
        series: what a look at the whole series found.
        places: left, top, right, bottom of what a person marked to be hidden on every frame, in pixels; they
            are hidden besides what is found, never instead of looking.

    Raises:
        Rejected: in doubt, a place lies outside the picture, or the extra is not installed; nothing may leave.
        DeidError: the recipe has no pixel policy.
    """
    require()
    from collegium_deid.pixels import pipeline  # noqa: PLC0415 - the heavy packages are loaded by the first picture

    try:
        return pipeline.clean_pixels(
            data, cleaned, recipe, pipeline.Aids(reader, masks, series, tuple(places))
        )
    except DeidError:
        raise
    except Exception as error:
        raise Rejected("deid.pixels.failed", "The pixels could not be looked at.") from error


def series_pass(files: Iterable[bytes | memoryview]) -> SeriesLook | None:
    """Look once at what stands still through a series; None when its slices do not fit together.

    `files`: whole Part 10 objects of one series, after `prepare`.

    Raises:
        Rejected: the extra is not installed, or a file cannot be read.
    """
    require()
    from collegium_deid.pixels import series  # noqa: PLC0415 - as above

    return series.series_pass(files)


def compress(head: bytes, pixels: Sequence[bytes | memoryview]) -> tuple[bytes, bytes] | None:
    """A cleaned object with its pixels losslessly compressed (HTJ2K): its header and its pixel element.

    Every frame is decoded again and compared. None where nothing is gained: pixels that are compressed
    already, colours, implicit headers, numbers that HTJ2K does not hold, and what would become larger.
    Memory bound: the pixels, and what becomes of them.
    """
    from collegium_deid.pixels.htj2k import compressed  # noqa: PLC0415 - loads the decoders

    return compressed(head, pixels)
