"""Data elements as a tree, written to Part 10 in every form a scanner or an archive may choose.

On purpose not pydicom's writer: it would refuse, mend or reorder much of what must be planted.
"""

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

LONG: Final = frozenset(
    {"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"},
)
_NUL_PADDED: Final = frozenset({"UI", "OB", "UN"})
_WIDTHS: Final = {
    **dict.fromkeys(("US", "SS", "AT", "OW"), 2),
    **dict.fromkeys(("UL", "SL", "FL", "OL", "OF"), 4),
    **dict.fromkeys(("FD", "OD", "SV", "UV", "OV"), 8),
}
_NO_LENGTH: Final = 0xFFFFFFFF


class Syntax(StrEnum):
    """Transfer syntaxes of planted objects; all uncompressed in their pixels."""

    IMPLICIT = "1.2.840.10008.1.2"
    EXPLICIT = "1.2.840.10008.1.2.1"
    BIG = "1.2.840.10008.1.2.2"
    DEFLATED = "1.2.840.10008.1.2.1.99"


@dataclass(frozen=True, slots=True)
class Node:
    """One element. `value` is little endian; `items` is None for everything but a sequence."""

    tag: int
    vr: str
    value: bytes = b""
    items: tuple[tuple["Node", ...], ...] | None = None
    hidden: bool = False
    """Written with VR UN, as a system does that does not know the element."""


@dataclass(frozen=True, slots=True)
class Form:
    """How a data set is written."""

    explicit: bool = True
    big: bool = False
    undefined: bool = False
    """Sequences and items without lengths."""


_HIDDEN: Final = Form(explicit=False)


def encode(nodes: Iterable[Node], form: Form) -> bytes:
    """A data set, in the order of its tags."""
    return b"".join(_element(node, form) for node in sorted(nodes, key=lambda node: node.tag))


def _element(node: Node, form: Form) -> bytes:
    hidden = node.hidden and form.explicit and not form.big  # UN is little endian, which readers forget
    open_ended = node.items is not None and form.undefined
    if node.items is None:
        value = _padded(node.vr, _swapped(node) if form.big else node.value)
    else:
        value = _items(node.items, Form(False, False, form.undefined) if hidden else form)
    length = _NO_LENGTH if open_ended else len(value)
    return _head(node.tag, "UN" if hidden else node.vr, length, form) + value


def _head(tag: int, vr: str, length: int, form: Form) -> bytes:
    order = ">" if form.big else "<"
    group, number = tag >> 16, tag & 0xFFFF
    if not form.explicit:
        return struct.pack(f"{order}HHI", group, number, length)
    if vr in LONG:
        return struct.pack(f"{order}HH2sxxI", group, number, vr.encode(), length)
    return struct.pack(f"{order}HH2sH", group, number, vr.encode(), length)


def _items(items: tuple[tuple[Node, ...], ...], form: Form) -> bytes:
    order = ">" if form.big else "<"
    out = []
    for item in items:
        content = encode(item, form)
        length = _NO_LENGTH if form.undefined else len(content)
        out.append(struct.pack(f"{order}HHI", 0xFFFE, 0xE000, length) + content)
        if form.undefined:
            out.append(struct.pack(f"{order}HHI", 0xFFFE, 0xE00D, 0))
    if form.undefined:
        out.append(struct.pack(f"{order}HHI", 0xFFFE, 0xE0DD, 0))
    return b"".join(out)


def _padded(vr: str, value: bytes) -> bytes:
    return value + (b"\0" if vr in _NUL_PADDED else b" ") if len(value) & 1 else value


def _swapped(node: Node) -> bytes:
    width = _WIDTHS.get(node.vr)
    if width is None:
        return node.value
    value = node.value
    return b"".join(value[at : at + width][::-1] for at in range(0, len(value), width))


def write(
    meta: Iterable[Node], nodes: Iterable[Node], syntax: Syntax, *, preamble: bytes, open_ended: bool
) -> bytes:
    """A Part 10 file; `meta` without its group length."""
    body = encode(meta, Form())
    head = (
        preamble.ljust(128, b"\0")
        + b"DICM"
        + encode([Node(0x00020000, "UL", struct.pack("<I", len(body)))], Form())
        + body
    )
    form = Form(syntax is not Syntax.IMPLICIT, syntax is Syntax.BIG, open_ended)
    content = encode(nodes, form)
    if syntax is Syntax.DEFLATED:
        packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
        content = packer.compress(content) + packer.flush()
        content += b"\0" * (len(content) & 1)
    return head + content
