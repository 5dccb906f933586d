"""Say in a cleaned header that its picture was cleaned: by the pixel step, or by a person who looked.

Only whoever has looked at the pixels, or searched them, may call this: (0028,0301) NO and the code
113101 are a promise (PS3.15 section E.3.1).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from collegium_deid.engine import values
from collegium_deid.engine.elements import ITEM_HEAD, parse_file
from collegium_deid.errors import Rejected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collegium_deid.engine.elements import FileHead

BURNED_IN: Final = 0x00280301
METHOD_CODES: Final = 0x00120064
CLEAN_PIXEL_DATA: Final = ("113101", "Clean Pixel Data Option")


def declare_pixels_cleaned(head: bytes) -> bytes:
    """The header with (0028,0301) NO, and 113101 in (0012,0064), each in its place.

    Args:
        head: `Cleaned.head`: a whole header up to the pixel data.

    Raises:
        Rejected: it is no header that this package has cleaned.
    """
    parsed = parse_file(head, complete=True)
    if METHOD_CODES not in parsed.elements:
        raise Rejected("deid.pixels.not_cleaned", "The header was not cleaned, so its pixels cannot be.")
    explicit = parsed.explicit
    codes = values.element(METHOD_CODES, b"SQ", _with_code(parsed), explicit=explicit)
    burned_in = values.element(BURNED_IN, b"CS", b"NO", explicit=explicit)
    return _put(_put(parsed, BURNED_IN, burned_in), METHOD_CODES, codes)


def _put(where: FileHead | bytes, tag: int, new: bytes) -> bytes:
    """The header with one element in place of the old one, or where it belongs."""
    parsed = parse_file(where, complete=True) if isinstance(where, bytes) else where
    buf = parsed.buf
    old = parsed.elements.get(tag)
    if old is not None:
        return buf[: old.start] + new + buf[old.end :]
    at = next((each.start for each in parsed.elements.values() if each.tag > tag), len(buf))
    return buf[:at] + new + buf[at:]


def _with_code(parsed: FileHead) -> bytes:
    """The items of (0012,0064) with ours among them, in the order of their codes."""
    code, meaning = CLEAN_PIXEL_DATA
    ours = values.item(
        b"".join(
            values.element(tag, vr, text.encode(), explicit=parsed.explicit)
            for tag, vr, text in (
                (0x00080100, b"SH", code),
                (0x00080102, b"SH", "DCM"),
                (0x00080104, b"LO", meaning),
            )
        )
    )
    others = [item for item in _items(parsed) if item != ours]
    before = [item for item in others if _code(item) < code]
    return b"".join((*before, ours, *others[len(before) :]))


def _items(parsed: FileHead) -> Iterator[bytes]:
    """The items as the engine wrote them: in order, each of defined length."""
    content, pos = parsed.raw(METHOD_CODES), 0
    while pos < len(content):
        _, length = ITEM_HEAD(content, pos)
        yield content[pos : pos + 8 + length]
        pos += 8 + length


def _code(item: bytes) -> str:
    """The Code Value, which every item of ours begins with."""
    return item[16:22].decode("ascii")
