"""What the page must know to draw a picture and to change its stored values; refuses what it could not change."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

from collegium_deid.dictionary import show
from collegium_deid.engine.elements import SEQUENCE_END
from collegium_deid.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Callable

    from collegium_deid import FileHead

_PLAIN: Final = frozenset({"1.2.840.10008.1.2", "1.2.840.10008.1.2.1"})
_RLE: Final = "1.2.840.10008.1.2.5"
_OFFSETS: Final = 0x7FE00001
_GREY: Final = frozenset({"MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"})
_COLOURS: Final = frozenset({"RGB", "YBR_FULL"})
_ELSEWHERE: Final = "Use the command line or a gateway for it."
_LONGEST_PALETTE: Final = 4096


def picture_of(head: FileHead, length: int, read: Callable[[int, int], bytes]) -> dict[str, Any]:  # Any: JSON
    """The Image Pixel module of an input's header, PS3.3 section C.7.6.3.

    Args:
        head: of the input.
        length: of the pixel element in bytes, with its own head.
        read: gives the pixel element's bytes from one offset to another.

    Raises:
        Rejected: a picture compressed otherwise than in run lengths, or one whose values the page cannot draw
            and change with certainty.
    """
    is_packed = head.transfer_syntax_uid == _RLE
    if head.transfer_syntax_uid not in _PLAIN and not is_packed:
        raise Rejected(
            "deid.browser.compressed", f"The picture is compressed and must be looked at. {_ELSEWHERE}"
        )
    samples, allocated, stored = _us(head, 0x00280002), _us(head, 0x00280100), _us(head, 0x00280101)
    colour = head.text(0x00280004)
    fits = (samples == 1 and colour in _GREY) or (samples == 3 and colour in _COLOURS and allocated == 8)
    if (
        not fits
        or allocated not in {8, 16}
        or not 0 < stored <= allocated
        or _us(head, 0x00280102) != stored - 1
    ):
        raise Rejected("deid.browser.picture", f"The page cannot draw this kind of picture. {_ELSEWHERE}")
    for tag in head.elements:
        if tag >> 24 == 0x60 and tag & 0xFFFF == 0x0102 and head.raw(tag).strip(b"\0"):
            raise Rejected(
                "deid.browser.overlay", f"{show(tag)} keeps an overlay inside the pixels. {_ELSEWHERE}"
            )
    rows, columns = _us(head, 0x00280010), _us(head, 0x00280011)
    frames = (
        int(head.text(0x00280008) or "1")
        if head.text(0x00280008).isdigit() or not head.text(0x00280008)
        else 0
    )
    needed = frames * rows * columns * samples * allocated // 8
    value = length - (12 if head.explicit else 8)
    if not needed or (not is_packed and value not in {needed, needed + (needed & 1)}):
        raise Rejected(
            "deid.browser.picture", f"The length of the pixels does not fit their rows. {_ELSEWHERE}"
        )
    return {
        "rows": rows,
        "columns": columns,
        "frames": frames,
        "samples": samples,
        "colour": colour,
        # Run lengths are plane by plane, whatever the header says of planes (PS3.5 section G.2).
        "planar": 0 if samples == 1 else 1 if is_packed else _us(head, 0x00280006),
        "allocated": allocated,
        "stored": stored,
        "signed": _us(head, 0x00280103) == 1,
        "at": length - value,
        "packed": _frames(head, frames, read) if is_packed else None,
        "palette": _palette(head) if colour == "PALETTE COLOR" else None,
    }


def _frames(head: FileHead, frames: int, read: Callable[[int, int], bytes]) -> list[list[int]]:
    """Where each compressed frame begins and ends; each has one fragment (PS3.5 section A.4.2)."""
    found: list[list[int]] = []
    at = 12
    while len(found) <= frames + 1:
        mark, size = struct.unpack("<II", read(at, at + 8))
        if mark == SEQUENCE_END:
            break
        found.append([at + 8, at + 8 + size])
        at += 8 + size
    # The first item is the table of offsets; another table in the header would no longer be true of covered frames.
    if len(found) != frames + 1 or _OFFSETS in head.elements:
        raise Rejected(
            "deid.browser.picture", f"The page cannot tell the picture's frames apart. {_ELSEWHERE}"
        )
    return found[1:]


def _us(head: FileHead, tag: int) -> int:
    raw = head.raw(tag)
    return int.from_bytes(raw[:2], "little") if len(raw) >= 2 else 0


def _palette(head: FileHead) -> dict[str, Any]:  # Any: JSON
    """The first value that the table maps, and its colours as hexadecimal RGB of 8 bits each."""
    tables = []
    first = 0
    for number in (1, 2, 3):
        descriptor, data = head.raw(0x00281100 + number), head.raw(0x00281200 + number)
        if len(descriptor) < 6:
            raise Rejected("deid.browser.picture", f"The picture has no palette of its own. {_ELSEWHERE}")
        count, first, bits = struct.unpack("<HHH", descriptor[:6])
        if not 0 < count <= _LONGEST_PALETTE or bits not in {8, 16} or len(data) < count * bits // 8:
            raise Rejected("deid.browser.picture", f"The page cannot read this kind of palette. {_ELSEWHERE}")
        # Some writers put values of 8 bits into words; then the high bytes are all nought.
        high = data[1 : 2 * count : 2] if len(data) >= 2 * count else data[:count]
        tables.append(high if any(high) else data[: 2 * count : 2])
    return {"first": first, "rgb": bytes(each for entry in zip(*tables, strict=True) for each in entry).hex()}
