"""Encapsulated pixel data: from items to frames, and back (PS3.5 annex A.4)."""

from __future__ import annotations

from itertools import pairwise
from struct import Struct, pack
from typing import TYPE_CHECKING, Final

from collegium_deid.engine.elements import ITEM, SEQUENCE_END
from collegium_deid.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collegium_deid.engine.elements import FileHead

_ITEM_HEAD: Final = Struct("<II").unpack_from
_OFFSETS: Final = 0x7FE00001


def frames_of(value: memoryview, count: int, head: FileHead) -> list[bytes]:
    """The frames of a pixel element's value, which begins with its offset table item.

    Raises:
        Rejected: malformed, or nobody can say which fragment belongs to which frame.
    """
    items = _items(value)
    if not items:
        raise Rejected("deid.malformed", "The compressed pixel data has no offset table.")
    table, fragments = items[0][1], items[1:]
    if count == 1:
        return [b"".join(bytes(fragment) for _, fragment in fragments)]
    if len(fragments) == count:
        return [bytes(fragment) for _, fragment in fragments]
    offsets = _offsets(bytes(table), head.raw(_OFFSETS))
    base = fragments[0][0] if fragments else 0
    starts = {start - base: n for n, (start, _) in enumerate(fragments)}
    # What lies before the first frame would be seen by nobody.
    if len(offsets) != count or offsets[0] != 0 or any(offset not in starts for offset in offsets):
        raise Rejected("deid.pixels.fragments", "The fragments cannot be assigned to frames.")
    bounds = [*(starts[offset] for offset in offsets), len(fragments)]
    return [
        b"".join(bytes(fragment) for _, fragment in fragments[first:last]) for first, last in pairwise(bounds)
    ]


def element_of(frames: Sequence[bytes]) -> bytes:
    """A pixel element of undefined length: offset table, one fragment a frame, its end."""
    sizes = [len(frame) + (len(frame) & 1) for frame in frames]
    offsets = [sum(sizes[:n]) + 8 * n for n in range(len(frames))]
    # An offset has 32 bits; an empty table is always allowed.
    table = b"".join(pack("<I", offset) for offset in offsets) if offsets[-1] < 1 << 32 else b""
    parts = [b"\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff", pack("<II", ITEM, len(table)), table]
    for frame, size in zip(frames, sizes, strict=True):
        parts += [pack("<II", ITEM, size), frame, b"\0" * (size - len(frame))]
    return b"".join((*parts, pack("<II", SEQUENCE_END, 0)))


def _items(value: memoryview) -> list[tuple[int, memoryview]]:
    """Every item: where it begins, and its bytes."""
    found: list[tuple[int, memoryview]] = []
    pos, size = 0, len(value)
    while pos + 8 <= size:
        mark, length = _ITEM_HEAD(value, pos)
        if mark == SEQUENCE_END:
            return found
        if mark != ITEM or pos + 8 + length > size:
            break
        found.append((pos, value[pos + 8 : pos + 8 + length]))
        pos += 8 + length
    raise Rejected(
        "deid.malformed", "The compressed pixel data is cut or holds something that is no fragment."
    )


def _offsets(basic: bytes, extended: bytes) -> list[int]:
    width, table = (8, extended) if extended else (4, basic)
    return [int.from_bytes(table[n : n + width], "little") for n in range(0, len(table) - width + 1, width)]
