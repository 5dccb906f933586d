"""One record in a segment of its own, written before anybody knows how long it will be.

Its head and note are written last, into the room kept for them: until then nothing here is a record.
"""

from collections.abc import Sequence
from typing import Final

from collegium_connect.spool import record
from collegium_connect.spool.segments import Piece, Place
from collegium_connect.spool.stores import CHUNK, Stored, Stores

_NOTE_ROOM: Final = 8192  # notes are about 1,000 bytes; a JSON text may end in spaces
_SYNC_EVERY: Final = 128 << 20  # so that the last sync does not wait for gigabytes


class OwnRecord:
    """Append to it, then `finish` or `discard`. Memory bound: what is appended at a time."""

    def __init__(self, stores: Stores) -> None:
        """Begin. Raises SpoolFull, as every write here does; then `discard` it."""
        stores.usage.require(CHUNK)
        self._stores, self._place = stores, stores.segments.reserve_own()
        self._end = self._begin = record.HEAD_BYTES + _NOTE_ROOM
        self._synced = 0

    @property
    def size(self) -> int:
        """Bytes appended so far."""
        return self._end - self._begin

    def append(self, pieces: Sequence[Piece]) -> None:
        size, segments = sum(map(len, pieces)), self._stores.segments
        self._stores.usage.require(size)
        segments.fill(Place(self._place.segment, self._end), pieces)
        self._end += size
        segments.grow(self._place.segment, self._end)
        if self._end - self._synced > _SYNC_EVERY:
            segments.sync([self._place.segment])
            self._synced = self._end

    def read(self, start: int, size: int) -> bytes:
        """Bytes that were appended."""
        return self._stores.segments.read(self._place, self._begin + start, size)

    def finish(self, note: bytes, *, sealed: int) -> Stored:
        """Make a record of it, of which the first `sealed` bytes are the sealed part."""
        padded = note.ljust(_NOTE_ROOM)
        if len(padded) > _NOTE_ROOM:
            raise ValueError("A note is longer than any should be.")
        head = record.pack(padded, sealed, self.size - sealed)
        self._stores.segments.fill(self._place, [head])
        self._stores.segments.sync([self._place.segment])
        return Stored(self._place, self._end)

    def discard(self) -> None:
        self._stores.segments.remove(self._place.segment)
