"""How the pixels of one object are stored, as its header says. Numbers only, no pixel yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from collegium_deid.errors import Rejected

if TYPE_CHECKING:
    from numpy.typing import DTypeLike, NDArray

    from collegium_deid.engine.elements import FileHead

_SUBSAMPLED: Final = frozenset({"YBR_FULL_422", "YBR_PARTIAL_422"})
# Of one frame: looking at it takes some 1.3 gigabytes then.
_MAX_PIXELS: Final = 1 << 26
_MONOCHROME: Final = frozenset({"MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"})
_COLOUR: Final = frozenset({"RGB", "YBR_FULL", "YBR_FULL_422", "YBR_PARTIAL_422", "YBR_RCT", "YBR_ICT"})


@dataclass(frozen=True)
class Layout:
    """Image Pixel module of one object (PS3.3 section C.7.6.3)."""

    syntax: str
    rows: int
    columns: int
    frames: int
    samples: int
    photometric: str
    planar: bool
    """Planar configuration 1: one plane a colour."""
    allocated: int
    stored: int
    high_bit: int
    signed: bool
    padding: tuple[int, int] | None
    """First and last stored value that is no picture; raw 16 bit numbers of the header."""
    palette: NDArray[np.uint8] | None
    """(entry, 3) of 8 bits, PALETTE COLOR only."""
    palette_first: int
    overlay_bits: int
    """Bits of every pixel that hold an overlay instead of the picture."""

    @property
    def dtype(self) -> DTypeLike:
        """Of one stored value, as it lies in the file."""
        return np.dtype(f"<{'i' if self.signed else 'u'}{self.allocated // 8}")

    @property
    def is_subsampled(self) -> bool:
        """Native 4:2:2: two pixels share their colour."""
        return self.photometric in _SUBSAMPLED and self.syntax in {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1"}

    @property
    def frame_bytes(self) -> int:
        """Of one uncompressed frame as the header says it."""
        samples = 2 if self.is_subsampled else self.samples
        return self.rows * self.columns * samples * (self.allocated // 8)


def layout_of(head: FileHead) -> Layout:
    """Read the layout.

    Raises:
        Rejected: it is one that this room does not understand.
    """
    photometric = head.text(0x00280004).upper()
    samples = _number(head, 0x00280002, 1)
    layout = Layout(
        syntax=head.transfer_syntax_uid,
        rows=_number(head, 0x00280010),
        columns=_number(head, 0x00280011),
        frames=_frames(head),
        samples=samples,
        photometric=photometric,
        planar=samples > 1 and _number(head, 0x00280006) == 1,
        allocated=_number(head, 0x00280100),
        stored=_number(head, 0x00280101),
        high_bit=_number(head, 0x00280102),
        signed=_number(head, 0x00280103) == 1,
        padding=_padding(head),
        palette=_palette(head) if photometric == "PALETTE COLOR" else None,
        palette_first=_number(head, 0x00281101, at=1),
        overlay_bits=_overlay_bits(head),
    )
    colour = photometric in _COLOUR and samples == 3
    plain = photometric in _MONOCHROME and samples == 1
    if (
        layout.allocated not in {8, 16}
        or not 1 <= layout.stored <= layout.allocated
        or not layout.stored - 1 <= layout.high_bit < layout.allocated
        or not (colour or plain)
        or min(layout.rows, layout.columns, layout.frames) < 1
        or (layout.is_subsampled and (layout.columns & 1 or layout.allocated != 8 or layout.planar))
    ):
        raise Rejected("deid.pixels.layout", "The pixels are stored in a way that cannot be looked at.")
    if layout.rows * layout.columns > _MAX_PIXELS:
        raise Rejected("deid.pixels.too_large", "A frame has more than 67 million pixels.")
    return layout


def _number(head: FileHead, tag: int, default: int = 0, at: int = 0) -> int:
    raw = head.raw(tag)[2 * at : 2 * at + 2]
    return int.from_bytes(raw, "little") if len(raw) == 2 else default


def _frames(head: FileHead) -> int:
    text = head.text(0x00280008) or "1"
    if not text.isascii() or not text.isdigit():
        raise Rejected("deid.pixels.layout", "(0028,0008) is not a number of frames.")
    return int(text)


def _padding(head: FileHead) -> tuple[int, int] | None:
    if len(head.raw(0x00280120)) < 2:
        return None
    first = _number(head, 0x00280120)
    last = _number(head, 0x00280121, first)
    return first, last


def _palette(head: FileHead) -> NDArray[np.uint8]:
    """The three tables as 8 bits each; PS3.3 section C.7.6.3.1.5 and 6."""
    entries = _number(head, 0x00281101) or 65536
    planes = []
    for tag in (0x00281201, 0x00281202, 0x00281203):
        raw = head.raw(tag)
        if len(raw) >= 2 * entries:
            plane = (np.frombuffer(raw, "<u2", entries) >> 8).astype(np.uint8)
            # Some devices write 8 bit entries into 16 bit words.
            if not plane.any():
                plane = np.frombuffer(raw, "<u2", entries).astype(np.uint8)
        elif len(raw) >= entries:
            plane = np.frombuffer(raw, np.uint8, entries)
        else:
            raise Rejected("deid.pixels.layout", "The palette has fewer entries than it says.")
        planes.append(plane)
    return np.stack(planes, axis=1)


def _overlay_bits(head: FileHead) -> int:
    """The bits named by (60xx,0102) of overlays that have no data of their own."""
    bits = 0
    for tag in head.elements:
        if tag >> 24 == 0x60 and tag & 0xFFFF == 0x0102 and tag & 0xFFFF0000 | 0x3000 not in head.elements:
            position = _number(head, tag)
            bits |= 1 << position if position < 16 else 0
    return bits
