"""Bytes beside the picture: padding, comments, application data. What says something is refused."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

import pytest

from collegium_deid import PixelPassage, Rejected, SiteKey, clean_object, load_recipe

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

Tool = Any  # Any: the fixtures of conftest, which a test module cannot import by name

NAME = b"Marchetti Ottavia 19510704"
SCAN = b"\xff\xda\0\x08\1\1\0\0\x3f\0" + bytes(range(200)) + b"\xff\xd9"
JFIF = b"\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"


def segment(mark: int, content: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, mark, len(content) + 2) + content


def jpeg(*segments: bytes, behind: bytes = b"") -> bytes:
    return b"\xff\xd8" + b"".join(segments) + SCAN + behind


def jpeg_2000(comment: bytes) -> bytes:
    return b"\xff\x4f" + segment(0x51, bytes(38)) + segment(0x64, b"\0\1" + comment) + b"\xff\x90" + SCAN


def element(*fragments: bytes, table: bytes = b"") -> bytes:
    items = [part + b"\0" * (len(part) & 1) for part in (table, *fragments)]
    body = b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, len(part)) + part for part in items)
    end = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    return struct.pack("<HH2s2xI", 0x7FE0, 0x10, b"OB", 0xFFFFFFFF) + body + end


def passage(
    native: bytes, key: SiteKey, syntax: bytes = b"1.2.840.10008.1.2.1"
) -> tuple[PixelPassage, bytes]:
    """The passage of a file, and its pixel element."""
    padded = syntax + b"\0" * (len(syntax) & 1)
    data = native.replace(
        b"UI\x14\x001.2.840.10008.1.2.1\0", struct.pack("<2sH", b"UI", len(padded)) + padded
    )
    cleaned = clean_object(data, recipe=load_recipe("strict"), key=key, subject="S-001", complete=True)
    return PixelPassage(cleaned), data[cleaned.pixel_start :]


def passes(  # noqa: PLR0917 - what is compressed, and how it comes
    native: bytes, key: SiteKey, fragments: tuple[bytes, ...], syntax: bytes, size: int, table: bytes = b""
) -> bool:
    """True when a compressed element goes through whole, in pieces of `size` bytes."""
    through, _ = passage(native, key, syntax)
    pixels = element(*fragments, table=table)
    out = b""
    try:
        for pos in range(0, len(pixels), size):
            out += b"".join(through.feed(pixels[pos : pos + size]))
        through.finish()
    except Rejected as error:
        return error.code != "deid.pixels_say_more"
    return out == pixels


@pytest.fixture
def native(ct: Dataset, write: Tool) -> bytes:
    """A header; the tests bring pixels of their own."""
    whole: bytes = write(ct, pixels=bytes(8))
    return whole


@pytest.mark.requirement("C05")
@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize(
    "fragments",
    [
        (jpeg(segment(0xFE, NAME)),),
        (jpeg(JFIF, segment(0xE1, b"Exif\0\0" + NAME)),),
        (jpeg(JFIF, behind=NAME),),
        (jpeg(JFIF), NAME),
        (jpeg(JFIF), jpeg(segment(0xFE, NAME))),
        (b"\xff\xd8" + segment(0xFE, NAME),),
        (jpeg(JFIF, behind=NAME + bytes(700)),),
        (jpeg(JFIF, behind=NAME + bytes(700)), jpeg(JFIF)),
    ],
)
def test_a_jpeg_frame_that_says_more_than_a_picture_is_refused(
    native: bytes, key: SiteKey, fragments: tuple[bytes, ...], size: int
) -> None:
    assert not passes(native, key, fragments, b"1.2.840.10008.1.2.4.50", size)


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize(
    "fragments",
    [
        (jpeg(),),
        (jpeg(JFIF, segment(0xEE, b"Adobe\0e\0\0\0\0\0"), segment(0xFE, b"LEAD Technologies Inc. V1.01")),),
        (jpeg(JFIF, behind=b"\0\0\xa2\x8a\x28\xa2"),),
        (jpeg(JFIF)[:150], jpeg(JFIF)[150:]),
        (jpeg(JFIF), jpeg(JFIF)),
    ],
)
def test_a_jpeg_frame_that_says_nothing_passes(
    native: bytes, key: SiteKey, fragments: tuple[bytes, ...], size: int
) -> None:
    assert passes(native, key, fragments, b"1.2.840.10008.1.2.4.50", size)


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize(
    ("table", "goes_through"),
    [(struct.pack("<2I", 0, 250), True), (struct.pack("<2I", 250, 0), True), (NAME, False)],
)
def test_a_table_of_offsets_holds_no_words(
    *, native: bytes, key: SiteKey, table: bytes, goes_through: bool, size: int
) -> None:
    assert passes(native, key, (jpeg(), jpeg()), b"1.2.840.10008.1.2.4.50", size, table) is goes_through


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize(
    ("unused", "goes_through"), [(bytes(56), True), (NAME + bytes(56 - len(NAME)), False)]
)
def test_the_header_of_run_lengths_holds_the_places_of_segments_only(
    *, native: bytes, key: SiteKey, unused: bytes, goes_through: bool, size: int
) -> None:
    frame = struct.pack("<2I", 1, 64) + unused + bytes(range(100))

    assert passes(native, key, (frame, frame), b"1.2.840.10008.1.2.5", size) is goes_through


def test_a_comment_of_jpeg_2000_may_name_the_program_only(native: bytes, key: SiteKey) -> None:
    syntax = b"1.2.840.10008.1.2.4.90"

    assert passes(native, key, (jpeg_2000(b"Created by GDCM/OpenJPEG version 2.3.1"),), syntax, 100_000)
    assert not passes(native, key, (jpeg_2000(NAME),), syntax, 100_000)
    assert not passes(native, key, (jpeg_2000(b"Kakadu, Brambleworth"),), syntax, 100_000)


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_native_pixels_may_end_in_zeros_but_in_nothing_else(
    ct: Dataset, write: Tool, key: SiteKey, size: int
) -> None:
    for behind, goes_through in ((bytes(64), True), (NAME, False)):
        through, pixels = passage(write(ct, pixels=bytes(range(8)) + behind), key)
        pieces = [pixels[pos : pos + size] for pos in range(0, len(pixels), size)]
        if goes_through:
            assert b"".join(part for piece in pieces for part in through.feed(piece)) == pixels
            through.finish()
            continue
        with pytest.raises(Rejected) as error:
            for piece in pieces:
                through.feed(piece)
        assert error.value.code == "deid.pixels_say_more"
