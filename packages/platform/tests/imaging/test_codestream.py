"""Words inside compressed frames, behind their main header as well."""

from __future__ import annotations

import pytest
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.encaps import generate_frames

from collegium.imaging.archive.codestream import JPEG, JPEG_2000, Watch, require_no_words
from collegium.imaging.archive.errors import CodestreamSpeaks

pytestmark = pytest.mark.requirement("R40")


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content


def speaks(kind: bytes, rest: bytes, cut: int) -> bool:
    watch = Watch(kind)
    try:
        for start in range(0, len(rest), cut):
            watch.feed(rest[start : start + cut])
    except CodestreamSpeaks:
        return True
    return False


SCAN = segment(0xDA, bytes(6)) + b"\x12\xff\x00\x34\xff\xd0" * 40
TILE = b"\xff\x90" + bytes(10) + b"\xff\x93" + b"\x12\xff\x64\x90\x33" * 40
NAME = b"MUSTERMANN^ERIKA"


@pytest.mark.parametrize("cut", [1, 3, 7, 1000])
@pytest.mark.parametrize(
    ("kind", "rest"),
    [
        (JPEG, SCAN + segment(0xFE, NAME) + SCAN),
        (JPEG, SCAN + segment(0xE1, b"Exif\0\0" + NAME) + SCAN),
        (JPEG, SCAN + b"\xff\xd9" + NAME),
        (JPEG_2000, b"\xff\x90" + bytes(10) + segment(0x64, b"\0\1" + NAME) + b"\xff\x93" + TILE),
        (JPEG_2000, TILE + b"\xff\xd9" + NAME),
    ],
    ids=["comment", "application", "after the end", "tile comment", "after the end of J2K"],
)
def test_words_behind_the_main_header_are_refused_however_they_arrive(
    kind: bytes, rest: bytes, cut: int
) -> None:
    assert speaks(kind, rest, cut)


@pytest.mark.parametrize("cut", [1, 3, 1000])
@pytest.mark.parametrize(
    ("kind", "rest"),
    [
        (JPEG, SCAN + SCAN + b"\xff\xd9\0"),
        (JPEG, SCAN),
        (JPEG_2000, TILE * 3 + b"\xff\xd9"),
        (JPEG_2000, TILE),
    ],
)
def test_pixels_are_no_words(kind: bytes, rest: bytes, cut: int) -> None:
    assert not speaks(kind, rest, cut)


@pytest.mark.parametrize("comment", [b"Kakadu-MUSTERMANN", b"CharLS 2.1 ERIKA", b"Lavc58.54.100 19610203"])
def test_a_name_behind_an_encoders_name_is_refused(comment: bytes) -> None:
    with pytest.raises(CodestreamSpeaks):
        require_no_words(b"\xff\x4f" + segment(0x64, b"\0\1" + comment) + b"\xff\x90")


REAL = (
    "693_J2KI.dcm", "JPEG-lossy.dcm", "JPEG2000.dcm", "JPEGLSNearLossless_08.dcm", "JPEGLSNearLossless_16.dcm",
    "JPGExtended.dcm", "MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm", "SC_rgb_jls_lossy_line.dcm",
    "SC_rgb_jpeg_gdcm.dcm", "SC_rgb_jpeg_dcmtk.dcm",
)  # fmt: skip
"""Files that pydicom brings along, by several encoders."""


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", REAL)
def test_what_real_encoders_write_behind_their_header_is_taken(name: str) -> None:
    path = get_testdata_file(name, download=False)
    assert isinstance(path, str)
    dataset = dcmread(path)

    (frame, *_) = generate_frames(dataset.PixelData, number_of_frames=int(dataset.get("NumberOfFrames", 1)))

    assert not speaks(frame[:2], frame[main_header(frame) :], 4096)


def main_header(frame: bytes) -> int:
    """Where the first scan or tile begins, told without the code that is tested."""
    return frame.index(b"\xff\xda" if frame.startswith(JPEG) else b"\xff\x90")
