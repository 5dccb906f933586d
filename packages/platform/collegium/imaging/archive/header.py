"""Walk the header of a Part 10 object: where every element is, nothing decoded that nobody asks for.

Little endian, explicit or implicit VR. The walk stops at the pixel data, so the bytes
may be the beginning of a longer file. It trusts no length: each is checked against
what is there.

Source: DICOM PS3.5 section 7, PS3.10 section 7.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from pydicom.datadict import dictionary_VR

from collegium.imaging.archive.errors import (
    HeaderTooLarge,
    IdentityMissing,
    LengthsDisagree,
    MetaDisagrees,
    NotDicom,
    ObjectTruncated,
    SyntaxUnsupported,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

IMPLICIT = "1.2.840.10008.1.2"
NATIVE = frozenset({IMPLICIT, "1.2.840.10008.1.2.1"})
_REFUSED = frozenset({"1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"})
_PIXELS = frozenset({0x7FE00010, 0x7FE00008, 0x7FE00009})
UNDEFINED = 0xFFFFFFFF
MAX_DEPTH = 16
HEADER_LIMIT_BYTES = 64 << 20
_ITEM, _ITEM_END, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE00D, 0xFFFEE0DD
_LONG = frozenset({b"OB", b"OD", b"OF", b"OL", b"OV", b"OW", b"SQ", b"SV", b"UC", b"UN", b"UR", b"UT", b"UV"})
_VRS = _LONG | frozenset(
    {
        b"AE", b"AS", b"AT", b"CS", b"DA", b"DS", b"DT", b"FL", b"FD", b"IS", b"LO", b"LT",
        b"PN", b"SH", b"SL", b"SS", b"ST", b"TM", b"UI", b"UL", b"US",
    }
)  # fmt: skip
_SHORT_NAMES = {vr: vr.decode() for vr in _VRS - _LONG}
_LONG_NAMES = {vr: vr.decode() for vr in _LONG}
_UID = re.compile(r"(?=.{1,64}$)(?:0|[1-9][0-9]*)(?:\.(?:0|[1-9][0-9]*))+")
_tag_pair = struct.Struct("<HH")
_short_head = struct.Struct("<HH2sH")
_u16 = struct.Struct("<H")
_u32 = struct.Struct("<I")


class NeedMore(Exception):
    """The header is not complete yet."""


class Element(NamedTuple):
    """Where a value is. `length` is UNDEFINED only for pixel data, then `end` is not known."""

    vr: str
    offset: int
    length: int
    is_undefined: bool = False
    """A sequence of undefined length; `length` then is what the walk found, without its delimiter."""


@dataclass(frozen=True)
class Header:
    """A walked header. `raw` are the bytes that were walked."""

    raw: bytes
    transfer_syntax_uid: str
    elements: dict[int, Element]
    pixel_tag: int | None
    end: int
    """Offset of the first pixel byte; without pixel data the end of the object."""

    @property
    def is_explicit(self) -> bool:
        return self.transfer_syntax_uid != IMPLICIT

    @property
    def pixel(self) -> Element | None:
        return self.elements.get(self.pixel_tag) if self.pixel_tag else None

    def bytes_of(self, tag: int) -> bytes:
        found = self.elements.get(tag)
        return self.raw[found.offset : found.offset + found.length] if found else b""

    def text(self, tag: int) -> str:
        """The value of a code or UID, without its padding; empty when missing."""
        return self.bytes_of(tag).decode("ascii", "replace").strip(" \0")

    def number(self, tag: int, default: int = 0) -> int:
        """The first value of a US or IS."""
        found = self.elements.get(tag)
        if not found or not found.length:
            return default
        if found.vr == "IS":
            try:
                return int(self.text(tag).split("\\")[0])
            except ValueError:
                raise LengthsDisagree("A number of the header is not a number.") from None
        if found.length < 2:
            raise LengthsDisagree
        return int(_u16.unpack_from(self.raw, found.offset)[0])


def walk(raw: bytes, *, is_complete: bool) -> Header:
    """Walk `raw`, which begins with the preamble.

    Args:
        raw: the first bytes of an object, or all of it.
        is_complete: nothing comes after `raw`.

    Raises:
        NeedMore: the header goes on after `raw`.
        ObjectInvalid: what it is that cannot be taken in.
    """
    try:
        return _walk(raw, is_complete=is_complete)
    except (_Short, struct.error, IndexError):
        if is_complete:
            raise ObjectTruncated from None
        if len(raw) >= HEADER_LIMIT_BYTES:
            raise HeaderTooLarge from None
        raise NeedMore from None


class _Short(Exception):
    """The bytes end inside an element."""


def _walk(raw: bytes, *, is_complete: bool) -> Header:
    if len(raw) < 132:
        raise _Short
    if raw[128:132] != b"DICM":
        raise NotDicom
    meta, start = _meta(raw)
    syntax = meta.get(0x00020010, "")
    if syntax in _REFUSED:
        raise SyntaxUnsupported
    if not is_uid(syntax):
        raise IdentityMissing
    elements: dict[int, Element] = {}
    pixel_tag = None
    end = len(raw)
    before = -1
    for tag, element in _elements(raw, start, len(raw), is_explicit=syntax != IMPLICIT, depth=0):
        if tag <= before:
            raise LengthsDisagree("The elements of the file are not in order.")
        before = tag
        elements[tag] = element
        if tag in _PIXELS:
            pixel_tag, end = tag, element.offset
            break
    if pixel_tag is None and not is_complete:
        raise _Short  # the bytes may just happen to end between two elements
    header = Header(raw[:end], syntax, elements, pixel_tag, end)
    _require_agreement(header, meta)
    return header


def _require_agreement(header: Header, meta: dict[int, str]) -> None:
    for tag in (0x00080016, 0x00080018, 0x0020000D, 0x0020000E):
        if not is_uid(header.text(tag)):
            raise IdentityMissing
    if meta.get(0x00020002) != header.text(0x00080016) or meta.get(0x00020003) != header.text(0x00080018):
        raise MetaDisagrees


def is_uid(text: str) -> bool:
    """Whether `text` has the form of a UID (PS3.5 chapter 9)."""
    return bool(_UID.fullmatch(text))


def _meta(raw: bytes) -> tuple[dict[int, str], int]:
    """File meta: always explicit little endian; ends where group 2 ends."""
    found: dict[int, str] = {}
    position = 132
    while True:
        group, number = _tag_pair.unpack_from(raw, position)
        if group != 2:
            return found, position
        vr = raw[position + 4 : position + 6]
        if vr in _LONG:
            length, offset = _u32.unpack_from(raw, position + 8)[0], position + 12
        elif vr in _VRS:
            length, offset = _u16.unpack_from(raw, position + 6)[0], position + 8
        elif len(vr) < 2:
            raise _Short
        else:
            raise NotDicom
        if length == UNDEFINED:
            raise LengthsDisagree
        if offset + length > len(raw):
            raise _Short
        if vr == b"UI":
            found[group << 16 | number] = (
                raw[offset : offset + length].decode("ascii", "replace").strip(" \0")
            )
        position = offset + length


def _elements(
    raw: bytes, position: int, end: int, *, is_explicit: bool, depth: int
) -> Iterator[tuple[int, Element]]:
    """Elements from `position` to `end`; inside an item of undefined length, to its delimiter.

    The walk of pixel data stops at its offset: the caller breaks there.
    """
    if depth > MAX_DEPTH:
        raise LengthsDisagree("The sequences of the file are nested too deeply.")
    names, head = _SHORT_NAMES if is_explicit else {}, _short_head.unpack_from
    while position < end:
        group, number, code, length = head(raw, position)
        vr = names.get(code, "")
        tag, offset = group << 16 | number, position + 8
        if not vr or group == 0xFFFE:  # nearly every element has a short form; a call for each costs a third
            tag, vr, offset, length = _head(raw, position, is_explicit=is_explicit)
        if tag in _PIXELS and depth == 0:
            yield tag, Element(vr, offset, length, length == UNDEFINED)
            return
        if length == UNDEFINED:
            if vr not in ("SQ", "UN"):
                raise LengthsDisagree
            # UN of undefined length is encoded as implicit VR (PS3.5, 6.2.2 note 2).
            stop = _sequence_end(raw, offset, end, is_explicit=is_explicit and vr == "SQ", depth=depth)
            yield tag, Element(vr, offset, stop - 8 - offset, is_undefined=True)
            position = stop
            continue
        position = offset + length
        if position > end:
            if depth:
                raise LengthsDisagree
            raise _Short
        yield tag, Element(vr, offset, length)


def _head(raw: bytes, position: int, *, is_explicit: bool) -> tuple[int, str, int, int]:
    """Tag, VR, offset and length of the value of the element at `position`."""
    group, number, code, length = _short_head.unpack_from(raw, position)
    tag = group << 16 | number
    if group == 0xFFFE:
        raise LengthsDisagree
    if not is_explicit:
        return tag, _implicit_vr(tag), position + 8, _u32.unpack_from(raw, position + 4)[0]
    vr = _SHORT_NAMES.get(code)
    if vr is not None:
        return tag, vr, position + 8, length
    vr = _LONG_NAMES.get(code)
    if vr is not None:
        return tag, vr, position + 12, _u32.unpack_from(raw, position + 8)[0]
    raise LengthsDisagree("An element of the file has a value representation that does not exist.")


@lru_cache(maxsize=4096)
def _implicit_vr(tag: int) -> str:
    try:
        return dictionary_VR(tag)[:2]
    except KeyError:
        return "UL" if not tag & 0xFFFF else "UN"


def _sequence_end(raw: bytes, position: int, end: int, *, is_explicit: bool, depth: int) -> int:
    """Offset after the delimiter of a sequence of undefined length."""
    while True:
        tag, length = _item(raw, position, end)
        position += 8
        if tag == _SEQUENCE_END:
            return position
        if length == UNDEFINED:
            position = _item_end(raw, position, end, is_explicit=is_explicit, depth=depth + 1)
        else:
            position += length
            if position > end:
                raise _Short


def _item(raw: bytes, position: int, end: int) -> tuple[int, int]:
    if position + 8 > end:
        raise _Short
    group, number = _tag_pair.unpack_from(raw, position)
    tag = group << 16 | number
    if tag not in (_ITEM, _SEQUENCE_END):
        raise LengthsDisagree
    return tag, _u32.unpack_from(raw, position + 4)[0]


def _item_end(raw: bytes, position: int, end: int, *, is_explicit: bool, depth: int) -> int:
    """Offset after the delimiter of an item of undefined length."""
    if depth > MAX_DEPTH:
        raise LengthsDisagree("The sequences of the file are nested too deeply.")
    while True:
        if position + 8 > end:
            raise _Short
        group, number = _tag_pair.unpack_from(raw, position)
        if group << 16 | number == _ITEM_END:
            return position + 8
        _, vr, offset, length = _head(raw, position, is_explicit=is_explicit)
        if length == UNDEFINED:
            if vr not in ("SQ", "UN"):
                raise LengthsDisagree
            position = _sequence_end(raw, offset, end, is_explicit=is_explicit and vr == "SQ", depth=depth)
        else:
            position = offset + length
        if position > end:
            raise _Short


def items_of(raw: bytes, element: Element, *, is_explicit: bool) -> Iterator[dict[int, Element]]:
    """The items of a sequence, each as its elements."""
    position, end = element.offset, element.offset + element.length
    while position < end:
        tag, length = _item(raw, position, end)
        position += 8
        if tag == _SEQUENCE_END:
            return
        stop = (
            _item_end(raw, position, len(raw), is_explicit=is_explicit, depth=1)
            if length == UNDEFINED
            else position + length
        )
        inner = stop - 8 if length == UNDEFINED else stop
        if inner > end:
            raise LengthsDisagree
        yield dict(_elements(raw, position, inner, is_explicit=is_explicit, depth=1))
        position = stop
