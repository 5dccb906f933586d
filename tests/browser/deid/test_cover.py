"""What a person covers is covered in the stored values, on every frame, whatever they mean; nothing else changes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import RLELossless, SecondaryCaptureImageStorage

from collegium_testkit import phantoms

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

    from tests.browser.deid.bench import Bench

pytestmark = [pytest.mark.browser, pytest.mark.journey, pytest.mark.timeout(900)]

ROWS, COLUMNS, HEAD = 12, 16, 12
BOX = (4, 3, 10, 7)
INSIDE = (..., slice(3, 7), slice(4, 10))


def picture(kind: str, dtype: npt.DTypeLike, *, frames: int = 1, **more: Any) -> dict[str, Any]:  # Any: JSON
    bits = np.dtype(dtype).itemsize * 8
    return {
        "rows": ROWS, "columns": COLUMNS, "frames": frames, "samples": 1, "colour": kind, "planar": 0,
        "allocated": bits, "stored": bits, "signed": np.dtype(dtype).kind == "i", "at": HEAD, "palette": None,
        "packed": None, **more,
    }  # fmt: skip


def covered(
    bench: Bench, values: npt.NDArray[Any], of: dict[str, Any], fill: str = "background"
) -> npt.NDArray[Any]:  # Any: values of any kind
    element = b"\xe0\x7f\x10\x00OW\0\0" + len(values.tobytes()).to_bytes(4, "little") + values.tobytes()
    found = bench.covered(element, of, BOX, fill)
    assert found[:HEAD] == element[:HEAD]
    return np.frombuffer(found[HEAD:], values.dtype).reshape(values.shape)


@pytest.mark.parametrize("dtype", ["u1", "<u2", "<i2"])
@pytest.mark.parametrize("kind", ["MONOCHROME1", "MONOCHROME2"])
def test_grey_values_take_what_lies_around_in_every_frame(bench: Bench, kind: str, dtype: str) -> None:
    values = np.full((2, ROWS, COLUMNS), 7, dtype)
    values[1] = 90
    expected = values.copy()
    values[INSIDE] = 100
    values[..., -1, -1] = expected[..., -1, -1] = 3

    found = covered(bench, values, picture(kind, dtype, frames=2))

    assert (found == expected).all()


@pytest.mark.parametrize(
    ("kind", "dtype", "black"),
    [("MONOCHROME2", "<i2", -1000), ("MONOCHROME1", "<u2", 3000), ("MONOCHROME2", "<u2", 0)],
)
def test_black_is_what_the_screen_shows_as_black(bench: Bench, kind: str, dtype: str, black: int) -> None:
    values = np.full((1, ROWS, COLUMNS), 50, dtype)
    values[0, 0, 0], values[0, 0, 1] = (-1000 if dtype == "<i2" else 20), 3000

    found = covered(bench, values, picture(kind, dtype), "black")

    assert (found[INSIDE] == black).all()
    assert (found[0, 7:] == 50).all()


@pytest.mark.parametrize("planar", [0, 1])
def test_colours_by_pixel_and_by_plane_are_covered_alike(bench: Bench, planar: int) -> None:
    values = np.empty((3, ROWS, COLUMNS), "u1")
    values[0], values[1], values[2] = 10, 20, 30
    expected = values.copy()
    values[INSIDE] = 255
    if not planar:
        values, expected = values.transpose(1, 2, 0).copy(), expected.transpose(1, 2, 0).copy()

    found = covered(bench, values, picture("RGB", "u1", samples=3, planar=planar))

    assert (found == expected).all()


def test_a_palette_takes_the_number_that_is_there_most_often(bench: Bench) -> None:
    values = np.full((1, ROWS, COLUMNS), 5, "u1")
    values[0, 2, 4:7] = 200
    expected = values.copy()
    values[INSIDE] = 9

    found = covered(
        bench, values, picture("PALETTE COLOR", "u1", palette={"first": 0, "rgb": "000000ffffff"})
    )

    assert (found == expected).all()


@pytest.mark.parametrize(
    ("dtype", "samples", "frames"), [("<i2", 1, 1), ("<u2", 1, 3), ("u1", 1, 1), ("u1", 3, 1), ("u1", 3, 2)]
)
def test_run_lengths_are_covered_as_run_lengths_in_every_frame(
    bench: Bench, tmp_path: Path, dtype: str, samples: int, frames: int
) -> None:
    random = np.random.default_rng(5)
    shape = (frames, 37, 131, samples)
    # Runs, noise and single values; an odd number of bytes a plane.
    values = np.where(random.random(shape) < 0.5, random.integers(0, 200, shape), 40).astype(dtype)
    values[:, :9] = 7
    path = packed(values, tmp_path)

    new = dcmread(io.BytesIO(bench.cleaned_and_covered(path, (20, 2, 90, 6))))

    expected = values.copy()
    expected[:, 2:6, 20:90] = 7
    assert new.file_meta.TransferSyntaxUID == RLELossless
    assert (new.pixel_array.reshape(shape) == expected).all()


def packed(values: npt.NDArray[Any], folder: Path) -> Path:  # Any: values of any kind
    """A secondary capture of these values, compressed in run lengths by pydicom."""
    dataset = dcmread(phantoms.ct_exam(folder / "ct", slices=1, size=32).files[0])
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    dataset.NumberOfFrames, dataset.Rows, dataset.Columns, dataset.SamplesPerPixel = values.shape
    dataset.BitsAllocated = dataset.BitsStored = values.dtype.itemsize * 8
    dataset.HighBit = dataset.BitsStored - 1
    dataset.PixelRepresentation = int(values.dtype.kind == "i")
    dataset.PhotometricInterpretation = "RGB" if values.shape[3] == 3 else "MONOCHROME2"
    if values.shape[3] == 3:
        dataset.PlanarConfiguration = 0
    dataset.PixelData = values.tobytes() + b"\0" * (values.nbytes & 1)
    dataset.compress(RLELossless, encoding_plugin="pydicom", generate_instance_uid=False)
    path = folder / "packed.dcm"
    dataset.save_as(path, enforce_file_format=True)
    return path
