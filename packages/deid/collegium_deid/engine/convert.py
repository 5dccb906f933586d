"""Bring a whole file into a form the engine reads: Explicit VR Little Endian, not deflated.

Two transfer syntaxes are converted: Deflated Explicit VR Little Endian and the retired Explicit VR Big
Endian. Everything else goes back as it came. The object's content stays the same; only its bytes are in
another order. What lies behind the pixel data is left out, as `passage` would.
"""

from __future__ import annotations

import zlib
from array import array
from struct import Struct, pack
from typing import Final, TypeVar

from collegium_deid.dictionary import NUMBERS, VRS, show
from collegium_deid.engine.elements import (
    BIG_ENDIAN,
    DEFLATED,
    EXPLICIT_LITTLE_ENDIAN,
    ITEM,
    LONG,
    MAX_DEPTH,
    PIXEL_TAGS,
    SHORT,
    UNDEFINED,
    parse_meta,
    skip_undefined,
)
from collegium_deid.errors import NeedMoreBytes, Rejected

# Blank pictures deflate a thousandfold, so a ratio alone says nothing; both limits together do.
_ALWAYS_ALLOWED: Final = 64 * 1024 * 1024
_MAX_RATIO: Final = 100
_MAX_BYTES: Final = 2 * 1024 * 1024 * 1024

# Nearly all file meta information fits.
_META_BYTES: Final = 4096

Data = TypeVar("Data", bytes, memoryview)

_HEAD: Final = Struct(">HH2sH").unpack_from
_PLAIN_HEAD: Final = Struct(">HHI").unpack_from
_U32: Final = Struct(">I").unpack_from
_ITEM_END: Final = 0xFFFEE00D
_SEQUENCE_END: Final = 0xFFFEE0DD
_ITEM_TAG: Final = 0xFFFEE000
_BITS_ALLOCATED: Final = 0x00280100
# Bytes that change places together, PS3.5 section 7.3; VRs that are not here are strings of bytes.
_WORDS: Final = {
    **dict.fromkeys((b"AT", b"OW", b"SS", b"US"), "H"),
    **dict.fromkeys((b"FL", b"OF", b"OL", b"SL", b"UL"), "I"),
    **dict.fromkeys((b"FD", b"OD", b"OV", b"SV", b"UV"), "Q"),
}


def prepare(data: Data) -> Data | bytes:
    """The same object in a syntax that `clean_object` reads.

    Args:
        data: a whole Part 10 file, or a view of one.

    Returns:
        `data` itself unless it is deflated or big endian. From a big endian object, private elements
        of unknown VR are left out, because nobody can say in which order their bytes are.

    Raises:
        Rejected: it cannot be converted with certainty, or inflates beyond all measure.

    Source: DICOM PS3.5 sections 7.3, A.3 and A.5.
    """
    if data[128:132] != b"DICM":
        return data
    try:
        meta, start = _meta_of(data)
        syntax = meta.get(0x00020010, b"").rstrip(b"\0 ").decode("latin-1")
        if syntax not in (DEFLATED, BIG_ENDIAN):
            return data
        whole = bytes(data)
        out = [_file_start(whole, meta)]
        if syntax == DEFLATED:
            out.append(_inflated(whole, start))
        else:
            _Swap(whole, out).data_set(start, len(whole), depth=0)
        return b"".join(out)
    except NeedMoreBytes:
        raise _cut() from None


def _meta_of(data: bytes | memoryview) -> tuple[dict[int, bytes], int]:
    """Group 2 and where the data set begins, without a copy of the pixels."""
    size = _META_BYTES
    while True:
        try:
            return parse_meta(bytes(data[:size]), complete=size >= len(data))
        except NeedMoreBytes as error:
            if size >= len(data):
                raise
            size = error.at_least


def _file_start(data: bytes, meta: dict[int, bytes]) -> bytes:
    """Preamble and group 2 as they were, but for the transfer syntax."""
    out = []
    for tag, value in sorted((meta | {0x00020010: EXPLICIT_LITTLE_ENDIAN.encode() + b"\0"}).items()):
        if tag & 0xFFFF == 0:
            continue
        vr = VRS.get(tag, "UN").encode()
        head = pack("<HH2s", tag >> 16, tag & 0xFFFF, vr)
        out.append(head + (pack("<2xI", len(value)) if vr in LONG else pack("<H", len(value))) + value)
    body = b"".join(out)
    return data[:132] + pack("<HH2sHI", 2, 0, b"UL", 4, len(body)) + body


def _inflated(data: bytes, start: int) -> bytes:
    limit = min(max(_ALWAYS_ALLOWED, _MAX_RATIO * len(data)), _MAX_BYTES)
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        out = inflate.decompress(memoryview(data)[start:], limit)
    except zlib.error:
        raise Rejected("deid.malformed", "The deflated data set cannot be inflated.") from None
    if not inflate.eof:
        if len(out) >= limit:
            raise Rejected("deid.too_long", "The deflated data set grows beyond all measure.")
        raise _cut()
    return out


class _Swap:
    """One walk through a big endian data set; writes little endian with defined lengths."""

    def __init__(self, data: bytes, out: list[bytes]) -> None:
        self.data, self.out = data, out

    def data_set(self, pos: int, end: int, *, depth: int) -> int:
        """The elements from `pos` on; returns where they stop."""
        if depth > MAX_DEPTH:
            raise Rejected("deid.too_deep", f"Sequences are nested deeper than {MAX_DEPTH}.")
        bits = 0
        while pos < end:
            tag, vr, value, length = self.head(pos, end)
            if tag == _ITEM_END and depth:
                return value
            undefined = length == UNDEFINED
            stop = end if undefined else value + length
            if stop > end:
                raise _cut()
            if vr == b"SQ":
                pos = self.sequence(tag, value, stop, depth=depth, undefined=undefined)
            elif undefined:
                pos = self.unknown(tag, vr, value, end)
            else:
                if tag == _BITS_ALLOCATED:
                    bits = int.from_bytes(self.data[value:stop], "big")
                self.leaf(tag, vr, self.data[value:stop], bits)
                pos = stop
                if tag in PIXEL_TAGS and not depth:
                    return end
        return pos

    def unknown(self, tag: int, vr: bytes, pos: int, end: int) -> int:
        """UN of undefined length is implicit little endian whatever surrounds it (PS3.5 section 6.2.2)."""
        if vr != b"UN":
            raise Rejected("deid.malformed", f"{show(tag)} has no length in a big endian object.")
        after = skip_undefined(self.data, pos, fragments=False, explicit=False)
        if after > end:
            raise _cut()
        self.put(tag, vr, self.data[pos:after], UNDEFINED)
        return after

    def head(self, pos: int, end: int) -> tuple[int, bytes, int, int]:
        """Tag, VR, start of the value and length."""
        if pos + 8 > end:
            raise _cut()
        group, number, vr, length = _HEAD(self.data, pos)
        tag = group << 16 | number
        if tag == _ITEM_END or vr in SHORT:
            return tag, vr, pos + 8, length
        if vr not in LONG:
            raise Rejected("deid.malformed", f"{show(tag)} has no known VR.")
        if pos + 12 > end:
            raise _cut()
        return tag, vr, pos + 12, _U32(self.data, pos + 8)[0]

    def sequence(self, tag: int, pos: int, end: int, *, depth: int, undefined: bool) -> int:
        content: list[bytes] = []
        while pos < end:
            if pos + 8 > end:
                raise _cut()
            group, number, length = _PLAIN_HEAD(self.data, pos)
            pos += 8
            mark = group << 16 | number
            if mark == _SEQUENCE_END and undefined:
                undefined = False
                break
            stop = end if length == UNDEFINED else pos + length
            if mark != _ITEM_TAG or stop > end:
                raise Rejected("deid.malformed", f"{show(tag)} holds something that is not an item.")
            inner: list[bytes] = []
            pos = _Swap(self.data, inner).data_set(pos, stop, depth=depth + 1)
            body = b"".join(inner)
            content.append(pack("<II", ITEM, len(body)) + body)
        if undefined:
            raise _cut()
        self.put(tag, b"SQ", b"".join(content))
        return pos

    def leaf(self, tag: int, vr: bytes, value: bytes, bits: int) -> None:
        if vr == b"UN":
            if tag >> 16 & 1:
                return
            if VRS.get(tag) in NUMBERS:
                raise Rejected("deid.syntax_declined", f"{show(tag)} does not say how its bytes are ordered.")
        if tag in PIXEL_TAGS and bits > 16 and vr == b"OW":
            # The standard swaps words of 16 bits here, common software whole samples.
            message = (
                "Big endian pixels of more than 16 bits can be read in two ways. Convert the object first."
            )
            raise Rejected("deid.syntax_declined", message)
        words = _WORDS.get(vr)
        if words is not None:
            try:
                swapped = array(words, value)
            except ValueError:
                raise Rejected(
                    "deid.malformed", f"{show(tag)} has a length that does not fit its VR."
                ) from None
            swapped.byteswap()
            value = swapped.tobytes()
        self.put(tag, vr, value)

    def put(self, tag: int, vr: bytes, value: bytes, length: int | None = None) -> None:
        head = pack("<HH2s", tag >> 16, tag & 0xFFFF, vr)
        size = len(value) if length is None else length
        self.out += (head, pack("<2xI", size) if vr in LONG else pack("<H", size), value)


def _cut() -> Rejected:
    return Rejected("deid.truncated", "The file ends in the middle of an element.")
