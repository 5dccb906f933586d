"""The walker, the frame tables and the metadata against pydicom, on whatever real files there are."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import random
import struct
from typing import TYPE_CHECKING, Any

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.encaps import encapsulate, generate_frames

from collegium.imaging.archive import frames
from collegium.imaging.archive.document import SeriesDocument, instance_document
from collegium.imaging.archive.errors import ObjectInvalid, ObjectTruncated
from collegium.imaging.archive.header import NeedMore, walk
from collegium.imaging.ingest.corridor import Arrival
from collegium.kit.blobs import Blobs, LocalStore
from collegium.kit.ids import uuid7
from collegium_testkit import phantoms, real_data

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from pydicom import Dataset


def real_files() -> list[Path]:
    folder = real_data.folder()
    files = sorted(folder.rglob("*")) if folder else []
    return [path for path in files if path.is_file() and path.suffix not in (".md", ".csv", ".py")]


def is_taken(raw: bytes) -> bool:
    try:
        header = walk(raw, is_complete=True)
        table_of(raw, header)
    except ObjectInvalid:
        return False
    return True


def table_of(raw: bytes, header: Any) -> list[Any]:  # Any: places of frames
    reader = frames.read_pixels(header)
    reader.feed(memoryview(raw)[header.end :])
    reader.finish()
    packed = frames.pack(reader.table)
    return [frames.nth(packed, index) for index in range(len(reader.table))]


@pytest.fixture(scope="module")
def ct(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return phantoms.ct_exam(tmp_path_factory.mktemp("ct"), slices=1, size=64).files[0].read_bytes()


def saved(dataset: Dataset) -> bytes:
    out = io.BytesIO()
    dataset.save_as(out, enforce_file_format=True)
    return out.getvalue()


@pytest.mark.skipif(not real_files(), reason="no real files on this machine")
def test_real_files_are_read_as_pydicom_reads_them() -> None:
    taken = [path for path in real_files() if is_taken(path.read_bytes())]
    different = [path.name for path in taken if not _agrees(path)]

    assert len(taken) > 150
    assert different == []


@pytest.mark.filterwarnings("ignore")
def _agrees(path: Path) -> bool:
    import warnings

    raw = path.read_bytes()
    header = walk(raw, is_complete=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(path)
        theirs = dataset.to_json_dict(suppress_invalid_tags=True)
        ours = instance_document(header)
        same = all(
            _plain(ours[name]) == _plain(theirs[name])
            for name in ours.keys() & theirs.keys()
            if name != "00080005" and ours[name]["vr"] != "SQ"
        )
        return same and _frames_agree(raw, header, dataset)


def _plain(element: Any) -> Any:  # Any: JSON
    """Without the spaces that pad single values, which both may keep or drop; empty is empty."""
    if isinstance(element, dict):
        return {key: _plain(value) for key, value in element.items()}
    if isinstance(element, list):
        return [_plain(value) for value in element]
    return element.strip() if isinstance(element, str) else "" if element is None else element


def _frames_agree(raw: bytes, header: Any, dataset: Dataset) -> bool:  # Any: a walked header
    syntax = dataset.file_meta.TransferSyntaxUID
    if "PixelData" not in dataset or not syntax.is_transfer_syntax or not syntax.is_encapsulated:
        return True
    count = int(dataset.get("NumberOfFrames") or 1)
    theirs = list(generate_frames(dataset.PixelData, number_of_frames=count))
    ours = [
        bytes(place.content(raw[place.offset : place.offset + place.length]))
        for place in table_of(raw, header)
    ]
    return ours == theirs


@pytest.mark.parametrize("missing", [1, 2, 100, 8192])
def test_a_cut_object_is_refused(ct: bytes, missing: int) -> None:
    assert is_taken(ct)
    assert not is_taken(ct[:-missing])


def test_the_header_asks_for_more_until_it_is_there(ct: bytes) -> None:
    end = walk(ct, is_complete=True).end

    for size in range(0, end - 12, 37):
        with pytest.raises((NeedMore, ObjectTruncated)):
            walk(ct[:size], is_complete=False)
    assert walk(ct[:end], is_complete=False).end == end


@given(flips=st.lists(st.tuples(st.integers(132, 1 << 20), st.integers(0, 255)), min_size=1, max_size=4))
@settings(max_examples=400, deadline=None)
def test_flipped_bytes_are_refused_or_read_and_never_crash(ct: bytes, flips: list[tuple[int, int]]) -> None:
    end = walk(ct, is_complete=True).end
    raw = bytearray(ct)
    for at, value in flips:
        raw[132 + at % (end - 132)] = value

    with contextlib.suppress(ObjectInvalid):
        instance_document(walk(bytes(raw), is_complete=True))


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda ds: setattr(ds, "Rows", 65), "archive.object.pixel_length"),
        (lambda ds: setattr(ds, "NumberOfFrames", 2), "archive.object.pixel_length"),
        (lambda ds: setattr(ds, "NumberOfFrames", 2_000_000_000), "archive.object.pixel_length"),
        (lambda ds: setattr(ds, "PixelData", ds.PixelData + bytes(2)), "archive.object.pixel_length"),
        (lambda ds: setattr(ds, "SOPInstanceUID", "2.25.9"), "archive.object.meta_disagrees"),
        (lambda ds: setattr(ds, "StudyInstanceUID", "../../etc/passwd"), "archive.object.uids"),
        (lambda ds: setattr(ds, "SeriesInstanceUID", "1.2.03"), "archive.object.uids"),
        (lambda ds: delattr(ds, "SeriesInstanceUID"), "archive.object.uids"),
    ],
)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_an_object_that_contradicts_itself_is_refused(
    ct: bytes, change: Any, code: str
) -> None:  # Any: a change
    dataset = pydicom.dcmread(io.BytesIO(ct))
    change(dataset)
    out = io.BytesIO()
    pydicom.dcmwrite(out, dataset, enforce_file_format=False)

    with pytest.raises(ObjectInvalid) as error:
        raw = out.getvalue()
        table_of(raw, walk(raw, is_complete=True))

    assert error.value.code == code


def test_what_follows_the_pixels_is_refused_unless_it_is_padding_of_zeros(ct: bytes) -> None:
    def trailing(content: bytes, tag: tuple[int, int] = (0xFFFC, 0xFFFC)) -> bytes:
        return ct + struct.pack("<HH2sHI", *tag, b"OB", 0, len(content)) + content

    assert is_taken(trailing(bytes(126)))
    assert not is_taken(trailing(b"MUSTERMANN^ERIKA"))
    assert not is_taken(trailing(bytes(8), (0x7FE1, 0x0010)))
    assert not is_taken(trailing(bytes(126))[:-1])


def test_a_length_of_four_gigabytes_allocates_nothing(ct: bytes) -> None:
    header = walk(ct, is_complete=True)
    raw = bytearray(ct)
    raw[header.end - 4 : header.end] = struct.pack("<I", 0xFFFFFFFE)

    assert not is_taken(bytes(raw))


def test_endless_nesting_is_refused(ct: bytes) -> None:
    item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    sequence = struct.pack("<HH2sHI", 0x0008, 0x1140, b"SQ", 0, 0xFFFFFFFF)
    start = walk(ct, is_complete=True).elements[0x00080016].offset - 8

    with pytest.raises(ObjectInvalid):
        walk(ct[:start] + (sequence + item) * 5_000, is_complete=True)


CODESTREAM = b"\xff\x4f\xff\x90\0\0"
"""The beginning of a JPEG 2000 frame with an empty main header."""


def compressed(ct: bytes, parts: list[bytes], *, frames_: int, has_table: bool, fragments: int = 1) -> bytes:
    dataset = pydicom.dcmread(io.BytesIO(ct))
    dataset.PixelData = encapsulate(parts, fragments_per_frame=fragments, has_bot=has_table)
    dataset["PixelData"].is_undefined_length = True
    dataset.NumberOfFrames = frames_
    dataset.file_meta.TransferSyntaxUID = pydicom.uid.UID("1.2.840.10008.1.2.4.90")
    return saved(dataset)


@pytest.mark.parametrize("fragments", [1, 3])
@pytest.mark.parametrize("has_table", [True, False])
def test_compressed_frames_are_found_however_they_are_split(
    ct: bytes, fragments: int, has_table: bool
) -> None:
    shuffled = random.Random(7)
    parts = [CODESTREAM + shuffled.randbytes(996 + 2 * n) for n in range(5)]
    raw = compressed(ct, parts, frames_=5, has_table=has_table, fragments=fragments)

    places = table_of(raw, walk(raw, is_complete=True))

    assert [place.content(raw[place.offset : place.offset + place.length]) for place in places] == parts


def test_frames_that_cannot_be_told_apart_are_refused(ct: bytes) -> None:
    parts = [b"no start of a codestream" for _ in range(4)]

    assert not is_taken(compressed(ct, parts, frames_=2, has_table=False))


def arrivals(tmp_path: Path) -> Iterator[Arrival]:
    class _Key:
        id, secret = uuid7(), bytes(32)

    blobs = Blobs(LocalStore(tmp_path), newest_key=lambda _: _Key, key_by_id=lambda _: _Key)
    while True:
        yield Arrival(lambda: blobs.create(organisation_id=uuid7(), space_id=uuid7()))


@given(cuts=st.lists(st.integers(0, 20_000), max_size=12))
@settings(max_examples=60, deadline=None)
def test_the_corridor_says_the_same_however_an_object_is_cut(
    ct: bytes, tmp_path_factory: pytest.TempPathFactory, cuts: list[int]
) -> None:
    arrival = next(arrivals(tmp_path_factory.mktemp("blobs")))
    edges = [0, *sorted(cut % len(ct) for cut in cuts), len(ct)]
    for start, end in itertools.pairwise(edges):
        arrival.write(memoryview(ct)[start:end])

    arrived = arrival.finish()

    header = walk(ct, is_complete=True)
    assert arrived.document == instance_document(header)
    assert arrived.frame_table == frames.pack([(header.end, 64 * 64 * 2)])
    assert arrived.blob.size_bytes == len(ct)


def test_a_series_document_gives_every_instance_back(tmp_path: Path) -> None:
    files = phantoms.ct_exam(tmp_path, slices=4, size=64).files
    documents = [instance_document(walk(path.read_bytes(), is_complete=True)) for path in files]

    again = SeriesDocument.unpack(SeriesDocument.of(documents).pack())

    assert list(again.whole()) == documents
    assert json.loads(again.render()) == documents
    assert len(again.common) > 20


def segment(marker: int, content: bytes) -> bytes:
    return bytes([0xFF, marker]) + (len(content) + 2).to_bytes(2, "big") + content


@pytest.mark.requirement("R40")
@pytest.mark.parametrize(
    ("start", "is_silent"),
    [
        (b"\xff\xd8" + segment(0xE0, b"JFIF\0" + bytes(9)), True),
        (b"\xff\xd8" + segment(0xFE, b"LEAD Technologies Inc. V1.01\0"), True),
        (b"\xff\xd8" + segment(0xFE, b"MUSTERMANN^ERIKA"), False),
        (b"\xff\xd8" + segment(0xFE, b"Kakadu- MUSTERMANN ERIKA 19610203 MALE"), False),
        (b"\xff\xd8" + segment(0xE1, b"Exif\0\0" + b"x" * 40), False),
        (b"\xff\xd8" + segment(0xE0, b"JFIF\0" + bytes(9) + b"thumbnail"), False),
        (b"\xff\x4f" + segment(0x64, b"\0\1Kakadu-2.2"), True),
        (b"\xff\x4f" + segment(0x64, b"\0\1Created by OpenJPEG version 2.5.0"), True),
        (b"\xff\x4f" + segment(0x64, b"\0\1patient 4711"), False),
        (b"\xff\x4f" + segment(0x52, bytes(9000)), False),
    ],
)
def test_words_inside_a_compressed_frame_are_refused(ct: bytes, start: bytes, is_silent: bool) -> None:
    ends = b"\xff\xda" if start.startswith(b"\xff\xd8") else b"\xff\x90"

    raw = compressed(ct, [start + ends + bytes(500)], frames_=1, has_table=True)

    assert is_taken(raw) is is_silent
