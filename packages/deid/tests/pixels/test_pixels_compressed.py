"""A cleaned object that leaves losslessly compressed: the same values, the same header, fewer bytes."""

import io
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import generate_frames
from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from collegium_deid import SiteKey, clean_object, load_recipe, verify_conformance
from collegium_deid.pixels import compress
from collegium_testkit import phantoms

HTJ2K = "1.2.840.10008.1.2.4.201"


def written(pixels: np.ndarray, *, frames: int = 1, explicit: bool = True) -> tuple[bytes, bytes]:
    """Header and pixel element of a small object around these stored values."""
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian if explicit else ImplicitVRLittleEndian
    dataset.file_meta.MediaStorageSOPClassUID = CTImageStorage
    dataset.file_meta.MediaStorageSOPInstanceUID = UID("2.25.1")
    dataset.SOPClassUID, dataset.SOPInstanceUID, dataset.Modality = CTImageStorage, UID("2.25.1"), "CT"
    dataset.Rows, dataset.Columns = pixels.shape[-2:]
    dataset.NumberOfFrames, dataset.SamplesPerPixel = frames, 1
    dataset.PhotometricInterpretation = "MONOCHROME2"
    dataset.BitsAllocated = dataset.BitsStored = pixels.dtype.itemsize * 8
    dataset.HighBit, dataset.PixelRepresentation = dataset.BitsStored - 1, int(pixels.dtype.kind == "i")
    dataset.PixelData = pixels.tobytes()
    dataset["PixelData"].VR = "OW"
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    data = out.getvalue()
    start = data.rindex(b"\xe0\x7f\x10\x00")
    return data[:start], data[start:]


def values_of(head: bytes, element: bytes, frames: int = 1) -> np.ndarray:
    dataset = dcmread(io.BytesIO(head + element))
    return np.stack(
        [imagecodecs.htj2k_decode(raw) for raw in generate_frames(dataset.PixelData, number_of_frames=frames)]
    )


@pytest.mark.parametrize("kind", ["<u2", "<i2", "u1"])
@pytest.mark.parametrize("frames", [1, 3])
def test_every_stored_value_survives(kind: str, frames: int) -> None:
    limits = np.iinfo(kind)
    wave = np.sin(np.arange(frames * 64 * 48).reshape(frames, 64, 48) / 50)
    pixels = ((wave + 1) / 2 * (limits.max - limits.min) + limits.min).astype(kind)
    pixels[:, 0, :2] = limits.min, limits.max

    made = compress(*_in_pieces(written(pixels, frames=frames)))

    assert made is not None
    assert np.array_equal(values_of(*made, frames=frames), pixels)
    assert len(made[1]) < pixels.nbytes


def test_a_cleaned_slice_keeps_its_header_and_conforms_as_it_did(tmp_path: Path) -> None:
    data = phantoms.ct_exam(tmp_path, slices=1, size=128).files[0].read_bytes()
    recipe = load_recipe("trial")
    cleaned = clean_object(data, recipe=recipe, key=SiteKey(bytes(32)), subject="LG-001", complete=True)

    made = compress(cleaned.head, [data[cleaned.pixel_start :]])

    assert made is not None
    before, after = dcmread(io.BytesIO(cleaned.head)), dcmread(io.BytesIO(made[0]))
    assert after.file_meta.TransferSyntaxUID == HTJ2K
    assert list(after) == list(before)
    assert verify_conformance(recipe, made[0]) == verify_conformance(recipe, cleaned.head)


def test_what_would_not_gain_is_left_as_it_is() -> None:
    noise = np.random.default_rng(1).integers(0, 65536, (64, 64), dtype="<u2")

    assert compress(*_in_pieces(written(noise))) is None


def test_an_implicit_header_is_left_as_it_is() -> None:
    assert compress(*_in_pieces(written(np.zeros((64, 64), "<u2"), explicit=False))) is None


def test_an_object_without_pixels_is_left_as_it_is() -> None:
    head, _ = written(np.zeros((64, 64), "<u2"))

    assert compress(head, []) is None


def _in_pieces(made: tuple[bytes, bytes]) -> tuple[bytes, list[bytes | memoryview]]:
    head, element = made
    return head, [element[:100], memoryview(element)[100:]]
