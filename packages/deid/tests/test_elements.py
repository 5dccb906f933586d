"""The walker against pydicom, cut files, hostile files and random bytes."""

from __future__ import annotations

import contextlib
import struct
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collegium_deid import (
    DeidError,
    NeedMoreBytes,
    Rejected,
    SiteKey,
    clean_object,
    identifiers_of,
    parse_file,
)

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from collegium_deid import Recipe

Tool = Any  # Any: the fixtures of conftest, which a test module cannot import by name
META = b"\2\0\x10\0UI\x14\0" + b"1.2.840.10008.1.2.1\0"
START = bytes(128) + b"DICM" + META


def short(tag: int, vr: bytes, value: bytes) -> bytes:
    return struct.pack("<HH2sH", tag >> 16, tag & 0xFFFF, vr, len(value)) + value


def long(tag: int, vr: bytes, value: bytes, length: int | None = None) -> bytes:
    size = len(value) if length is None else length
    return struct.pack("<HH2s2xI", tag >> 16, tag & 0xFFFF, vr, size) + value


def code_of(data: bytes) -> str:
    with pytest.raises(Rejected) as error:
        parse_file(data, complete=True)
    return error.value.code


@pytest.mark.parametrize("implicit", [False, True])
def test_the_top_level_is_what_pydicom_reads(ct: Dataset, write: Tool, read: Tool, implicit: bool) -> None:
    data = write(ct, implicit=implicit, pixels=bytes(8))

    head = parse_file(data)

    assert list(head.elements) == [int(element.tag) for element in read(data) if element.tag != 0x7FE00010]
    assert head.text(0x00100020) == ct.PatientID
    assert head.pixel_start is not None
    assert data[head.pixel_start :].startswith(b"\xe0\x7f\x10\x00")


def test_an_absent_element_is_empty_text(ct: Dataset, write: Tool) -> None:
    assert parse_file(write(ct), complete=True).text(0x00104000) == ""


def test_a_cut_file_asks_for_more_and_a_whole_one_says_that_it_is_cut(ct: Dataset, write: Tool) -> None:
    data = write(ct, pixels=bytes(8))
    start = parse_file(data).pixel_start
    assert start is not None

    def outcome(length: int, *, complete: bool) -> str:
        try:
            parse_file(data[:length], complete=complete)
        except DeidError as error:
            return error.code
        return "parsed"

    paused = {outcome(length, complete=False) for length in range(start)}
    ended = {outcome(length, complete=True) for length in range(start)}
    assert paused == {"deid.need_more_bytes"}
    # At a border of two elements the file may as well have ended there; the engine then misses its UIDs.
    assert ended == {"deid.truncated", "deid.no_transfer_syntax", "parsed"}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"not dicom at all".ljust(200), "deid.not_part10"),
        (b"", "deid.truncated"),
        (bytes(128) + b"DICM" + short(0x00080016, b"UI", b"1.2.3\0"), "deid.no_transfer_syntax"),
        (bytes(128) + b"DICM" + short(0x00020010, b"UI", b"1.2.840.10008.1.2.2\0"), "deid.syntax_declined"),
        (bytes(128) + b"DICM" + short(0x00020010, b"UI", b"1.2.840.10008.1.2.1.99"), "deid.syntax_declined"),
        (bytes(128) + b"DICM" + short(0x00020010, b"UI", b"1.2.840.113619.5.2\0\0"), "deid.syntax_declined"),
        (START + short(0x00100010, b"Q!", b"A "), "deid.malformed"),
        (START + short(0x00100020, b"LO", b"A ") + short(0x00100010, b"PN", b"B "), "deid.malformed"),
        (START + short(0x00100010, b"PN", b"A ") * 2, "deid.malformed"),
        (START + long(0x00081140, b"SQ", b"\0" * 16, 0xFFFFFFFF), "deid.malformed"),
        (START + long(0x00420011, b"OB", b"", 0xFFFFFFF0), "deid.header_too_long"),
        (START + short(0x00100010, b"PN", b"A ")[:-1], "deid.truncated"),
    ],
)
def test_what_cannot_be_walked_says_why(data: bytes, code: str) -> None:
    assert code_of(data) == code


def test_a_length_beyond_any_header_is_refused_while_it_streams() -> None:
    with pytest.raises(Rejected) as error:
        parse_file(START + long(0x00420011, b"OB", bytes(64), 0xFFFFFFF0))

    assert error.value.code == "deid.header_too_long"


def test_bottomless_nesting_is_refused() -> None:
    item = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)
    nest = (long(0x00081140, b"SQ", b"", 0xFFFFFFFF) + item) * 5000

    with pytest.raises(Rejected) as error:
        parse_file(START + nest)

    assert error.value.code == "deid.too_deep"


def test_bottomless_nesting_of_defined_lengths_is_refused(recipe: Recipe, key: SiteKey) -> None:
    nest = b""
    while len(nest) < 4000:
        item = struct.pack("<HHI", 0xFFFE, 0xE000, len(nest)) + nest
        nest = long(0x00081140, b"SQ", item)
    data = (
        START + short(0x00080016, b"UI", b"1.2.840.10008.5.1.4.1.1.2\0") + short(0x00080018, b"UI", b"1.2\0")
    )
    data += nest + short(0x00100020, b"LO", b"ID") + short(0x0020000D, b"UI", b"1.3\0")
    data += short(0x0020000E, b"UI", b"1.4\0")

    with pytest.raises(Rejected) as error:
        clean_object(data, recipe=recipe, key=key, subject="S", complete=True)

    assert error.value.code == "deid.too_deep"


@given(st.binary(max_size=400))
def test_random_bytes_are_walked_or_refused(recipe: Recipe, key: SiteKey, tail: bytes) -> None:
    data = START + tail

    for call in (
        lambda: parse_file(data),
        lambda: clean_object(data, recipe=recipe, key=key, subject="S", complete=True),
        lambda: identifiers_of(data),
    ):
        with contextlib.suppress(DeidError):  # anything else fails the test
            call()


@given(st.data())
@settings(max_examples=200)
def test_a_damaged_header_is_cleaned_or_refused_and_never_crashes(
    damaged: tuple[bytes, bytes], recipe: Recipe, key: SiteKey, data: st.DataObject
) -> None:
    whole = bytearray(damaged[data.draw(st.integers(0, 1))])
    for _ in range(data.draw(st.integers(1, 6))):
        whole[data.draw(st.integers(132, len(whole) - 1))] = data.draw(st.integers(0, 255))

    with contextlib.suppress(Rejected):  # anything else fails the test
        clean_object(bytes(whole), recipe=recipe, key=key, subject="S-001", complete=True)


@pytest.fixture(scope="module")
def damaged(request: pytest.FixtureRequest) -> tuple[bytes, bytes]:
    """One header in both forms, to be damaged; made once, because hypothesis asks for a stable fixture."""
    from pydicom.dataset import Dataset as Ds

    write = request.getfixturevalue("write")
    ds, inner = Ds(), Ds()
    ds.SOPClassUID, ds.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3"
    ds.PatientName, ds.PatientID, ds.StudyDate = "Brambleworth^L", "MRN-4471", "20240229"
    ds.StudyInstanceUID, ds.SeriesInstanceUID = "1.2.4", "1.2.5"
    inner.ReferencedSOPInstanceUID = "1.2.6"
    inner.ContentSequence = [Ds()]
    ds.ReferencedImageSequence = [inner, inner]
    ds.ReferencedImageSequence.is_undefined_length = True
    return write(ds), write(ds, implicit=True)


# A small random tree of elements, in all four forms of length; the walker must see what pydicom sees.
leaves = st.sampled_from([0x00080060, 0x00100010, 0x00181030, 0x00280010])


@given(
    st.recursive(
        st.just([]),
        lambda inner: st.lists(inner, max_size=3),
        max_leaves=8,
    ),
    st.booleans(),
    st.booleans(),
)
def test_nested_sequences_in_any_form_of_length_are_stepped_over(
    tree: list[Any], undefined_sequence: bool, undefined_item: bool
) -> None:
    def sequence(items: list[Any]) -> bytes:
        body = b""
        for item in items:
            content = short(0x00080060, b"CS", b"CT") + sequence(item)
            if undefined_item:
                body += struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF) + content
                body += struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
            else:
                body += struct.pack("<HHI", 0xFFFE, 0xE000, len(content)) + content
        if undefined_sequence:
            return long(0x00081140, b"SQ", body + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0), 0xFFFFFFFF)
        return long(0x00081140, b"SQ", body)

    data = START + sequence(tree) + short(0x00100010, b"PN", b"A ")

    head = parse_file(data, complete=True)

    assert list(head.elements) == [0x00081140, 0x00100010]
    assert head.elements[0x00100010].end == len(data)


def test_more_bytes_are_asked_for_exactly() -> None:
    data = START + short(0x00080060, b"CS", b"CT") + long(0x00420011, b"OB", b"", 1000)

    with pytest.raises(NeedMoreBytes) as error:
        parse_file(data)

    assert error.value.at_least >= len(data) + 1000
