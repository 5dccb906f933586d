"""What a header must say about pixels that were written anew (PS3.3 sections C.7.6.1.1.5 and C.7.6.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from collegium_deid.engine import values
from collegium_deid.engine.elements import parse_file
from collegium_deid.engine.pixelmark import declare_pixels_cleaned

if TYPE_CHECKING:
    from collegium_deid.pixels.codec import Written

_SYNTAX: Final = 0x00020010
_META_LENGTH: Final = 0x00020000
_PLANAR: Final = 0x00280006
_PHOTOMETRIC: Final = 0x00280004
_LOSSY, _RATIO, _METHOD = 0x00282110, 0x00282112, 0x00282114
_OFFSETS, _LENGTHS = 0x7FE00001, 0x7FE00002
# Syntaxes that can hold both: whether something was lost, only the header knows.
_EITHER: Final = frozenset({"1.2.840.10008.1.2.4.81", "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.203"})


def declared(head: bytes, written: Written | None) -> bytes:
    """The header with 113101 and (0028,0301) NO, and with how the pixels are stored now.

    Image Type keeps its first value: what is not hidden is as it was acquired, and the code says that
    something is hidden. Lossy compression stays declared though the bytes are now uncompressed, because
    what was lost stays lost.
    """
    head = declare_pixels_cleaned(head)
    if written is None:
        return head
    parsed = parse_file(head, complete=True)
    changes: dict[int, tuple[bytes, bytes] | None] = {_OFFSETS: None, _LENGTHS: None}
    if written.photometric is not None and written.photometric != parsed.text(_PHOTOMETRIC):
        changes[_PHOTOMETRIC] = (b"CS", written.photometric.encode())
    if written.syntax is not None:
        if _PLANAR in parsed.elements:
            changes[_PLANAR] = (b"US", b"\0\0")
        was_lossy = parsed.text(_LOSSY) == "01" or parsed.transfer_syntax_uid not in _EITHER
        if was_lossy and written.lossy_method is not None:
            changes |= _lossy(parsed.text(_RATIO), parsed.text(_METHOD), written)
        head = _with_syntax(head, parsed.dataset_start, written.syntax)
    return _edited(head, changes)


def with_syntax(head: bytes, syntax: str) -> bytes:
    """A header whose pixels are the same values in another lossless transfer syntax, frame after frame."""
    parsed = parse_file(head, complete=True)
    return _edited(_with_syntax(head, parsed.dataset_start, syntax), {_OFFSETS: None, _LENGTHS: None})


def _lossy(ratio: str, method: str, written: Written) -> dict[int, tuple[bytes, bytes] | None]:
    changes: dict[int, tuple[bytes, bytes] | None] = {_LOSSY: (b"CS", b"01")}
    if not ratio:
        changes[_RATIO] = (b"DS", f"{written.ratio:.2f}".encode())
    if not method and written.lossy_method is not None:
        changes[_METHOD] = (b"CS", written.lossy_method.encode())
    return changes


def _with_syntax(head: bytes, dataset_start: int, syntax: str) -> bytes:
    """Group 2 with another transfer syntax and its length counted anew."""
    parsed = parse_file(head, complete=True)
    rows = []
    for tag, value in parsed.meta.items():
        if tag != _META_LENGTH:
            vr = b"OB" if tag == 0x00020001 else b"SH" if tag == 0x00020013 else b"UI"
            new = syntax.encode() if tag == _SYNTAX else value
            rows.append(values.element(tag, vr, new, explicit=True))
    body = b"".join(rows)
    length = values.element(_META_LENGTH, b"UL", len(body).to_bytes(4, "little"), explicit=True)
    return head[:132] + length + body + head[dataset_start:]


def _edited(head: bytes, changes: dict[int, tuple[bytes, bytes] | None]) -> bytes:
    """Elements of the top level replaced, put in or (None) left out; all in order."""
    parsed = parse_file(head, complete=True)
    waiting = sorted(changes.items())
    out = [head[: parsed.dataset_start]]
    for element in parsed.elements.values():
        while waiting and waiting[0][0] <= element.tag:
            tag, change = waiting.pop(0)
            out += [] if change is None else [values.element(tag, *change, explicit=parsed.explicit)]
        if element.tag not in changes:
            out.append(head[element.start : element.end])
    out += [
        values.element(tag, *change, explicit=parsed.explicit)
        for tag, change in waiting
        if change is not None
    ]
    return b"".join(out)
