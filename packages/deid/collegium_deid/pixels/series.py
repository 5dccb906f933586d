"""One look at a whole series: what stands still from slice to slice is writing, anatomy is not.

The median over a spread of slices keeps a text that is on most of them and blurs the rest, so it is
found once and hidden on every slice; each slice is then only looked at by the gate.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from collegium_deid.engine.elements import parse_file
from collegium_deid.errors import DeidError
from collegium_deid.pixels.codec import Codec
from collegium_deid.pixels.layout import layout_of
from collegium_deid.pixels.look import Seen, chains_of, lines_on
from collegium_deid.pixels.picture import pictures_of
from collegium_deid.pixels.read import Reader

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

_SLICES: Final = 24
_FEWEST: Final = 5


@dataclass(frozen=True)
class SeriesLook:
    """What stands still in a series; the readings are for this process only."""

    rows: int
    columns: int
    lines: tuple[Seen, ...] = field(repr=False)


def series_pass(files: Iterable[bytes | memoryview], reader: Reader | None = None) -> SeriesLook | None:
    """See `collegium_deid.pixels.series_pass`."""
    chosen = _spread(list(files))
    pictures: list[NDArray[np.uint8]] = []
    for data in chosen:
        picture = _picture(data)
        if picture is not None and (not pictures or picture.shape == pictures[0].shape):
            pictures.append(picture)
    if len(pictures) < _FEWEST:
        return None
    still = np.median(np.stack(pictures), axis=0).astype(np.uint8)
    chains = chains_of([still])
    if not chains:
        return SeriesLook(still.shape[0], still.shape[1], ())
    return SeriesLook(still.shape[0], still.shape[1], tuple(lines_on([still], chains, reader or Reader())))


def _spread(files: list[bytes | memoryview]) -> list[bytes | memoryview]:
    step = max(1, len(files) // _SLICES)
    return files[::step][:_SLICES]


def _picture(data: bytes | memoryview) -> NDArray[np.uint8] | None:
    """The first frame to look at; None for an object without a picture."""
    try:
        head = parse_file(bytes(data), complete=True)
        if head.pixel_start is None:
            return None
        layout = layout_of(head)
        codec = Codec(layout, head, memoryview(data))
        return pictures_of(codec.frame(0), layout, codec.photometric)[0]
    except DeidError:
        # The object itself is refused when its turn comes.
        return None
