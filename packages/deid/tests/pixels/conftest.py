"""Pictures with known writing, as whole Part 10 objects, and the way through engine and pixel step."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import cv2
import imagecodecs
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.encaps import encapsulate
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, ExplicitVRLittleEndian

from collegium_deid import Recipe, SiteKey, clean_object, load_recipe
from collegium_deid.pixels import CleanedPixels, clean_pixels
from collegium_deid.rules.pixels import PixelPolicy

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

ULTRASOUND = "1.2.840.10008.5.1.4.1.1.6.1"
NAME = "BRAMBLEWORTH"


class Draw(Protocol):
    def __call__(
        self, *lines: tuple[str, int, int], rows: int = 120, columns: int = 320
    ) -> NDArray[np.uint8]: ...


class Make(Protocol):
    def __call__(self, pixels: NDArray[Any], **more: Any) -> bytes: ...


class Hide(Protocol):
    def __call__(self, data: bytes, **more: Any) -> tuple[Dataset, CleanedPixels]: ...


def _draw(*lines: tuple[str, int, int], rows: int = 120, columns: int = 320) -> NDArray[np.uint8]:
    """Grey picture with soft noise; every line is (text, x, y of its foot)."""
    picture = np.random.default_rng(1).normal(40, 4, (rows, columns)).clip(0, 255).astype(np.uint8)
    for text, x, y in lines:
        cv2.putText(picture, text, (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 230, 1, cv2.LINE_AA)
    return picture


def _make(
    pixels: NDArray[Any],
    *,
    syntax: str = ExplicitVRLittleEndian,
    frames: list[bytes] | None = None,
    **more: Any,
) -> bytes:
    """A whole object; `frames` are already compressed, `more` overrides attributes."""
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = ULTRASOUND, "1.2.3.4.5.6"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = "1.2.3.4", "1.2.3.5"
    ds.PatientName, ds.PatientID, ds.PatientBirthDate = "Brambleworth^Leopoldine", "MRN-4471123", "19310504"
    ds.ImageType, ds.Modality, ds.Manufacturer = ["ORIGINAL", "PRIMARY"], "US", "Siemens"
    colour = pixels.shape[-1] == 3
    shape = pixels.shape[:-1] if colour else pixels.shape
    ds.SamplesPerPixel = 3 if colour else 1
    ds.PhotometricInterpretation = "RGB" if colour else "MONOCHROME2"
    if colour:
        ds.PlanarConfiguration = 0
    if len(shape) == 3:
        ds.NumberOfFrames = shape[0]
    ds.Rows, ds.Columns = shape[-2:]
    ds.BitsAllocated = ds.BitsStored = pixels.dtype.itemsize * 8
    ds.HighBit, ds.PixelRepresentation = ds.BitsStored - 1, int(pixels.dtype.kind == "i")
    raw = encapsulate(frames) if frames else pixels.tobytes() + b"\0" * (pixels.nbytes & 1)
    ds.add_new(0x7FE00010, "OB" if frames or pixels.dtype.itemsize == 1 else "OW", raw)
    for keyword, value in more.items():
        setattr(ds, keyword, value)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = UID(syntax)
    ds.file_meta.MediaStorageSOPClassUID, ds.file_meta.MediaStorageSOPInstanceUID = (
        UID(ds.SOPClassUID),
        UID("1.2.3"),
    )
    ds["PixelData"].is_undefined_length = bool(frames)
    out = io.BytesIO()
    dcmwrite(out, ds, enforce_file_format=True)
    return out.getvalue()


@pytest.fixture(scope="session")
def draw() -> Draw:
    return _draw


@pytest.fixture(scope="session")
def make() -> Make:
    return _make


@pytest.fixture(scope="session")
def looking() -> Callable[..., Recipe]:
    """The trial recipe, looking at every picture with the policy asked for."""
    trial = load_recipe("trial")

    def policy(**more: Any) -> Recipe:
        return replace(trial, pixels=PixelPolicy(**({"policy": "whitelist", "look": "all"} | more)))

    return policy


@pytest.fixture(scope="session")
def hide(looking: Callable[..., Recipe]) -> Hide:
    """Header and pixel step; the result as pydicom reads it."""

    def run(
        data: bytes, *, aids: dict[str, Any] | None = None, **policy: Any
    ) -> tuple[Dataset, CleanedPixels]:
        recipe = looking(**policy)
        cleaned = clean_object(data, recipe=recipe, key=SiteKey(bytes(32)), subject="S-1", complete=True)
        done = clean_pixels(data, cleaned, recipe=recipe, **(aids or {}))
        return dcmread(io.BytesIO(b"".join((done.head, *done.pixels)))), done

    return run


@pytest.fixture(scope="session")
def compress() -> Callable[[str, NDArray[Any]], bytes]:
    """One frame in a lossless syntax, by the codec library itself."""
    encoders: dict[str, Callable[..., Any]] = {
        "1.2.840.10008.1.2.4.57": imagecodecs.ljpeg_encode,
        "1.2.840.10008.1.2.4.70": imagecodecs.ljpeg_encode,
        "1.2.840.10008.1.2.4.80": lambda a: imagecodecs.jpegls_encode(a, level=0),
        "1.2.840.10008.1.2.4.90": lambda a: imagecodecs.jpeg2k_encode(
            a, level=0, reversible=True, codecformat="j2k"
        ),
        "1.2.840.10008.1.2.4.201": lambda a: imagecodecs.htj2k_encode(a, reversible=True),
        "1.2.840.10008.1.2.4.50": lambda a: imagecodecs.jpeg8_encode(a, level=90),
    }
    return lambda syntax, frame: bytes(encoders[syntax](frame))
