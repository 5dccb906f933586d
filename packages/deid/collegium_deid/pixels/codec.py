"""Frames as arrays, and arrays as frames of the same transfer syntax.

A frame is (row, column) or (row, column, sample) of stored values, colours as the decoder leaves them
(`Codec.photometric`). Lossless syntaxes are written again as they were; lossy ones cannot be without
losing once more, so they are written uncompressed. Every encoded frame is decoded again and compared.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import imagecodecs
import numpy as np

from collegium_deid.engine import frametalk
from collegium_deid.engine.elements import EXPLICIT_LITTLE_ENDIAN
from collegium_deid.errors import Rejected
from collegium_deid.pixels import fragments

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from collegium_deid.engine.elements import FileHead
    from collegium_deid.pixels.layout import Layout

    Frame = NDArray[Any]  # its dtype is the file's

_NATIVE: Final = frozenset({"1.2.840.10008.1.2", EXPLICIT_LITTLE_ENDIAN})
_RLE: Final = "1.2.840.10008.1.2.5"
_JPEG: Final = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (50, 51, 57, 70))
_JPEG_LS: Final = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (80, 81))
_JPEG_2000: Final = frozenset(f"1.2.840.10008.1.2.4.{n}" for n in (90, 91))
_LOSSLESS: Final = frozenset({_RLE, *(f"1.2.840.10008.1.2.4.{n}" for n in (57, 70, 80, 90, 201, 202))})
# Of all frames uncompressed, where they are written anew.
_MAX_BYTES: Final = 1 << 30
# (0028,2114), defined terms of PS3.3 section C.7.6.1.1.5.2.
_METHODS: Final = {
    "1.2.840.10008.1.2.4.50": "ISO_10918_1",
    "1.2.840.10008.1.2.4.51": "ISO_10918_1",
    "1.2.840.10008.1.2.4.81": "ISO_14495_1",
    "1.2.840.10008.1.2.4.91": "ISO_15444_1",
    "1.2.840.10008.1.2.4.203": "ISO_15444_15",
}


class Written(NamedTuple):
    """A new pixel element and what the header must say about it; None where nothing changes."""

    element: list[bytes | memoryview]
    syntax: str | None
    photometric: str | None
    lossy_method: str | None
    ratio: float


class Codec:
    """The pixel data of one object; frames are decoded when they are asked for."""

    def __init__(self, layout: Layout, head: FileHead, data: memoryview) -> None:
        assert head.pixel_start is not None
        self.layout, self._head = layout, head
        self.is_native = layout.syntax in _NATIVE
        # Explicit pixel data has a head of 12 bytes (OB and OW), implicit of 8.
        self._value = data[head.pixel_start + (12 if head.explicit else 8) :]
        self._frames: list[bytes] = []
        if self.is_native:
            if len(self._value) < layout.frame_bytes * layout.frames:
                raise Rejected("deid.truncated", "The pixel data is shorter than its frames.")
        else:
            self._frames = fragments.frames_of(self._value, layout.frames, head)
            if layout.syntax in frametalk.SYNTAXES and any(map(frametalk.goes_on, self._frames)):
                raise Rejected(
                    "deid.pixels_say_more", "There is more behind a frame than the header tells of."
                )
        converts = not self.is_native and layout.syntax != _RLE and layout.samples == 3
        is_jpeg_ls = layout.syntax in _JPEG_LS
        self.photometric = "RGB" if converts and not is_jpeg_ls else layout.photometric
        """Of the arrays: JPEG and JPEG 2000 decoders turn YBR into RGB."""

    def frame(self, number: int) -> Frame:
        """Stored values of one frame, counted from 0; not writable.

        Raises:
            Rejected: it cannot be decoded.
        """
        if self.is_native:
            return self._native(number)
        return self._decoded(self._frames[number])

    def write(self, change: Callable[[Frame], Frame]) -> Written:
        """The pixel element with every frame changed; one uncompressed frame at a time beside what is written.

        Raises:
            Rejected: it would be too long, or a frame does not survive being compressed again.
        """
        layout = self.layout
        if layout.frame_bytes * layout.frames > _MAX_BYTES:
            raise Rejected("deid.pixels.too_large", "The frames to write anew are more than 1 GiB together.")
        frames = (change(self.frame(number)) for number in range(layout.frames))
        if self.is_native:
            return Written(self._native_element(map(self._as_stored, frames)), None, None, None, 1.0)
        if layout.syntax in _LOSSLESS:
            compressed = [self._encoded(frame) for frame in frames]
            element: list[bytes | memoryview] = [fragments.element_of(compressed)]
            return Written(element, None, self._rewritten_photometric(), None, 1.0)
        element = self._native_element(np.ascontiguousarray(frame).tobytes() for frame in frames)
        ratio = layout.frame_bytes * layout.frames / max(1, sum(map(len, self._frames)))
        return Written(element, EXPLICIT_LITTLE_ENDIAN, self.photometric, _METHODS[layout.syntax], ratio)

    def _native_element(self, frames: Iterable[bytes]) -> list[bytes | memoryview]:
        explicit = self._head.explicit or not self.is_native
        pieces = list(frames)
        size = sum(map(len, pieces))
        return [
            _native_head(size + (size & 1), self.layout.allocated, explicit=explicit),
            *pieces,
            b"\0" * (size & 1),
        ]

    def _as_stored(self, frame: Frame) -> bytes:
        layout = self.layout
        if layout.is_subsampled:
            frame = _gathered(frame)
        elif layout.planar:
            frame = frame.transpose(2, 0, 1)
        return np.ascontiguousarray(frame).tobytes()

    def _native(self, number: int) -> Frame:
        layout = self.layout
        size = layout.frame_bytes
        raw = np.frombuffer(self._value[number * size : (number + 1) * size], layout.dtype)
        if layout.is_subsampled:
            return _spread(raw.reshape(layout.rows, layout.columns // 2, 4))
        if layout.samples == 1:
            return raw.reshape(layout.rows, layout.columns)
        if layout.planar:
            return raw.reshape(layout.samples, layout.rows, layout.columns).transpose(1, 2, 0)
        return raw.reshape(layout.rows, layout.columns, layout.samples)

    def _decoded(self, raw: bytes) -> Frame:
        layout = self.layout
        try:
            frame = np.asarray(decoder(layout)(raw))
        except (RuntimeError, ValueError, TypeError, IndexError) as error:
            raise Rejected("deid.pixels.codec", "A compressed frame cannot be decoded.") from error
        wanted = (layout.rows, layout.columns, layout.samples)[: 2 + (layout.samples > 1)]
        if frame.shape != wanted or frame.dtype.kind not in "iu":
            raise Rejected("deid.pixels.codec", "A compressed frame is not what the header says.")
        if frame.dtype.itemsize * 8 != layout.allocated:
            frame = frame.astype(f"<{frame.dtype.kind}{layout.allocated // 8}")
        return frame.view(layout.dtype)

    def _encoded(self, frame: Frame) -> bytes:
        frame = np.ascontiguousarray(frame)
        try:
            raw = bytes(encoded(self.layout, frame))
        except (RuntimeError, ValueError, TypeError) as error:
            raise Rejected("deid.pixels.codec", "A frame cannot be compressed again.") from error
        if not np.array_equal(self._decoded(raw), frame):
            raise Rejected("deid.pixels.codec", "A frame does not survive being compressed again.")
        return raw

    def _rewritten_photometric(self) -> str | None:
        """JPEG lossless and JPEG-LS are written as the decoder left the colours."""
        if self.layout.photometric in {self.photometric, "YBR_RCT"}:
            return None
        return self.photometric


def decoder(layout: Layout) -> Callable[[bytes], Frame]:
    """What reads one compressed frame of this layout."""
    if layout.syntax == _RLE:
        return lambda raw: _unpacked_rle(layout, raw)
    if layout.syntax in _JPEG:
        return lambda raw: _decoded_jpeg(layout, raw)
    if layout.syntax in _JPEG_LS:
        chosen = imagecodecs.jpegls_decode
    else:
        chosen = imagecodecs.jpeg2k_decode if layout.syntax in _JPEG_2000 else imagecodecs.htj2k_decode
    return lambda raw: np.asarray(chosen(raw))


def _decoded_jpeg(layout: Layout, raw: bytes) -> Frame:
    # Without Adobe's mark three colours are taken for YCbCr; the header knows better (PS3.5 section 8.2.1).
    if layout.samples == 3 and layout.photometric == "RGB" and b"Adobe" not in raw[:512]:
        return np.asarray(imagecodecs.jpeg8_decode(raw, colorspace="RGB", outcolorspace="RGB"))
    return np.asarray(imagecodecs.jpeg8_decode(raw))


def _unpacked_rle(layout: Layout, raw: bytes) -> Frame:
    """One segment a byte of a sample, most significant first (PS3.5 annex G)."""
    planes = imagecodecs.dicomrle_decode(raw, dtype=np.dtype(layout.dtype).newbyteorder("<"))
    frame = np.frombuffer(planes, layout.dtype)
    if layout.samples == 1:
        return frame.reshape(layout.rows, layout.columns)
    return frame.reshape(layout.samples, layout.rows, layout.columns).transpose(1, 2, 0)


def encoded(layout: Layout, frame: Frame) -> bytes:
    """One frame, compressed without loss in the layout's syntax."""
    unsigned = frame.view(f"<u{layout.allocated // 8}")
    if layout.syntax == _RLE:
        return _packed_rle(unsigned if layout.samples > 1 else unsigned[..., np.newaxis])
    if layout.syntax in _JPEG_LS:
        return bytes(imagecodecs.jpegls_encode(unsigned, level=0, out=2 * unsigned.nbytes + 4096))
    if layout.syntax in _JPEG:
        if layout.samples == 1:
            return bytes(imagecodecs.ljpeg_encode(unsigned, bitspersample=layout.stored))
        return bytes(imagecodecs.jpeg8_encode(unsigned, lossless=True, predictor=1, colorspace="RGB"))
    if layout.syntax in _JPEG_2000:
        return bytes(
            imagecodecs.jpeg2k_encode(
                frame, level=0, reversible=True, codecformat="j2k",
                bitspersample=layout.stored, mct=layout.photometric == "YBR_RCT",
            )
        )  # fmt: skip
    return bytes(imagecodecs.htj2k_encode(frame, reversible=True))


def _packed_rle(frame: Frame) -> bytes:
    """The reverse of `_unpacked_rle`; each row is packed by itself."""
    size = frame.dtype.itemsize
    segments = []
    for sample in range(frame.shape[2]):
        parts = np.ascontiguousarray(frame[..., sample]).view(np.uint8).reshape(*frame.shape[:2], size)
        for byte in reversed(range(size)):
            plane = np.ascontiguousarray(parts[..., byte])
            packed = b"".join(bytes(imagecodecs.packbits_encode(row)) for row in plane)
            segments.append(packed + b"\0" * (len(packed) & 1))
    starts = [64 + sum(map(len, segments[:n])) for n in range(len(segments))]
    head = struct.pack("<16I", len(segments), *starts, *[0] * (15 - len(segments)))
    return head + b"".join(segments)


def _spread(pairs: Frame) -> Frame:
    """Y1 Y2 Cb Cr to one (Y, Cb, Cr) a pixel."""
    rows, half, _ = pairs.shape
    out = np.empty((rows, half * 2, 3), pairs.dtype)
    out[:, 0::2, 0], out[:, 1::2, 0] = pairs[..., 0], pairs[..., 1]
    out[..., 1:] = np.repeat(pairs[..., 2:], 2, axis=1)
    return out


def _gathered(frame: Frame) -> Frame:
    """The reverse of `_spread`; exact while both pixels of a pair have one colour."""
    return np.stack((frame[:, 0::2, 0], frame[:, 1::2, 0], frame[:, 0::2, 1], frame[:, 0::2, 2]), axis=-1)


def _native_head(size: int, allocated: int, *, explicit: bool) -> bytes:
    vr = (b"OB" if allocated == 8 else b"OW") + b"\0\0" if explicit else b""
    return b"\xe0\x7f\x10\x00" + vr + size.to_bytes(4, "little")
