"""The digest of what a picture shows, whatever its lossless syntax: only computed on a conflict."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING

import numpy as np
from pydicom import dcmread

from collegium.imaging.archive.errors import FramesUnreadable

if TYPE_CHECKING:
    from pydicom import Dataset

_MOST_BYTES = 1 << 31


def pixel_digest(content: bytes | memoryview) -> str:
    """SHA-256 over the decoded stored values (and their shape) of a whole object.

    Memory: the object and its decoded pixels.

    Raises:
        FramesUnreadable: the pixels cannot be decoded here.
    """
    raw = bytes(content)
    try:
        dataset = dcmread(io.BytesIO(raw))
        if "PixelData" not in dataset:
            return "none:" + hashlib.sha256(raw).hexdigest()[:59]
        _require_decodable(dataset)
        pixels = dataset.pixel_array
    except FramesUnreadable:
        raise
    except Exception as error:  # decoders raise whatever they like; all of it means the same
        raise FramesUnreadable from error
    # Signed and unsigned of any width become one form, so that equal values are equal bytes.
    wide = np.ascontiguousarray(pixels.astype("<i8"))
    return hashlib.sha256(repr(wide.shape).encode() + wide.tobytes()).hexdigest()


def _require_decodable(dataset: Dataset) -> None:
    """Refuse what would not fit into memory, before a decoder is asked."""
    size = int(dataset.Rows) * int(dataset.Columns) * int(dataset.get("NumberOfFrames") or 1)
    if size * int(dataset.get("SamplesPerPixel") or 1) * 8 > _MOST_BYTES:
        raise FramesUnreadable
