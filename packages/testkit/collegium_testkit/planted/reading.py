"""Read an output back, for the scorer: a plain reader of its own, neither the product's nor pydicom's.

Little endian, explicit or implicit; UN that begins with an item is read as the sequence it hides.
"""

import functools
import struct
import zlib
from dataclasses import dataclass, field
from typing import Final

from pydicom.datadict import dictionary_VR

from collegium_testkit.planted.table import rows
from collegium_testkit.planted.tree import LONG, Syntax

_NO_LENGTH: Final = 0xFFFFFFFF
_PIXELS: Final = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})

Key = int | tuple[str, int]
"""A tag; for a private element its creator and the tag with the block's byte cleared."""


class Unreadable(ValueError):
    """The output is no Part 10 file that can be read to its end."""


@dataclass(slots=True)
class Found:
    """One element of an output."""

    vr: str
    value: bytes
    items: list[dict[Key, "Found"]] | None = None

    def everything(self) -> bytes:
        """Its bytes and those of all it holds."""
        inner = b"".join(found.everything() for item in self.items or () for found in item.values())
        return self.value + inner


@dataclass
class Output:
    """One object as it came out."""

    head: bytes
    """All bytes but those of the pixel data element."""
    meta: dict[Key, Found]
    top: dict[Key, Found]
    pixels: bytes
    """The value of the pixel data element."""
    behind: bytes = field(default=b"")
    """What lies behind the pixel data."""


@functools.cache
def _vr(tag: int) -> str:
    try:
        return dictionary_VR(tag).split(" ")[0]
    except KeyError:
        return next((row.vr for row in rows() if row.tag == tag), "UN") or "UN"


def read(data: bytes) -> Output:
    """Read a Part 10 file.

    Raises:
        Unreadable: its lengths do not fit its bytes.
    """
    try:
        return _read(data)
    except (struct.error, IndexError, zlib.error) as error:
        raise Unreadable(str(error)) from error


def _read(data: bytes) -> Output:
    if data[128:132] != b"DICM":
        raise Unreadable("no mark of Part 10")
    end = 132
    while data[end : end + 2] == b"\2\0":
        long = data[end + 4 : end + 6].decode("latin-1") in LONG
        end += (
            12 + struct.unpack_from("<I", data, end + 8)[0]
            if long
            else 8 + struct.unpack_from("<H", data, end + 6)[0]
        )
    meta = _Reader(data[:end], explicit=True).item(132, end)[0]
    syntax = _text(meta.get(0x00020010))
    head, body = data[:end], data[end:]
    if syntax == Syntax.DEFLATED:
        body = zlib.decompress(body, -zlib.MAX_WBITS)
    reader = _Reader(body, explicit=syntax != Syntax.IMPLICIT)
    top, stop = reader.item(0, len(body))
    pixels, after = reader.pixels(stop)
    return Output(head + body[:stop] + body[after:], meta, top, pixels, body[after:])


def _text(found: Found | None) -> str:
    return "" if found is None else found.value.decode("latin-1").strip("\0 ")


class _Reader:
    def __init__(self, data: bytes, *, explicit: bool) -> None:
        self.data, self.explicit = data, explicit

    def head(self, at: int, *, explicit: bool) -> tuple[int, str, int, int]:
        group, number = struct.unpack_from("<HH", self.data, at)
        tag = group << 16 | number
        if not explicit or group == 0xFFFE:
            return (
                tag,
                _vr(tag) if group != 0xFFFE else "",
                struct.unpack_from("<I", self.data, at + 4)[0],
                at + 8,
            )
        vr = self.data[at + 4 : at + 6].decode("latin-1")
        if vr in LONG:
            return tag, vr, struct.unpack_from("<I", self.data, at + 8)[0], at + 12
        return tag, vr, struct.unpack_from("<H", self.data, at + 6)[0], at + 8

    def item(self, at: int, end: int, *, explicit: bool | None = None) -> tuple[dict[Key, Found], int]:
        """The elements of one item, or of the data set up to its pixels; and where they stop."""
        explicit = self.explicit if explicit is None else explicit
        found: dict[Key, Found] = {}
        creators: dict[int, str] = {}
        while at < end:
            tag, vr, length, value = self.head(at, explicit=explicit)
            if tag == 0xFFFEE00D:
                return found, value
            if tag in _PIXELS and end == len(self.data):
                return found, at
            inner = explicit and vr == "SQ"
            if (
                vr == "SQ"
                or length == _NO_LENGTH
                or (vr == "UN" and self.data[value : value + 4] == b"\xfe\xff\x00\xe0")
            ):
                items, at = self.items(value, end if length == _NO_LENGTH else value + length, explicit=inner)
                element = Found(vr, b"", items)
            else:
                at = value + length
                if at > end:
                    raise Unreadable("a length leaves its place")
                element = Found(vr, self.data[value:at])
            if tag >> 16 & 1 and 0x10 <= tag & 0xFFFF <= 0xFF:
                creators[tag >> 16 << 8 | tag & 0xFF] = _text(element)
            found[_key(tag, creators)] = element
        return found, at

    def items(self, at: int, end: int, *, explicit: bool) -> tuple[list[dict[Key, Found]], int]:
        found: list[dict[Key, Found]] = []
        while at < end:
            tag, _, length, value = self.head(at, explicit=False)
            if tag == 0xFFFEE0DD:
                return found, value
            if tag != 0xFFFEE000:
                raise Unreadable("no item where one must be")
            item, at = self.item(value, end if length == _NO_LENGTH else value + length, explicit=explicit)
            found.append(item)
        return found, at

    def pixels(self, at: int) -> tuple[bytes, int]:
        if at >= len(self.data):
            return b"", at
        _, _, length, value = self.head(at, explicit=self.explicit)
        if length != _NO_LENGTH:
            return self.data[value : value + length], value + length
        end = self.data.rindex(b"\xfe\xff\xdd\xe0\0\0\0\0")
        return self.data[value:end], end + 8


def _key(tag: int, creators: dict[int, str]) -> Key:
    if not tag >> 16 & 1 or tag & 0xFFFF < 0x1000:
        return tag
    creator = creators.get(tag >> 16 << 8 | tag >> 8 & 0xFF)
    return tag if creator is None else (creator, tag & 0xFFFF00FF)
