"""Read every value of a header, for the verifiers. Shares no code with the engine or its walker.

On purpose a second, plain reading of PS3.5: if the engine's walker oversees an element, this one must
not oversee it for the same reason. It knows nothing of recipes.
"""

from __future__ import annotations

import functools
import struct
from typing import Final, NamedTuple

from pydicom.datadict import dictionary_VR

from collegium_deid.errors import Rejected

_FOUR_BYTE_LENGTHS: Final = {"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"}
_TWO_BYTE_LENGTHS: Final = {
    "AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD", "FL", "IS", "LO", "LT", "PN", "SH", "SL", "SS", "ST",
    "TM", "UI", "UL", "US",
}  # fmt: skip
_SHORT_NAMES: Final = {vr.encode(): vr for vr in _TWO_BYTE_LENGTHS}
_LONG_NAMES: Final = {vr.encode(): vr for vr in _FOUR_BYTE_LENGTHS}
_short_head: Final = struct.Struct("<HH2sH").unpack_from
_plain_head: Final = struct.Struct("<HHI").unpack_from
_four_bytes: Final = struct.Struct("<I").unpack_from
_NO_LENGTH: Final = 2**32 - 1
_DEEPEST: Final = 40
_PIXELS: Final = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_FIRST_PIXELS: Final = min(_PIXELS)
_CHARACTER_SET: Final = 0x00080005
_REMEMBERED_BYTES: Final = 4096
_MAY_HOLD_ITEMS: Final = frozenset({"SQ", "UN"})
# Twice as fast as the class's own; a header has hundreds of values.
_new: Final = tuple.__new__


class Value(NamedTuple):
    """One value somewhere in the header; sequences appear with an empty value, before their content."""

    path: tuple[int, ...]
    """Tags from the top level down, this element's last."""
    vr: str
    raw: bytes
    character_set: bytes
    creator: str = ""
    """Of a private element: whose block it lies in; empty when nobody reserved it."""
    item: int = 0
    """Where the item begins that it lies in; 0 at the top level."""


def _broken() -> Rejected:
    return Rejected("deid.verify.unreadable", "The header cannot be read again, so it cannot be verified.")


class Reading(NamedTuple):
    """What stands in some bytes."""

    values: list[Value]
    has_pixels: bool
    """Pixel data begins in them."""
    is_cut: bool
    """And does not end in them."""


class Wanted(NamedTuple):
    """Which values somebody needs: those with one of these tags or VRs, wherever they are."""

    tags: frozenset[int]
    vrs: frozenset[str]


_ALL: Final = Wanted(frozenset(), frozenset(_FOUR_BYTE_LENGTHS | _TWO_BYTE_LENGTHS))


def scan(head: bytes, wanted: Wanted = _ALL) -> list[Value]:
    """Every value of group 2 and of the data set, at every depth, but not the pixel data itself.

    Bytes behind the pixel data are read too, if they are there.

    Args:
        head: the file from its preamble on.
        wanted: spares the making of values that nobody needs; the header is read all the same. Creators
            and items are not told then.

    Raises:
        Rejected: the bytes cannot be read to their end.
    """
    return read(head, wanted).values


def read(head: bytes, wanted: Wanted = _ALL) -> Reading:
    """What `scan` gives, and whether pixel data is there, to its end.

    Raises:
        Rejected: the bytes cannot be read to their end.
    """
    if head[128:132] != b"DICM":
        raise _broken()
    position = 132
    syntax = ""
    reader = _Reader(head, wanted)
    try:
        while position < len(head) and head[position : position + 2] == b"\2\0":
            tag, vr, start, length = _read_head(head, position, explicit=True)
            position = start + length
            value = head[start:position]
            if tag == 0x00020010:
                syntax = value.decode("ascii").rstrip("\0 ")
            if vr in wanted.vrs or tag in wanted.tags:
                reader.values.append(Value((tag,), vr, value, b""))
        reader.data_set(position, len(head), _Inside((), b"", explicit=syntax != "1.2.840.10008.1.2"))
    except (struct.error, UnicodeDecodeError) as error:
        raise _broken() from error
    return Reading(reader.values, reader.has_pixels, reader.is_cut)


def _read_head(data: bytes, position: int, *, explicit: bool) -> tuple[int, str, int, int]:
    """Tag, VR, start of the value and its length."""
    if explicit:
        group, number, vr, length = _short_head(data, position)
        name = _SHORT_NAMES.get(vr)
        if name is not None:
            return (group << 16) + number, name, position + 8, length
        name = _LONG_NAMES.get(vr)
        if name is not None:
            return (group << 16) + number, name, position + 12, _four_bytes(data, position + 8)[0]
        if group != 0xFFFE:
            raise _broken()
    group, number, length = _plain_head(data, position)
    tag = (group << 16) + number
    return tag, _guess(tag), position + 8, length


@functools.lru_cache(maxsize=8192)
def _guess(tag: int) -> str:
    try:
        vr = dictionary_VR(tag).split(" ")[0]
    except KeyError:
        return "UN"
    return vr if vr in _ALL.vrs else "UN"  # marks of items have none


def _creator(creators: dict[int, str], tag: int) -> str:
    return creators.get(tag & 0xFFFF0000 | tag >> 8 & 0xFF, "") if tag & 0x10000 and tag & 0xFF00 else ""


def _creator_at(creators: dict[int, str], tag: int, raw: bytes) -> str:
    """The creator of a private value; a value that reserves a block is remembered."""
    if tag & 0x1FF00 == 0x10000 and tag & 0xF0:
        creators[tag] = raw.decode("latin-1").strip("\0 ")
    return _creator(creators, tag)


class _Inside(NamedTuple):
    """What surrounds a data set: the path to it, its character set so far, its form."""

    path: tuple[int, ...]
    character_set: bytes
    explicit: bool


class _Reader:
    """Collects `values`, and whether pixel data begins; each step returns where it stopped."""

    def __init__(self, data: bytes, wanted: Wanted) -> None:
        self.data = data
        self.wanted = wanted
        self.tags, self.vrs = wanted.tags | {_CHARACTER_SET}, wanted.vrs
        self.values: list[Value] = []
        self.has_pixels = self.is_cut = False

    def data_set(  # noqa: C901 - the hot loop; a call for each element would cost a third of its time
        self, position: int, end: int, inside: _Inside
    ) -> int:
        """Read the values from `position` on."""
        path, character_set, explicit = inside
        data, tags, vrs, keep = self.data, self.tags, self.vrs, self.values.append
        if len(path) > _DEEPEST:
            raise _broken()
        short_names = _SHORT_NAMES if explicit else {}
        item = position if path else 0
        creators: dict[int, str] = {}
        while position < end:
            # Nearly every element has this form.
            group, number, code, length = _short_head(data, position)
            vr = short_names.get(code, "")
            tag, start = (group << 16) + number, position + 8
            if not vr or tag >= _FIRST_PIXELS:
                tag, vr, start, length = _read_head(data, position, explicit=explicit)
                if tag == 0xFFFEE00D and path:
                    return start
                if tag in _PIXELS and not path:
                    self.has_pixels = True
                    position = self._behind_pixels(start, length)
                    continue
                if length == _NO_LENGTH or (vr in _MAY_HOLD_ITEMS and self._holds_items(vr, start, length)):
                    here = (*path, tag)
                    keep(Value(here, vr, b"", character_set, _creator(creators, tag), item))
                    stop = end if length == _NO_LENGTH else start + length
                    if stop > end:
                        raise _broken()
                    within = _Inside(here, character_set, explicit and vr == "SQ")
                    position = self._sequence(start, stop, within, vr)
                    continue
            position = start + length
            if position > end:
                raise _broken()
            if vr in vrs or tag in tags:
                raw = data[start:position]
                if tag == _CHARACTER_SET:
                    character_set = raw
                creator = _creator_at(creators, tag, raw) if tag & 0x10000 else ""
                keep(_new(Value, ((*path, tag), vr, raw, character_set, creator, item)))
        return position

    def _behind_pixels(self, start: int, length: int) -> int:
        """Where the element behind the pixel data begins; the end when the pixel data is cut or the last."""
        size = len(self.data)
        if length != _NO_LENGTH:
            self.is_cut = start + length > size
            return min(start + length, size)
        while start + 8 <= size:
            tag, _, start, length = _read_head(self.data, start, explicit=False)
            if tag == 0xFFFEE0DD:
                return start
            if tag != 0xFFFEE000 or length == _NO_LENGTH:
                raise _broken()
            start += length
        self.is_cut = True
        return size

    def _holds_items(self, vr: str, start: int, length: int) -> bool:
        """UN may hold a sequence in implicit form (PS3.5 section 6.2.2)."""
        if vr == "SQ":
            return True
        if length < 8 or self.data[start : start + 4] != b"\xfe\xff\x00\xe0":
            return False
        size = struct.unpack_from("<I", self.data, start + 4)[0]
        return bool(size == _NO_LENGTH or size <= length - 8)

    def _sequence(self, start: int, stop: int, inside: _Inside, vr: str) -> int:
        """As `items`; small ones are remembered, because a series has the same in every slice."""
        if self.wanted is _ALL or stop - start > _REMEMBERED_BYTES:
            return self.items(start, stop, inside, vr)
        values, length = _items_of(self.data[start:stop], inside, vr, self.wanted)
        self.values += values
        return start + length

    def items(self, position: int, end: int, inside: _Inside, vr: str) -> int:
        """Read the values of all items from `position` on."""
        while position < end:
            tag, _, start, size = _read_head(self.data, position, explicit=False)
            if tag == 0xFFFEE0DD:
                return start
            if tag != 0xFFFEE000 or (size != _NO_LENGTH and start + size > end):
                raise _broken()
            if vr not in _MAY_HOLD_ITEMS:  # fragments of bytes
                self.values.append(
                    Value(inside.path, vr, self.data[start : start + size], inside.character_set)
                )
                position = start + size
                continue
            position = self.data_set(start, end if size == _NO_LENGTH else start + size, inside)
        return position


@functools.lru_cache(maxsize=512)
def _items_of(content: bytes, inside: _Inside, vr: str, wanted: Wanted) -> tuple[tuple[Value, ...], int]:
    """The values of a sequence, and where it ends in `content`."""
    reader = _Reader(content, wanted)
    end = reader.items(0, len(content), inside, vr)
    return tuple(reader.values), end
