"""Write the pixels of a cleaned object anew, losslessly compressed: HTJ2K, for lines that are slow.

The header keeps everything but how the pixels are stored. Nothing here looks at the picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import imagecodecs
import numpy as np

from collegium_deid.engine.elements import EXPLICIT_LITTLE_ENDIAN, parse_file
from collegium_deid.errors import Rejected
from collegium_deid.pixels import fragments, header
from collegium_deid.pixels.codec import Codec
from collegium_deid.pixels.layout import layout_of

if TYPE_CHECKING:
    from collections.abc import Sequence

HTJ2K_LOSSLESS: Final = "1.2.840.10008.1.2.4.201"
_PIXEL_DATA: Final = b"\xe0\x7f\x10\x00"
# The smallest picture for which five decompositions and a header pay.
_MIN_SIDE: Final = 32


def compressed(head: bytes, pixels: Sequence[bytes | memoryview]) -> tuple[bytes, bytes] | None:
    """See `collegium_deid.pixels.compress`."""
    value = b"".join(pixels)
    codec = _codec(head, value)
    frames = None if codec is None else _frames(codec)
    if frames is None:
        return None
    element = fragments.element_of(frames)
    if len(element) >= len(value):
        return None
    return header.with_syntax(head, HTJ2K_LOSSLESS), element


def _codec(head: bytes, value: bytes) -> Codec | None:
    """A reader of the frames, if they are of a kind that is compressed here."""
    data = memoryview(head + value)
    parsed = parse_file(bytes(data[: len(head) + 12]), complete=True)
    is_native = parsed.transfer_syntax_uid == EXPLICIT_LITTLE_ENDIAN and parsed.pixel_start == len(head)
    if not is_native or not value.startswith(_PIXEL_DATA):  # floats have another tag
        return None
    try:
        layout = layout_of(parsed)
        codec = Codec(layout, parsed, data)
    except Rejected:
        return None
    return codec if layout.samples == 1 and min(layout.rows, layout.columns) >= _MIN_SIDE else None


def _frames(codec: Codec) -> list[bytes] | None:
    frames = []
    for number in range(codec.layout.frames):
        frame = np.ascontiguousarray(codec.frame(number))
        raw = bytes(imagecodecs.htj2k_encode(frame, reversible=True))
        if not np.array_equal(imagecodecs.htj2k_decode(raw), frame):
            return None
        frames.append(raw)
    return frames
