"""Pixel bytes pass untouched in pieces of any size; nothing behind them passes."""

from __future__ import annotations

import io
import struct
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom import dcmread

from collegium_deid import PixelPassage, Rejected, SiteKey, clean_object, load_recipe

if TYPE_CHECKING:
    from collegium_deid import Cleaned, Recipe

Tool = Any  # Any: the fixtures of conftest, which a test module cannot import by name
RLE = b"1.2.840.10008.1.2.5\0"
PRIVATE = struct.pack("<HH2sH", 0x7FE1, 0x0010, b"LO", 12) + b"Brambleworth"
LEAD = struct.pack("<16I", 1, 64, *[0] * 14)
FRAGMENTS = b"".join(
    struct.pack("<HHI", 0xFFFE, 0xE000, len(part)) + part
    for part in (b"", LEAD + b"frame one!", LEAD + b"frame two!!!")
)
END = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


def through(cleaned: Cleaned, data: bytes, size: int) -> bytes:
    passage = PixelPassage(cleaned)
    rest = data[cleaned.pixel_start :]
    pieces = [
        bytes(piece) for at in range(0, len(rest), size) for piece in passage.feed(rest[at : at + size])
    ]
    passage.finish()
    return b"".join(pieces)


@pytest.fixture(scope="module")
def recipe() -> Recipe:
    """One that looks at no pixels: they may pass."""
    return load_recipe("strict")


@pytest.fixture(scope="module")
def native(request: pytest.FixtureRequest, recipe: Recipe, key: SiteKey) -> tuple[bytes, Cleaned]:
    return _made(request, recipe, key, compressed=False)


@pytest.fixture(scope="module")
def compressed(request: pytest.FixtureRequest, recipe: Recipe, key: SiteKey) -> tuple[bytes, Cleaned]:
    return _made(request, recipe, key, compressed=True)


def _made(
    request: pytest.FixtureRequest, recipe: Recipe, key: SiteKey, *, compressed: bool
) -> tuple[bytes, Cleaned]:
    from pydicom.dataset import Dataset

    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3"
    ds.PatientID, ds.StudyInstanceUID, ds.SeriesInstanceUID = "MRN-4471", "1.2.4", "1.2.5"
    data: bytes = request.getfixturevalue("write")(ds)
    if compressed:
        data = data.replace(b"1.2.840.10008.1.2.1\0", RLE)
        data += struct.pack("<HH2s2xI", 0x7FE0, 0x0010, b"OB", 0xFFFFFFFF) + FRAGMENTS + END
    else:
        data += struct.pack("<HH2s2xI", 0x7FE0, 0x0010, b"OW", 8) + b"PIXELDAT"
    data += PRIVATE
    return data, clean_object(data, recipe=recipe, key=key, subject="S-001")


@given(st.integers(1, 80))
def test_native_pixels_pass_and_the_tail_does_not(native: tuple[bytes, Cleaned], size: int) -> None:
    data, cleaned = native

    assert through(cleaned, data, size) == data[cleaned.pixel_start : -len(PRIVATE)]


@given(st.integers(1, 80))
def test_compressed_pixels_pass_and_the_tail_does_not(compressed: tuple[bytes, Cleaned], size: int) -> None:
    data, cleaned = compressed

    assert through(cleaned, data, size) == data[cleaned.pixel_start : -len(PRIVATE)]


def test_the_whole_is_dicom_again(native: tuple[bytes, Cleaned]) -> None:
    data, cleaned = native

    ds = dcmread(io.BytesIO(cleaned.head + through(cleaned, data, 1000)))

    assert ds.PixelData == b"PIXELDAT"
    assert max(int(element.tag) for element in ds) == 0x7FE00010


def test_a_cut_stream_says_so(native: tuple[bytes, Cleaned], compressed: tuple[bytes, Cleaned]) -> None:
    with pytest.raises(Rejected) as first:
        through(native[1], native[0][: -len(PRIVATE) - 1], 7)
    with pytest.raises(Rejected) as second:
        through(compressed[1], compressed[0][: -len(PRIVATE) - 8], 7)

    assert {first.value.code, second.value.code} == {"deid.truncated"}


def test_a_length_that_does_not_fit_the_syntax_is_refused(
    native: tuple[bytes, Cleaned], compressed: tuple[bytes, Cleaned]
) -> None:
    with pytest.raises(Rejected):
        PixelPassage(native[1]).feed(compressed[0][compressed[1].pixel_start :])
    with pytest.raises(Rejected):
        PixelPassage(compressed[1]).feed(native[0][native[1].pixel_start :])


def test_a_fragment_that_is_none_is_refused(compressed: tuple[bytes, Cleaned]) -> None:
    data, cleaned = compressed
    broken = data[cleaned.pixel_start :].replace(b"\xfe\xff\x00\xe0", b"\xfe\xff\x01\xe0")

    with pytest.raises(Rejected):
        PixelPassage(cleaned).feed(broken)
