"""Follow the pixel data as it streams by, and say where each frame lies.

Nothing is kept but numbers: a table of (offset, length) per frame, both from the start
of the object. Memory: 16 bytes a fragment.

Source: DICOM PS3.5 annex A.4 (encapsulation, offset tables), PS3.3 C.7.6.3.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from collegium.imaging.archive.codestream import JPEG, JPEG_2000, LOOK_BYTES, Watch, require_no_words
from collegium.imaging.archive.errors import (
    FramesUnreadable,
    LengthsDisagree,
    ObjectTrailing,
    ObjectTruncated,
    PixelLengthWrong,
)
from collegium.imaging.archive.header import NATIVE, UNDEFINED

if TYPE_CHECKING:
    from collegium.imaging.archive.header import Header

_PAIR = struct.Struct("<QQ")
_ITEM, _SEQUENCE_END = 0xFFFEE000, 0xFFFEE0DD
_PADDING = 0xFFFCFFFC
_MAX_FRAGMENTS = 1 << 22
_MAX_TABLE_BYTES = 64 << 20
_SPLIT = 1 << 63
"""Set in a frame's length: its range holds several fragments, each behind its 8-byte item header."""
_STARTS = (JPEG, JPEG_2000)

FrameTable = list[tuple[int, int]]


def pack(table: FrameTable) -> bytes:
    """A frame table as the instance row keeps it: pairs of unsigned 64-bit, little endian."""
    return b"".join(_PAIR.pack(*pair) for pair in table)


@dataclass(frozen=True, slots=True)
class FramePlace:
    """The byte range of a frame in its object."""

    offset: int
    length: int
    is_split: bool

    def content(self, piece: bytes | memoryview) -> bytes | memoryview:
        """The frame itself, from the bytes of its range."""
        if not self.is_split:
            return piece
        parts, position, view = [], 0, memoryview(piece)
        while position < len(view):
            length = int.from_bytes(view[position + 4 : position + 8], "little")
            parts.append(view[position + 8 : position + 8 + length])
            position += 8 + length
        return b"".join(parts)


def nth(packed: bytes | memoryview, index: int) -> FramePlace | None:
    """Where a frame lies, counted from 0; None when there is no such frame."""
    if index < 0 or (index + 1) * _PAIR.size > len(packed):
        return None
    offset, length = _PAIR.unpack_from(packed, index * _PAIR.size)
    return FramePlace(offset, length & ~_SPLIT, bool(length & _SPLIT))


def read_pixels(header: Header) -> PixelReader:
    """The reader that fits the object's transfer syntax."""
    pixel = header.pixel
    if pixel is None:
        return NoPixels(header.end)
    if pixel.length == UNDEFINED:
        if header.transfer_syntax_uid in NATIVE:
            raise LengthsDisagree
        return FragmentReader(header)
    if header.transfer_syntax_uid not in NATIVE:
        raise LengthsDisagree("The file says it is compressed, but its pixel data are not encapsulated.")
    return NativeReader(header)


class PixelReader:
    """Takes all bytes from the header's end on; `table` is complete after `finish`."""

    def __init__(self, position: int) -> None:
        self.position = position
        self.table: FrameTable = []

    def feed(self, piece: memoryview) -> None:
        raise NotImplementedError

    def finish(self) -> None:
        """Say that the object ended.

        Raises:
            ObjectInvalid: it ended too early, or its frames cannot be told apart.
        """


class NoPixels(PixelReader):
    """An object that is all header."""

    def feed(self, piece: memoryview) -> None:
        if piece:
            raise ObjectTrailing


class _Trailer:
    """What may follow the pixel data: padding of zeros, and nothing else."""

    def __init__(self, *, is_explicit: bool) -> None:
        self._head = bytearray()
        self._needed = 12 if is_explicit else 8
        self._left: int | None = None

    def feed(self, piece: memoryview) -> None:
        rest = bytes(piece)
        if self._left is None:
            missing = self._needed - len(self._head)
            self._head += rest[:missing]
            rest = rest[missing:]
            if len(self._head) < self._needed:
                return
            group, number = struct.unpack_from("<HH", self._head)
            if group << 16 | number != _PADDING:
                raise ObjectTrailing
            self._left = struct.unpack_from("<I", self._head, self._needed - 4)[0]
        if len(rest) > self._left or rest.strip(b"\0"):
            raise ObjectTrailing
        self._left -= len(rest)

    def finish(self) -> None:
        if self._head and self._left is None:
            raise ObjectTrailing
        if self._left:
            raise ObjectTruncated


class NativeReader(PixelReader):
    """Uncompressed pixels: every frame has the same length."""

    def __init__(self, header: Header) -> None:
        super().__init__(header.end)
        pixel = header.pixel
        assert pixel is not None
        frames = max(1, header.number(0x00280008, 1))
        bits = self._bits_of_a_frame(header)
        expected = -(-bits * frames // 8)
        if pixel.length not in (expected, expected + expected % 2):
            raise PixelLengthWrong
        if frames > _MAX_FRAGMENTS:
            raise FramesUnreadable
        self._left = pixel.length
        self._trailer = _Trailer(is_explicit=header.is_explicit)
        if bits % 8 == 0:  # single bits that do not fill a byte cannot be served by frame
            size = bits // 8
            self.table = [(header.end + number * size, size) for number in range(frames)]

    @staticmethod
    def _bits_of_a_frame(header: Header) -> int:
        rows, columns = header.number(0x00280010), header.number(0x00280011)
        allocated = header.number(0x00280100)
        samples = header.number(0x00280002, 1)
        if header.pixel_tag == 0x7FE00008:
            allocated = 32
        elif header.pixel_tag == 0x7FE00009:
            allocated = 64
        if not (rows and columns and samples) or allocated not in (1, 8, 16, 32, 64):
            raise PixelLengthWrong
        bits = rows * columns * samples * allocated
        # 4:2:2 keeps half of the two colour differences (PS3.3 C.7.6.3.1.2).
        return bits * 2 // 3 if header.text(0x00280004) in ("YBR_FULL_422", "YBR_PARTIAL_422") else bits

    def feed(self, piece: memoryview) -> None:
        taken = min(self._left, len(piece))
        self._left -= taken
        self.position += len(piece)
        if taken < len(piece):
            self._trailer.feed(piece[taken:])

    def finish(self) -> None:
        if self._left:
            raise ObjectTruncated
        self._trailer.finish()


@dataclass(slots=True)
class _Fragment:
    offset: int
    length: int
    start: bytes = field(default=b"")


class FragmentReader(PixelReader):
    """Encapsulated pixels: items of the sequence are followed, their content passes by."""

    def __init__(self, header: Header) -> None:
        super().__init__(header.end)
        self._frames = max(1, header.number(0x00280008, 1))
        self._extended = _extended_table(header)
        self._fragments: list[_Fragment] = []
        self._head = bytearray()
        self._left = 0
        self._basic: bytearray | None = None
        self._in_basic = False
        self._looking = False
        self._watch: Watch | None = None
        self._ended = False
        self._trailer = _Trailer(is_explicit=True)

    def feed(self, piece: memoryview) -> None:
        view = piece
        while view:
            if self._ended:
                self._trailer.feed(view)
                self.position += len(view)
                return
            taken = self._content(view) if self._left else self._next_item(view)
            self.position += taken
            view = view[taken:]

    def _content(self, view: memoryview) -> int:
        taken = min(self._left, len(view))
        self._left -= taken
        if self._in_basic:
            assert self._basic is not None
            self._basic += view[:taken]
        else:
            self._look(self._fragments[-1], view[:taken])
        return taken

    def _look(self, fragment: _Fragment, piece: memoryview) -> None:
        """Read the main header of a codestream, once it is there, and follow the rest; two bytes of it are kept."""
        if len(fragment.start) == 2 and not self._looking:
            if self._watch:
                self._watch.feed(bytes(piece))
            return
        room = LOOK_BYTES - len(fragment.start)
        fragment.start += bytes(piece[:room])
        rest = bytes(piece[room:])
        self._looking = fragment.start[:2] in (JPEG, JPEG_2000)
        if self._looking and (len(fragment.start) == LOOK_BYTES or not self._left):
            header_ends = require_no_words(fragment.start)
            self._watch = Watch(fragment.start[:2])
            self._watch.feed(fragment.start[header_ends:] + rest)
            self._looking = False
        elif len(fragment.start) >= 2 and not self._looking and self._watch:  # a frame that goes on
            self._watch.feed(fragment.start + rest)
        if len(fragment.start) >= 2 and not self._looking:
            fragment.start = fragment.start[:2]

    def _next_item(self, view: memoryview) -> int:
        missing = 8 - len(self._head)
        self._head += view[:missing]
        taken = min(missing, len(view))
        if len(self._head) < 8:
            return taken
        group, number, length = struct.unpack("<HHI", self._head)
        self._head.clear()
        tag = group << 16 | number
        if tag == _SEQUENCE_END and length == 0:
            self._ended = True
        elif tag != _ITEM or length == UNDEFINED or length % 2:
            raise LengthsDisagree
        elif self._basic is None:
            if length > _MAX_TABLE_BYTES or length % 4:
                raise FramesUnreadable
            self._basic, self._in_basic, self._left = bytearray(), True, length
        else:
            if len(self._fragments) >= _MAX_FRAGMENTS:
                raise FramesUnreadable
            self._in_basic, self._left, self._looking = False, length, False
            self._fragments.append(_Fragment(self.position + taken, length))
        return taken

    def finish(self) -> None:
        if not self._ended:
            raise ObjectTruncated
        self._trailer.finish()
        self.table = self._divided()

    def _divided(self) -> FrameTable:
        fragments = self._fragments
        if len(fragments) == self._frames:
            return [(fragment.offset, fragment.length) for fragment in fragments]
        if not fragments:
            raise FramesUnreadable
        base = fragments[0].offset - 8
        if self._extended is not None:
            return self._checked([(base + start + 8, length) for start, length in self._extended])
        if self._basic:
            starts = [base + start for start in struct.unpack(f"<{len(self._basic) // 4}I", self._basic)]
            return self._joined(starts)
        if self._frames == 1:
            return self._joined([base])
        return self._joined([f.offset - 8 for f in fragments if f.start in _STARTS])

    def _checked(self, table: FrameTable) -> FrameTable:
        known = {fragment.offset: fragment.length for fragment in self._fragments}
        if len(table) != self._frames or any(known.get(start, -1) < length for start, length in table):
            raise FramesUnreadable
        return table

    def _joined(self, starts: list[int]) -> FrameTable:
        """Frames of one or several fragments, told by where the first item header of each begins."""
        ends = [*starts[1:], self._fragments[-1].offset + self._fragments[-1].length]
        if len(starts) != self._frames or sorted(set(starts)) != starts:
            raise FramesUnreadable
        table: FrameTable = []
        for start, end in zip(starts, ends, strict=True):
            inside = [f for f in self._fragments if start < f.offset <= end]
            if not inside or inside[0].offset != start + 8:
                raise FramesUnreadable
            if len(inside) > 1:
                table.append((start, (inside[-1].offset + inside[-1].length - start) | _SPLIT))
            else:
                table.append((inside[0].offset, inside[0].length))
        return table


def _extended_table(header: Header) -> FrameTable | None:
    """The extended offset table (7FE0,0001) with its lengths (7FE0,0002), if the object has both."""
    offsets, lengths = header.bytes_of(0x7FE00001), header.bytes_of(0x7FE00002)
    if not offsets or len(offsets) != len(lengths) or len(offsets) % 8:
        return None
    count = len(offsets) // 8
    return list(zip(struct.unpack(f"<{count}Q", offsets), struct.unpack(f"<{count}Q", lengths), strict=True))
