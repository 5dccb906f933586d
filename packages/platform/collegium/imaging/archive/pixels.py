"""The digest of what a picture shows, whatever its lossless syntax: only computed on a conflict."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, Any

import imagecodecs
import numpy as np
from pydicom import dcmread
from pydicom.encaps import generate_frames

from collegium.imaging.archive.errors import FramesUnreadable

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pydicom import Dataset

FLOAT_PIXELS = (0x7FE00008, 0x7FE00009)
_MOST_BYTES = 1 << 31
# What gateways write for slow lines; none of pydicom's own decoders reads it.
_HTJ2K = frozenset(f"1.2.840.10008.1.2.4.{number}" for number in (201, 202, 203))


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
            # Its header says all (`sameness`), but for pictures of floating point numbers.
            stored = [bytes(dataset[tag].value) for tag in FLOAT_PIXELS if tag in dataset]
            return "none:" + hashlib.sha256(b"".join(stored)).hexdigest()[:59]
        _require_decodable(dataset)
        pixels = _htj2k(dataset) if _syntax(dataset) in _HTJ2K else dataset.pixel_array
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


def _syntax(dataset: Dataset) -> str:
    return str(dataset.file_meta.TransferSyntaxUID)


def _htj2k(dataset: Dataset) -> NDArray[Any]:  # Any: the dtype is the file's
    """Decoded frames, in the shape that pydicom gives."""
    count = int(dataset.get("NumberOfFrames") or 1)
    frames = [
        imagecodecs.htj2k_decode(raw) for raw in generate_frames(dataset.PixelData, number_of_frames=count)
    ]
    if len(frames) != count or any(frame.shape[:2] != (dataset.Rows, dataset.Columns) for frame in frames):
        raise FramesUnreadable
    return frames[0] if count == 1 else np.stack(frames)
