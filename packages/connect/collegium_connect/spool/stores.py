"""Keep objects and give them back: headers always sealed, pixel bytes clear once they may leave.

A sealed part holds either the whole original or, for a cleaned object, its new header and what of the
original cannot be made again from the output. So no header is ever at rest in clear, not even a
cleaned one that nobody has checked yet.
"""

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from collegium_connect.errors import SpoolDamaged
from collegium_connect.sealed import BEGINNING, Sealing, seal, unseal, unseal_beginning, unseal_pieces
from collegium_connect.settings import LimitSettings
from collegium_connect.spool import record
from collegium_connect.spool.segments import Piece, Place, Segments
from collegium_connect.spool.usage import Usage

_BLOCK: Final = struct.Struct(">?I")  # is the original whole, length of the new header
CHUNK: Final = 1 << 20


@dataclass(frozen=True)
class Stored:
    """A record as written."""

    place: Place
    record_bytes: int


@dataclass(frozen=True)
class Opened:
    """A cleaned object with its headers opened."""

    head: bytes
    original: bytes
    """The original header; the whole original where `is_whole`."""
    is_whole: bool


class Stores:
    """The spool of one data folder. Safe between threads."""

    def __init__(self, segments: Segments, usage: Usage, sealing_key: bytes) -> None:
        self.segments, self.usage, self._key = segments, usage, sealing_key

    @classmethod
    def below(cls, folder: Path, limits: LimitSettings, sealing_key: bytes) -> Self:
        segments = Segments(folder / "spool")
        return cls(segments, Usage(folder, limits, segments), sealing_key)

    def keep_clean(  # noqa: PLR0913 - the parts of one record
        self,
        object_id: str,
        note: bytes,
        *,
        head: bytes,
        original: Piece,
        is_whole: bool,
        pixels: Sequence[Piece],
        to_empty_it: bool = False,
    ) -> Stored:
        """Write a cleaned object: its headers sealed, its pixels as they are. `to_empty_it`: see `Usage.require`.

        Raises:
            SpoolFull: the spool's limit or the disk's reserve would be passed; nothing was kept.
        """
        pieces = self.clean_record(
            object_id, note, head=head, original=original, is_whole=is_whole, pixels=pixels
        )
        return self._keep(pieces, to_empty_it=to_empty_it)

    def keep_sealed(
        self, object_id: str, note: bytes, data: bytes | memoryview, *, to_empty_it: bool = False
    ) -> Stored:
        """Write an original, sealed whole. Raises as `keep_clean` does."""
        return self._keep(self.sealed_record(object_id, note, data), to_empty_it=to_empty_it)

    def sealing(self, object_id: str) -> Sealing:
        """For what is sealed in pieces."""
        return Sealing(self._key, object_id)

    def sealed_block(self, object_id: str, *, head: bytes, original: Piece, is_whole: bool) -> list[bytes]:
        """The sealed part of a cleaned object's record."""
        block = b"".join((_BLOCK.pack(is_whole, len(head)), head, original))
        return list(seal(self._key, object_id, block))

    def clean_record(  # noqa: PLR0913 - the parts of one record
        self,
        object_id: str,
        note: bytes,
        *,
        head: bytes,
        original: Piece,
        is_whole: bool,
        pixels: Sequence[Piece],
    ) -> list[Piece]:
        """A cleaned object as it is written, in pieces."""
        sealed = self.sealed_block(object_id, head=head, original=original, is_whole=is_whole)
        return _record(note, sealed, pixels)

    def sealed_record(self, object_id: str, note: bytes, data: bytes | memoryview) -> list[Piece]:
        """An original, sealed whole, as it is written, in pieces."""
        return _record(note, list(seal(self._key, object_id, data)), ())

    def open_clean(self, object_id: str, place: Place) -> Opened:
        """Headers of a cleaned object.

        Raises:
            SpoolDamaged, SealBroken: it is not there as it was written.
        """
        head = self._head(place)
        block = self._unsealed(object_id, place, head)
        if len(block) < _BLOCK.size:
            raise SpoolDamaged
        is_whole, length = _BLOCK.unpack_from(block)
        end = _BLOCK.size + length
        return Opened(block[_BLOCK.size : end], block[end:], is_whole)

    def pixels(self, place: Place) -> Iterator[bytes]:
        """The clear part of a record, in pieces. Memory bound: one piece."""
        head = self._head(place)
        for start in range(0, head.clear, CHUNK):
            yield self.segments.read(place, head.clear_at + start, min(CHUNK, head.clear - start))

    def outbound(self, object_id: str, place: Place) -> Iterator[bytes]:
        """A cleaned object as it leaves: its new header, then its pixels."""
        yield self.open_clean(object_id, place).head
        yield from self.pixels(place)

    def original(self, object_id: str, place: Place, *, is_clean: bool) -> bytes:
        """The object as it was received."""
        return bytes(self.original_view(object_id, place, is_clean=is_clean))

    def original_view(self, object_id: str, place: Place, *, is_clean: bool) -> memoryview:
        """The same where it may be large. Memory bound: the object once."""
        if not is_clean:
            return memoryview(self._unsealed_large(object_id, place, self._head(place)))
        opened = self.open_clean(object_id, place)
        whole = opened.original if opened.is_whole else b"".join((opened.original, *self.pixels(place)))
        return memoryview(whole)

    def beginning(self, object_id: str, place: Place) -> bytes:
        """The first bytes of what is sealed in a record: only what was sealed for this object opens.

        Raises:
            SpoolDamaged, SealBroken: it is not there as it was written.
        """
        head = self._head(place)
        sealed = self.segments.read(place, head.sealed_at, min(head.sealed, BEGINNING))
        return unseal_beginning(self._key, object_id, sealed, head.sealed)

    def original_head(self, object_id: str, place: Place, *, is_clean: bool) -> bytes:
        """The first bytes of an object as it was received, its header among them. Raises as `beginning` does."""
        if is_clean:
            return self.open_clean(object_id, place).original
        return self.beginning(object_id, place)

    def forget(self, place: Place) -> None:
        """Nobody needs this record any more: its bytes are gone when this returns, where the disk knows holes."""
        try:
            size = self._checked_head(place).size
        except SpoolDamaged:
            size = 0  # cut while it was written: its room goes with its segment
        self.segments.forget(place, size)

    def broken_in(self, segment: str, records: Mapping[int, int]) -> set[int]:
        """Where in a segment no whole record begins, of those said to be there: offset to size."""
        try:
            file = self.segments.open_for_reading(segment)
        except SpoolDamaged:
            return set(records)
        end = self.segments.size_of(segment)
        with file:
            return {
                offset
                for offset, size in sorted(records.items())
                if offset + size > end or not record.begins(file, offset, size)
            }

    def _keep(self, pieces: Sequence[Piece], *, to_empty_it: bool) -> Stored:
        size = sum(map(len, pieces))
        self.usage.require(size, to_empty_it=to_empty_it)
        return Stored(self.segments.append(pieces), size)

    def _head(self, place: Place) -> record.RecordHead:
        return record.unpack(self.segments.read(place, 0, record.HEAD_BYTES))

    def _checked_head(self, place: Place) -> record.RecordHead:
        head = self._head(place)
        record.check(head, self.segments.read(place, record.HEAD_BYTES, head.note))
        return head

    def _unsealed_large(self, object_id: str, place: Place, head: record.RecordHead) -> bytearray:
        def read(start: int, size: int) -> bytes:
            return self.segments.read(place, head.sealed_at + start, size)

        whole = bytearray(head.sealed)  # a little more than what is inside
        end = 0
        for piece in unseal_pieces(self._key, object_id, read, head.sealed):
            whole[end : end + len(piece)] = piece
            end += len(piece)
        del whole[end:]
        return whole

    def _unsealed(self, object_id: str, place: Place, head: record.RecordHead) -> bytes:
        return unseal(self._key, object_id, self.segments.read(place, head.sealed_at, head.sealed))


def _record(note: bytes, sealed: Sequence[Piece], clear: Sequence[Piece]) -> list[Piece]:
    return [record.pack(note, sum(map(len, sealed)), sum(map(len, clear))), *sealed, *clear]
