from __future__ import annotations

import os
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collegium.kit.multipart import (
    Limits,
    MultipartCut,
    MultipartError,
    MultipartLies,
    MultipartLimit,
    MultipartParser,
    PartBegins,
    PartBytes,
    PartEnds,
    boundary_of,
)

BOUNDARY = b"simple-boundary"

Part = tuple[dict[str, str], bytes]


def body_of(parts: list[Part], boundary: bytes = BOUNDARY, *, preamble: bytes = b"") -> bytes:
    out = preamble
    for headers, content in parts:
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items()).encode()
        out += b"\r\n--" + boundary + b"\r\n" + lines + b"\r\n" + content
    return (out + b"\r\n--" + boundary + b"--\r\n").removeprefix(b"" if preamble else b"\r\n")


def parsed(chunks: list[bytes], limits: Limits | None = None, boundary: bytes = BOUNDARY) -> list[Part]:
    parser = MultipartParser(boundary, limits)
    found: list[Part] = []
    open_part = bytearray()
    headers: dict[str, str] = {}
    for chunk in chunks:
        for happening in parser.feed(chunk):
            match happening:
                case PartBegins():
                    headers, open_part = dict(happening.headers), bytearray()
                case PartBytes():
                    open_part += happening.piece
                case PartEnds():
                    found.append((headers, bytes(open_part)))
    parser.close()
    return found


def pieces(body: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted({cut % (len(body) + 1) for cut in cuts}), len(body)]
    return [body[start:end] for start, end in pairwise(edges)]


# Bytes that look like pieces of a delimiter, and other ones.
CONTENT = st.lists(
    st.sampled_from(
        [b"\r\n", b"--", b"-", b"\r", b"\n", b"simple-boundar", b"\r\n--simple", b"x", b"\0" * 40]
    ),
    max_size=30,
).map(b"".join)


@given(st.lists(st.tuples(st.booleans(), CONTENT), max_size=6), st.lists(st.integers(0, 5000), max_size=40))
@settings(max_examples=300, deadline=None)
def test_a_body_cut_anywhere_gives_the_same_parts(wanted: list[tuple[bool, bytes]], cuts: list[int]) -> None:
    parts: list[Part] = [
        (
            {"content-type": "application/dicom"}
            | ({"content-length": str(len(content))} if counted else {}),
            content,
        )
        for counted, content in wanted
    ]

    assert parsed(pieces(body_of(parts), cuts)) == parts


@given(st.binary(max_size=300), st.lists(st.integers(0, 500), max_size=20))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_parsed_or_refused_and_never_crash(noise: bytes, cuts: list[int]) -> None:
    body = b"--simple-boundary\r\n" + noise

    try:
        parsed(pieces(body, cuts))
    except MultipartError:
        refused = True
    else:
        refused = False

    assert refused or body.count(BOUNDARY) > 1


def test_every_single_byte_may_be_its_own_chunk() -> None:
    parts: list[Part] = [
        ({"a": "1", "content-length": "3"}, b"abc"),
        ({}, b"\r\n--simple-boundar"),
        ({}, b""),
    ]

    assert parsed([bytes([byte]) for byte in body_of(parts, preamble=b"ignored")]) == parts


def test_a_counted_part_may_hold_its_own_boundary() -> None:
    content = b"\r\n--simple-boundary--\r\n"

    assert parsed([body_of([({"content-length": str(len(content))}, content)])])[0][1] == content


def test_a_large_part_passes_uncopied() -> None:
    content = os.urandom(1 << 20)
    body = body_of([({"content-length": str(len(content))}, content)])

    assert parsed([body[i : i + 65_536] for i in range(0, len(body), 65_536)])[0][1] == content


def test_a_cut_body_is_said_to_be_cut() -> None:
    body = body_of([({}, b"content")])

    for end in (0, 5, 20, 30, len(body) - 5):
        with pytest.raises(MultipartCut):
            parsed([body[:end]])


@pytest.mark.parametrize("length", ["2", "8", "999999999999", "-1", "seven", "7.0", "+7", "1" * 19])
def test_a_part_that_lies_about_its_length_is_refused(length: str) -> None:
    body = body_of([({"content-length": length}, b"content"), ({}, b"more")])

    with pytest.raises((MultipartLies, MultipartCut)):
        parsed([body])


def test_a_million_parts_are_refused_early() -> None:
    parser = MultipartParser(BOUNDARY, Limits(parts=1000))
    chunk = b"\r\n--simple-boundary\r\n\r\n" * 1000

    with pytest.raises(MultipartLimit):
        any(happening is None for _ in range(1000) for happening in parser.feed(chunk))


@pytest.mark.parametrize(
    "body",
    [
        b"--simple-boundary\r\n" + b"a: b\r\n" * 10_000,
        b"--simple-boundary\r\na: " + b"b" * 100_000,
        b"--simple-boundary" + b" " * 100_000,
        b"--simple-boundary\r\n" + b"".join(b"a%d: b\r\n" % n for n in range(100)) + b"\r\n",
    ],
)
def test_endless_headers_are_refused(body: bytes) -> None:
    with pytest.raises(MultipartLimit):
        parsed([body])


@pytest.mark.parametrize(
    "body",
    [
        b"no boundary here" * 10_000,
        b"--simple-boundaryx\r\n\r\n",
        b"--simple-boundary\r\nno colon\r\n\r\n",
        b"--simple-boundary\r\n folded: x\r\n\r\n",
        b"--simple-boundary\r\na: 1\r\nA: 2\r\n\r\n",
        b"--simple-boundary\r\na: 1\nb: 2\r\n\r\n",
    ],
)
def test_what_is_not_multipart_is_refused(body: bytes) -> None:
    with pytest.raises(MultipartError):
        parsed([body])


@pytest.mark.parametrize(
    ("content_type", "boundary"),
    [
        ('multipart/related; type="application/dicom"; boundary=abc', b"abc"),
        ('Multipart/Related;boundary="a b:c";type=x', b"a b:c"),
        ('multipart/related; start="a;boundary=no"; boundary=yes', b"yes"),
    ],
)
def test_the_boundary_is_read_from_the_content_type(content_type: str, boundary: bytes) -> None:
    assert boundary_of(content_type) == boundary


@pytest.mark.parametrize(
    "content_type",
    [
        "multipart/form-data; boundary=abc",
        "multipart/related",
        "",
        "multipart/related; boundary=",
        f"multipart/related; boundary={'a' * 71}",
        'multipart/related; boundary="ends with a space "',
        "multipart/related; boundary=å",
    ],
)
def test_another_type_or_no_boundary_is_refused(content_type: str) -> None:
    with pytest.raises(MultipartError):
        boundary_of(content_type)
