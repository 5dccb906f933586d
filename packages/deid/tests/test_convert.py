"""Deflated and big endian files become files the engine reads; pydicom reads both sides."""

from __future__ import annotations

import io
import struct
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian

from collegium_deid import Rejected, parse_file
from collegium_deid.engine import convert
from collegium_deid.engine.convert import prepare
from collegium_deid.engine.elements import parse_meta

if TYPE_CHECKING:
    from collections.abc import Callable

Tool = Any  # Any: the fixtures of conftest, which a test module cannot import by name
BIG = bytes(128) + b"DICM" + b"\2\0\x10\0UI\x14\0" + b"1.2.840.10008.1.2.2\0"


def written(dataset: Dataset, syntax: UID) -> bytes:
    ds = Dataset()
    ds.update(dataset)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = syntax
    ds.file_meta.MediaStorageSOPClassUID = UID(ds.SOPClassUID)
    ds.file_meta.MediaStorageSOPInstanceUID = UID(ds.SOPInstanceUID)
    ds.file_meta.ImplementationClassUID = UID("1.2.3.99")
    out = io.BytesIO()
    dcmwrite(out, ds, enforce_file_format=True)
    return out.getvalue()


def big(tag: int, vr: bytes, value: bytes) -> bytes:
    head = struct.pack(">HH2s", tag >> 16, tag & 0xFFFF, vr)
    return head + (
        struct.pack(">2xI", len(value)) if vr in {b"OW", b"UN"} else struct.pack(">H", len(value))
    ) + value  # fmt: skip


def refused(data: bytes) -> str:
    with pytest.raises(Rejected) as error:
        prepare(data)
    return error.value.code


@pytest.fixture
def numbers(ct: Dataset) -> Dataset:
    """A CT with a value of every VR whose bytes change places; pydicom writes O values as they are."""
    del ct[0x00190010], ct[0x00191001]
    ct.SelectorATValue = [0x00100010, 0x00081140]
    ct.SelectorFLValue, ct.SelectorFDValue = [1.5, -2.25], [3.125]
    ct.SelectorSLValue, ct.SelectorSSValue, ct.SelectorULValue = [-70000], [-2], [70000]
    ct.add_new(0x00660016, "OF", struct.pack(">2f", 0.5, 0.25))
    inner = Dataset()
    inner.Rows, inner.BitsAllocated = 3, 8
    ct.IconImageSequence = [inner]
    ct.IconImageSequence.is_undefined_length = True
    ct.add_new(0x7FE00010, "OW", struct.pack(">4H", 1, 2, 300, 4000))
    return ct


def test_big_endian_becomes_little_endian_with_the_same_values(numbers: Dataset) -> None:
    data = written(numbers, ExplicitVRBigEndian)

    new = dcmread(io.BytesIO(prepare(data)))

    old = dcmread(io.BytesIO(data))
    assert new.file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"
    assert [e for e in new if e.VR[0] != "O"] == [e for e in old if e.VR[0] != "O"]
    assert new.pixel_array.tolist() == old.pixel_array.tolist() == [[1, 2], [300, 4000]]
    assert struct.unpack("<2f", new[0x00660016].value) == (0.5, 0.25)
    assert new.file_meta.MediaStorageSOPInstanceUID == old.file_meta.MediaStorageSOPInstanceUID


def test_deflated_becomes_plain_with_the_same_bytes(ct: Dataset, write: Tool) -> None:
    plain = prepare(written(ct, DeflatedExplicitVRLittleEndian))

    assert plain[parse_file(plain, complete=True).dataset_start :] == _data_set(write(ct))


def _data_set(data: bytes) -> bytes:
    return data[parse_file(data, complete=True).dataset_start :]


def test_every_other_file_goes_back_as_it_came(ct: Dataset, write: Tool) -> None:
    for data in (write(ct), write(ct, implicit=True), b"no DICOM", b""):
        assert prepare(data) is data


@pytest.mark.requirement("C03")
def test_a_converted_file_is_cleaned(ct: Dataset, clean: Tool, read: Callable[[bytes], Dataset]) -> None:
    for syntax in (ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian):
        data = written(ct, syntax)

        with pytest.raises(Rejected, match="Prepare"):
            clean(data)
        cleaned = clean(prepare(data))

        assert b"ramble" not in cleaned.head
        assert read(cleaned.head).file_meta.TransferSyntaxUID == "1.2.840.10008.1.2.1"


def test_a_bomb_is_refused_before_it_fills_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(convert, "_ALWAYS_ALLOWED", 1024)
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    bomb = squeeze.compress(bytes(2_000_000)) + squeeze.flush()
    start = bytes(128) + b"DICM" + b"\2\0\x10\0UI\x16\0" + b"1.2.840.10008.1.2.1.99"

    assert refused(start + bomb) == "deid.too_long"
    assert refused(start + bomb[: len(bomb) // 2]) in {"deid.too_long", "deid.truncated"}
    assert refused(start + b"\xff" * 40) == "deid.malformed"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (big(0x00280010, b"US", b"\0\2")[:-1], "deid.truncated"),
        (big(0x00280010, b"US", b"\0\2\1"), "deid.malformed"),
        (big(0x00280010, b"Q!", b"\0\2"), "deid.malformed"),
        (big(0x00280010, b"UN", b"\0\2"), "deid.syntax_declined"),
        (big(0x00280100, b"US", b"\0\x20") + big(0x7FE00010, b"OW", bytes(8)), "deid.syntax_declined"),
        (b"\x00\x08\x11\x40SQ\0\0\xff\xff\xff\xff" + b"\xff\xfe\xe0\x00\xff\xff\xff\xff", "deid.truncated"),
        (b"\x00\x08\x11\x40SQ\0\0\xff\xff\xff\xff" + bytes(16), "deid.malformed"),
        (b"\x00\x28\x00\x10OB\0\0\xff\xff\xff\xff" + bytes(16), "deid.malformed"),
        ((b"\x00\x08\x11\x40SQ\0\0\xff\xff\xff\xff" + b"\xff\xfe\xe0\x00\xff\xff\xff\xff") * 40, "deid.too_deep"),
    ],
)  # fmt: skip
def test_big_endian_that_cannot_be_converted_says_why(body: bytes, code: str) -> None:
    assert refused(BIG + body) == code


def test_bytes_of_unknown_order_are_left_out() -> None:
    creator = big(0x00090010, b"LO", b"ACME")
    private = big(0x00091001, b"UN", b"\1\2\3\4")
    data = BIG + creator + private + big(0x00280010, b"US", b"\0\2")

    assert list(parse_file(prepare(data), complete=True).elements) == [0x00090010, 0x00280010]


def test_a_view_of_a_file_is_read_without_a_copy(ct: Dataset, write: Tool) -> None:
    plain = memoryview(write(ct, pixels=bytes(8)))
    deflated = written(ct, DeflatedExplicitVRLittleEndian)

    assert prepare(plain) is plain
    assert prepare(memoryview(deflated)) == prepare(deflated)


def test_file_meta_longer_than_most_is_read(ct: Dataset) -> None:
    data = written(ct, DeflatedExplicitVRLittleEndian)
    private = b"\2\0\2\1OB\0\0\0\x40\0\0" + bytes(0x4000)
    at = parse_meta(data, complete=True)[1]

    assert prepare(data[:at] + private + data[at:]).endswith(_data_set(prepare(data)))
