"""Stored values to the bytes of a transfer syntax and back, with codecs that share nothing with ours."""

from __future__ import annotations

import io
from typing import Any, Final

import imagecodecs
import numpy as np
import numpy.typing as npt
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate, generate_frames
from pydicom.uid import (
    HTJ2KLossless,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    JPEGLosslessSV1,
    JPEGLSLossless,
    RLELossless,
)

Stored = npt.NDArray[Any]  # Any: uint8, uint16 or int16, as the bits of the object ask

SYNTAXES: Final = {
    "explicit": "1.2.840.10008.1.2.1",
    "implicit": str(ImplicitVRLittleEndian),
    "rle": str(RLELossless),
    "jpegls": str(JPEGLSLossless),
    "j2k": str(JPEG2000Lossless),
    "htj2k": str(HTJ2KLossless),
    "ljpeg": str(JPEGLosslessSV1),
    "jpeg": str(JPEGBaseline8Bit),
}
NATIVE: Final = {"explicit", "implicit"}


def set_pixels(ds: Dataset, frames: Stored, syntax: str) -> None:
    """Put (frame, row, column[, 3]) into the dataset, encoded; the photometric interpretation may follow."""
    if syntax in NATIVE:
        raw = frames.astype(frames.dtype.newbyteorder("<")).tobytes()
        ds.add_new(
            "PixelData",
            "OB" if frames.itemsize == 1 and syntax == "explicit" else "OW",
            raw + b"\0" * (len(raw) % 2),
        )
        return
    if syntax == "jpeg":
        ds.LossyImageCompression, ds.LossyImageCompressionRatio = "01", "8"
        ds.LossyImageCompressionMethod = "ISO_10918_1"
        if frames.ndim == 4:
            ds.PhotometricInterpretation = "YBR_FULL_422"
    ds.add_new("PixelData", "OB", encapsulate([_frame(frame, syntax) for frame in frames], has_bot=True))
    ds["PixelData"].is_undefined_length = True


def pixels_of(data: bytes) -> Stored:
    """The stored values of a Part 10 file as (frame, row, column[, 3]); colour in RGB; palette as indices."""
    ds = dcmread(io.BytesIO(data))
    shape = (
        int(ds.get("NumberOfFrames", 1) or 1),
        ds.Rows,
        ds.Columns,
        *((3,) if ds.SamplesPerPixel == 3 else ()),
    )
    kind = np.dtype({(8, 0): "u1", (16, 0): "<u2", (16, 1): "<i2"}[ds.BitsAllocated, ds.PixelRepresentation])
    syntax = next(
        (name for name, value in SYNTAXES.items() if value == ds.file_meta.TransferSyntaxUID), "explicit"
    )
    if syntax in NATIVE:
        frames = np.frombuffer(ds.PixelData, kind, int(np.prod(shape)))
        if len(shape) == 4 and ds.PlanarConfiguration:
            return np.moveaxis(frames.reshape(shape[0], 3, *shape[1:3]), 1, 3)
        return frames.reshape(shape)
    decoded = [
        _decoded(frame, syntax, kind, shape[1:])
        for frame in generate_frames(ds.PixelData, number_of_frames=shape[0])
    ]
    return np.stack(decoded)


def _frame(frame: Stored, syntax: str) -> bytes:
    if syntax == "rle":
        return _rle(frame)
    plain = frame.view(np.uint16) if frame.dtype == np.int16 else frame
    plain = np.ascontiguousarray(plain)
    encoded = {
        "jpegls": lambda: imagecodecs.jpegls_encode(plain),
        "j2k": lambda: imagecodecs.jpeg2k_encode(plain, codecformat="j2k", reversible=True, mct=False),
        "htj2k": lambda: imagecodecs.htj2k_encode(plain, reversible=True),
        "ljpeg": lambda: imagecodecs.ljpeg_encode(plain),
        "jpeg": lambda: imagecodecs.jpeg8_encode(plain, level=92),
    }[syntax]()
    return bytes(encoded)


def _decoded(frame: bytes, syntax: str, kind: np.dtype[np.generic], shape: tuple[int, ...]) -> Stored:
    if syntax == "rle":
        return _unrle(frame, kind, shape)
    decode = {
        "jpegls": imagecodecs.jpegls_decode,
        "j2k": imagecodecs.jpeg2k_decode,
        "htj2k": imagecodecs.htj2k_decode,
        "ljpeg": imagecodecs.jpeg_decode,
        "jpeg": imagecodecs.jpeg8_decode,
    }[syntax]
    values: Stored = np.asarray(decode(frame)).reshape(shape)
    return values.view(kind) if values.itemsize == kind.itemsize else values


def _rle(frame: Stored) -> bytes:
    """PS3.5 Annex G: one segment a byte plane, most significant first, each row packed by itself."""
    samples = np.moveaxis(frame, -1, 0) if frame.ndim == 3 else frame[None]
    big = np.ascontiguousarray(samples).astype(samples.dtype.newbyteorder(">")).view(np.uint8)
    planes = big.reshape(*samples.shape, samples.itemsize)
    segments = []
    for sample in planes:
        for byte in range(samples.itemsize):
            packed = b"".join(imagecodecs.packbits_encode(row.tobytes()) for row in sample[..., byte])
            segments.append(packed + b"\0" * (len(packed) % 2))
    starts = np.cumsum([64, *map(len, segments)])[:-1]
    header = np.zeros(16, "<u4")
    header[0], header[1 : 1 + len(segments)] = len(segments), starts
    return header.tobytes() + b"".join(segments)


def _unrle(frame: bytes, kind: np.dtype[np.generic], shape: tuple[int, ...]) -> Stored:
    header = np.frombuffer(frame[:64], "<u4")
    ends = [*header[2 : 1 + header[0]], len(frame)]
    size = shape[0] * shape[1]
    planes = [
        np.frombuffer(imagecodecs.packbits_decode(frame[start:end]), np.uint8)[:size]
        for start, end in zip(header[1 : 1 + header[0]], ends, strict=True)
    ]
    width = kind.itemsize
    samples = [
        np.stack(planes[index : index + width][::-1], -1).reshape(-1).view(kind).reshape(shape[:2])
        for index in range(0, len(planes), width)
    ]
    return np.stack(samples, -1) if len(samples) > 1 else samples[0]
