"""Walk a DICOM Part 10 header as raw tag-length-value bytes.

Explicit and implicit VR little endian; sequences and items of defined and undefined length; group 2.
Nothing is decoded and nothing copied: an element is a place in the buffer. Offsets count from the
first byte of the file. Big endian and deflated data sets are for `convert`. What the values mean, and what
becomes of them, is for others.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from struct import Struct
from typing import Final, NamedTuple

from collegium_deid.dictionary import VRS, show, vr_of
from collegium_deid.errors import NeedMoreBytes, Rejected

HEAD: Final = Struct("<HH2sH").unpack_from
IMPLICIT_HEAD: Final = Struct("<HHI").unpack_from
U16: Final = Struct("<H").unpack_from
U32: Final = Struct("<I").unpack_from
ITEM_HEAD: Final = Struct("<II").unpack_from
UNDEFINED: Final = 0xFFFFFFFF
ITEM: Final = 0xE000FFFE  # the two halves of (FFFE,E000) as one little endian number
ITEM_END: Final = 0xE00DFFFE
SEQUENCE_END: Final = 0xE0DDFFFE
ITEM_END_TAG: Final = 0xFFFEE00D

LONG: Final = frozenset(
    (b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV")
)
SHORT: Final = frozenset(
    vr.encode()
    for vr in [
        "AE",
        "AS",
        "AT",
        "CS",
        "DA",
        "DS",
        "DT",
        "FD",
        "FL",
        "IS",
        "LO",
        "LT",
        "PN",
        "SH",
        "SL",
        "SS",
        "ST",
        "TM",
        "UI",
        "UL",
        "US",
    ]
)

# Deeper nesting than this is no image anyone made: real objects stay below 10.
MAX_DEPTH: Final = 32
# A header longer than this is declined, so that no length field can make a caller read for ever.
MAX_HEAD_BYTES: Final = 512 * 1024 * 1024

EXPLICIT_LITTLE_ENDIAN: Final = "1.2.840.10008.1.2.1"
IMPLICIT_LITTLE_ENDIAN: Final = "1.2.840.10008.1.2"
BIG_ENDIAN: Final = "1.2.840.10008.1.2.2"
DEFLATED: Final = "1.2.840.10008.1.2.1.99"
_CONVERTIBLE: Final = {
    BIG_ENDIAN: "Explicit VR Big Endian",
    DEFLATED: "Deflated Explicit VR Little Endian",
}
_DECLINED: Final = {
    "1.2.840.10008.1.2.4.95": "JPIP Referenced Deflate",
    "1.2.840.10008.1.2.4.205": "JPIP HTJ2K Referenced Deflate",
}

# Float, double float and integer pixel data: whichever comes first ends the header.
PIXEL_TAGS: Final = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_FIRST_PIXEL_TAG: Final = min(PIXEL_TAGS)
# Twice as fast as the class's own, and a header has hundreds of elements.
_new: Final = tuple.__new__


class Element(NamedTuple):
    """One data element of the top level: where it begins, where its value lies, where the next begins."""

    tag: int
    vr: bytes
    start: int
    value: int
    end: int
    undefined: bool


@dataclass(frozen=True)
class FileHead:
    """The walked header of one file; `buf` is the caller's buffer, not a copy."""

    buf: bytes = field(repr=False)
    meta: dict[int, bytes]
    """Group 2: tag to raw value."""
    transfer_syntax_uid: str
    explicit: bool
    dataset_start: int
    pixel_start: int | None
    """Where the pixel data element begins; None when the file ends without one."""
    elements: dict[int, Element]
    """The top level of the data set, in the order of the file, up to the pixel data."""

    def raw(self, tag: int) -> bytes:
        """The value's bytes of a top-level element; empty when it is absent."""
        found = self.elements.get(tag)
        return b"" if found is None else self.buf[found.value : found.end]

    def text(self, tag: int) -> str:
        """The value as text without padding, ASCII and Latin-1 only; for UIDs, codes and numbers."""
        return self.raw(tag).decode("latin-1").strip("\0 ")


def parse_file(buf: bytes, *, complete: bool = False) -> FileHead:
    """Walk a Part 10 file from its preamble to its pixel data, or to its end.

    Args:
        buf: the file's first bytes. `bytes`, because slices are kept as dictionary keys.
        complete: True when `buf` is the whole file. Only then may a header end without pixel data:
            otherwise nobody could tell an end from a pause.

    Raises:
        NeedMoreBytes: the header goes on behind `buf` (never when `complete`).
        Rejected: not Part 10, a syntax that is declined, a malformed or truncated header.
    """
    try:
        return _parse_file(buf, complete=complete)
    except NeedMoreBytes as error:
        if error.at_least > MAX_HEAD_BYTES:
            raise Rejected("deid.header_too_long", "An element says it is longer than any header.") from None
        if complete:
            raise Rejected("deid.truncated", "The file ends in the middle of its header.") from None
        raise


def _parse_file(buf: bytes, *, complete: bool) -> FileHead:
    if len(buf) < 132:
        raise NeedMoreBytes(132)
    if buf[128:132] != b"DICM":
        raise Rejected("deid.not_part10", "The file has no DICM mark after its preamble.")
    meta, start = parse_meta(buf, complete=complete)
    syntax = meta.get(0x00020010, b"").rstrip(b"\0 ").decode("latin-1")
    if not syntax:
        raise Rejected("deid.no_transfer_syntax", "The file meta information names no transfer syntax.")
    if syntax in _CONVERTIBLE:
        raise Rejected(
            "deid.syntax_declined", f"{_CONVERTIBLE[syntax]} is not read as it is. Prepare the object first."
        )
    if syntax in _DECLINED:
        raise Rejected(
            "deid.syntax_declined", f"{_DECLINED[syntax]} is not supported. Convert the object first."
        )
    if not syntax.startswith("1.2.840.10008.1.2"):
        raise Rejected("deid.syntax_declined", "The transfer syntax is private to a vendor.")
    explicit = syntax != IMPLICIT_LITTLE_ENDIAN
    elements, pixel_start = walk(buf, start, explicit=explicit, complete=complete)
    return FileHead(buf, meta, syntax, explicit, start, pixel_start, elements)


def parse_meta(buf: bytes, *, complete: bool) -> tuple[dict[int, bytes], int]:
    """Group 2, always explicit little endian, and where the data set begins.

    Its group length is not trusted, its tags are.

    Raises:
        NeedMoreBytes: `buf` ends before group 2 does, and is not `complete`.
        Rejected: it is malformed or cut.
    """
    meta: dict[int, bytes] = {}
    pos = 132
    while True:
        over = buf[pos : pos + 2] != b"\2\0"
        if pos + 12 > len(buf) and not (complete and over):
            raise NeedMoreBytes(pos + 12)
        if over:
            return meta, pos
        group, number, vr, length = HEAD(buf, pos)
        value = pos + 8
        if vr in LONG:
            length, value = U32(buf, pos + 8)[0], pos + 12
        elif vr not in SHORT:
            raise Rejected("deid.malformed", f"{show(group << 16 | number)} has no known VR.")
        pos = value + length
        if pos > len(buf):
            raise NeedMoreBytes(pos + 12)
        meta[group << 16 | number] = buf[value:pos]


def walk(buf: bytes, start: int, *, explicit: bool, complete: bool) -> tuple[dict[int, Element], int | None]:
    """The top level of a data set, sequences stepped over; stops before pixel data.

    Returns:
        The elements by tag, and where the pixel data begins; None without any.

    Raises:
        NeedMoreBytes: `buf` ends before the data set does.
        Rejected: it is malformed.
    """
    elements: dict[int, Element] = {}
    head = _explicit_head if explicit else _implicit_head
    pos, size, last = start, len(buf), -1
    while pos < size:
        if pos + 12 > size and not (complete and pos + 8 <= size):
            raise NeedMoreBytes(pos + 12)
        # Most elements are explicit and short: read here, because a call costs as much as the reading.
        group, number, vr, length = HEAD(buf, pos)
        if explicit and vr in SHORT:
            tag, value = group << 16 | number, pos + 8
        else:
            tag, vr, value, length = head(buf, pos)
        if tag <= last:
            _refuse_order(tag, elements)
        last = tag
        if length == UNDEFINED and tag not in PIXEL_TAGS:
            sequence = vr in (b"SQ", b"UN")
            end = skip_undefined(buf, value, fragments=not sequence, explicit=explicit and vr == b"SQ")
            elements[tag] = _new(Element, (tag, vr, pos, value, end, True))
            pos = end
            continue
        if tag >= _FIRST_PIXEL_TAG and tag in PIXEL_TAGS:
            return elements, pos
        end = value + length
        if end > size:
            raise NeedMoreBytes(end + 12)
        elements[tag] = _new(Element, (tag, vr, pos, value, end, False))
        pos = end
    if not complete:
        raise NeedMoreBytes(size + 12)
    return elements, None


def _explicit_head(buf: bytes, pos: int) -> tuple[int, bytes, int, int]:
    """Tag, VR, start of the value and length; the caller has seen to 12 bytes, or 8 at the very end."""
    group, number, vr, length = HEAD(buf, pos)
    if vr in SHORT:
        return group << 16 | number, vr, pos + 8, length
    if vr not in LONG:
        raise Rejected("deid.malformed", f"{show(group << 16 | number)} has no known VR.")
    if pos + 12 > len(buf):
        raise NeedMoreBytes(pos + 12)
    return group << 16 | number, vr, pos + 12, U32(buf, pos + 8)[0]


def _implicit_head(buf: bytes, pos: int) -> tuple[int, bytes, int, int]:
    group, number, length = IMPLICIT_HEAD(buf, pos)
    tag = group << 16 | number
    return tag, implicit_vr(tag), pos + 8, length


def _refuse_order(tag: int, elements: dict[int, Element]) -> None:
    if tag in elements:
        raise Rejected("deid.malformed", f"{show(tag)} is there twice.")
    raise Rejected("deid.malformed", f"{show(tag)} is out of order.")


def implicit_vr(tag: int) -> bytes:
    """VR of an element that does not say it: the dictionary's; UN when that does not know the tag."""
    vr = VRS.get(tag) or vr_of(tag)
    return b"UN" if vr is None else vr.encode()


def skip_undefined(buf: bytes, pos: int, *, fragments: bool, explicit: bool, depth: int = 1) -> int:
    """The offset behind a value of undefined length that begins at `pos`.

    `fragments`: its items hold bytes (encapsulated pixel data), not data sets. `explicit`: the VR form
    inside; UN of undefined length is implicit (PS3.5 section 6.2.2).

    Raises:
        NeedMoreBytes: `buf` ends before the value does.
        Rejected: it is malformed, or nested too deeply.
    """
    if depth > MAX_DEPTH:
        raise Rejected("deid.too_deep", f"Sequences are nested deeper than {MAX_DEPTH}.")
    size = len(buf)
    while True:
        if pos + 8 > size:
            raise NeedMoreBytes(pos + 8)
        mark, length = ITEM_HEAD(buf, pos)
        pos += 8
        if mark == SEQUENCE_END:
            return pos
        if mark != ITEM:
            raise Rejected("deid.malformed", "A sequence holds something that is not an item.")
        if length == UNDEFINED:
            if fragments:
                raise Rejected("deid.malformed", "A pixel fragment has no length.")
            pos = _skip_item(buf, pos, explicit=explicit, depth=depth)
        else:
            pos += length
            if pos > size:
                raise NeedMoreBytes(pos + 8)


def _skip_item(buf: bytes, pos: int, *, explicit: bool, depth: int) -> int:
    size = len(buf)
    while True:
        if pos + 8 > size:
            raise NeedMoreBytes(pos + 8)
        mark, length = ITEM_HEAD(buf, pos)
        if mark == ITEM_END:
            return pos + 8
        vr = b""
        value = pos + 8
        if explicit:
            vr, length = buf[pos + 4 : pos + 6], length >> 16
            if vr in LONG:
                if pos + 12 > size:
                    raise NeedMoreBytes(pos + 12)
                length, value = U32(buf, pos + 8)[0], pos + 12
            elif vr not in SHORT:
                raise Rejected("deid.malformed", "An element inside a sequence has no known VR.")
        if length == UNDEFINED:
            pos = skip_undefined(
                buf,
                value,
                fragments=explicit and vr not in (b"SQ", b"UN"),
                explicit=explicit and vr == b"SQ",
                depth=depth + 1,
            )
        else:
            pos = value + length
            if pos > size:
                raise NeedMoreBytes(pos + 8)


def element_at(buf: bytes, pos: int, limit: int, *, explicit: bool) -> Element:
    """One element inside an item; `end` is the limit when its length is undefined.

    Raises:
        Rejected: it is malformed, or longer than its item.
    """
    if pos + 8 > limit:
        raise overrun()
    group, number, length = IMPLICIT_HEAD(buf, pos)
    tag = group << 16 | number
    value = pos + 8
    if tag == ITEM_END_TAG:
        return Element(tag, b"", pos, value, value, undefined=False)
    if explicit:
        _, _, vr, length = HEAD(buf, pos)
        if vr in LONG:
            if pos + 12 > limit:
                raise overrun()
            length, value = U32(buf, pos + 8)[0], pos + 12
        elif vr not in SHORT:
            raise Rejected("deid.malformed", f"{show(tag)} inside a sequence has no known VR.")
    else:
        vr = implicit_vr(tag)
    undefined = length == UNDEFINED and vr not in SHORT
    end = limit if undefined else value + length
    if end > limit:
        raise overrun()
    return _new(Element, (tag, vr, pos, value, end, undefined))


def overrun() -> Rejected:
    """The walk over the top level has seen the whole sequence, so a lack of bytes is a wrong length."""
    return Rejected("deid.malformed", "A length inside a sequence leaves the sequence.")
