"""See that every codec works on this machine: each writes one invented frame and reads it back."""

from __future__ import annotations

from typing import Final

import numpy as np

from collegium_deid.errors import Rejected
from collegium_deid.pixels import codec
from collegium_deid.pixels.layout import Layout

# RLE, JPEG lossless, JPEG-LS, JPEG 2000, HTJ2K: with these work the lossy ones of the same libraries.
_SYNTAXES: Final = tuple(f"1.2.840.10008.1.2.{end}" for end in ("5", "4.70", "4.80", "4.90", "4.201"))
_SIZE: Final = 32


def try_codecs() -> None:
    """Write and read a grey frame in each syntax, and a coloured one.

    Raises:
        Rejected: a codec is missing or does not give back what it was given.
    """
    grey = (np.arange(_SIZE * _SIZE, dtype=np.uint16) % 4096).reshape(_SIZE, _SIZE)
    colours = np.stack([grey % 256, grey % 251, grey % 13], axis=-1).astype(np.uint8)
    for syntax in _SYNTAXES:
        for frame in (grey, colours):
            layout = _layout(syntax, frame)
            try:
                raw = codec.encoded(layout, np.ascontiguousarray(frame))
                is_same = np.array_equal(codec.decoder(layout)(raw), frame)
            except (ImportError, RuntimeError, ValueError, TypeError) as error:
                raise Rejected("deid.pixels.codec", f"The codec of {syntax} does not work.") from error
            if not is_same:
                raise Rejected("deid.pixels.codec", f"The codec of {syntax} changes pictures.")


def _layout(syntax: str, frame: codec.Frame) -> Layout:
    samples = 1 if frame.ndim == 2 else 3
    bits = 12 if samples == 1 else 8
    return Layout(
        syntax=syntax, rows=_SIZE, columns=_SIZE, frames=1, samples=samples,
        photometric="MONOCHROME2" if samples == 1 else "RGB", planar=False, allocated=8 * frame.itemsize,
        stored=bits, high_bit=bits - 1, signed=False, padding=None, palette=None, palette_first=0,
        overlay_bits=0,
    )  # fmt: skip
