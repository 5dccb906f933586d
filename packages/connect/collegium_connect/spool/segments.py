"""Append-only files that records share, so that one sync serves many objects.

Room is taken under a lock, bytes are written outside it, each writer at its own place: a write that
failed leaves a hole that no row of the journal names. One process takes room; others of this gateway
may fill what it took. What nobody needs any more is given back to the disk as a hole, and the file
goes with its last record. Files are named by number: no name of a person, no UID.
"""

import os
import threading
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from collegium_connect import machine
from collegium_connect.errors import SpoolDamaged, SpoolFull

Piece = bytes | bytearray | memoryview
SEGMENT_BYTES: Final = 256 << 20
_HANDLES: Final = 64
"""Segments of this run that are kept open: no writer lags so many segments behind."""
_ZEROS_BYTES: Final = 4 << 20
_AHEAD_BYTES: Final = 16 << 20
"""Room taken ahead of what is written: a sync of a file that grows was measured 2-8 times as long."""
_SUFFIX: Final = ".segment"


@dataclass(frozen=True)
class Place:
    """Where a record begins."""

    segment: str
    offset: int


class Segments:
    """The segment files of one folder. Safe between threads."""

    def __init__(self, folder: Path, segment_bytes: int = SEGMENT_BYTES) -> None:
        self._folder, self._segment_bytes = folder, segment_bytes
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._handles: dict[str, int] = {}
        self._live: Counter[str] = Counter()
        # Another process of this gateway may read here, and the owner remove a segment meanwhile.
        sizes = {name: _size_of(self._path(name)) for name in self.names()}
        self._sizes = {name: size for name, size in sizes.items() if size is not None}
        self._holes: Counter[str] = Counter()
        self._open, self._end, self._allocated = "", 0, 0
        self._is_named = True
        self._next = 1 + max((int(name) for name in self.names()), default=0)

    def names(self) -> list[str]:
        """All segments on the disk, oldest first."""
        return sorted(path.stem for path in self._folder.glob(f"*{_SUFFIX}"))

    @property
    def used_bytes(self) -> int:
        """Bytes of all segments that were not given back to the disk."""
        with self._lock:
            return sum(self._sizes.values()) - sum(self._holes.values())

    def size_of(self, segment: str) -> int:
        """Bytes of a segment; 0 if there is none."""
        with self._lock:
            return self._sizes.get(segment, 0)

    def append(self, pieces: Sequence[Piece]) -> Place:
        """Write one record; on disk only after `sync`.

        Raises:
            SpoolFull: the disk had no room.
        """
        size = sum(map(len, pieces))
        place = self.reserve(size)
        try:
            machine.HERE.write_at(self._handles[place.segment], pieces, place.offset)
        except OSError as error:
            self.forget(place, size)
            raise SpoolFull from error
        except BaseException:
            self.forget(place, size)
            raise
        return place

    def reserve(self, size: int) -> Place:
        """Room for one record, which another process of this gateway may `fill`; `forget` it if it does not.

        Raises:
            SpoolFull: the disk had no room.
        """
        try:
            return self._reserve(size)
        except OSError as error:
            raise SpoolFull from error

    def reserve_own(self) -> Place:
        """A segment for one record whose size is not known yet; `grow` it as it is filled.

        Raises:
            SpoolFull: the disk had no room.
        """
        with self._lock:
            try:
                name = self._create()
            except OSError as error:
                raise SpoolFull from error
            os.close(self._handles.pop(name))  # it is filled and synced by name
            self._live[name] = 1
            return Place(name, 0)

    def grow(self, segment: str, size: int) -> None:
        """Say how large a segment of one record is by now."""
        with self._lock:
            self._sizes[segment] = size

    def fill(self, place: Place, pieces: Sequence[Piece]) -> None:
        """Write at a place whose room was taken before, by whichever process.

        Raises:
            SpoolFull: the disk had no room.
        """
        try:
            handle = machine.HERE.open_again(self._path(place.segment))
            try:
                machine.HERE.write_at(handle, pieces, place.offset)
            finally:
                os.close(handle)
        except OSError as error:
            raise SpoolFull from error

    def sync(self, segments: Iterable[str]) -> None:
        """Put on disk what was appended to these so far, and the names of new files."""
        for segment in set(segments):
            handle = self._handles.get(segment)
            if handle is not None:
                machine.HERE.sync_data(handle)
            else:
                self._sync_closed(segment)
        if not self._is_named:
            self._is_named = True
            try:
                machine.HERE.sync_folder(self._folder)
            except BaseException:
                self._is_named = False
                raise

    def read(self, place: Place, start: int, size: int) -> bytes:
        """`size` bytes that begin `start` bytes into a record.

        Raises:
            SpoolDamaged: the file is gone or shorter.
        """
        try:
            with self._path(place.segment).open("rb", buffering=0) as file:
                file.seek(place.offset + start)
                data = file.read(size)
        except OSError as error:
            raise SpoolDamaged from error
        if len(data) != size:
            raise SpoolDamaged
        return data

    def adopt(self, segment: str, records: int = 1) -> None:
        """Count records of an earlier run as live."""
        with self._lock:
            self._live[segment] += records

    def forget(self, place: Place, size: int = 0) -> None:
        """Nobody needs this record any more: so many bytes of it go now, its segment with the last record."""
        with self._lock:
            self._live[place.segment] -= 1
            is_last = self._live[place.segment] <= 0
            if is_last and place.segment == self._open:
                self._open = ""
        if is_last:
            self.remove(place.segment)
        else:
            self.empty(place.segment, place.offset, size)

    def scrub(self, segment: str, spans: Iterable[tuple[int, int]]) -> None:
        """Write zeros over records that no row names, each as offset and size, on disk when this returns.

        None where the segment is gone.
        """
        try:
            handle = machine.HERE.open_again(self._path(segment))
        except FileNotFoundError:
            return
        try:
            for offset, size in spans:
                for start in range(0, size, _ZEROS_BYTES):
                    zeros = bytes(min(_ZEROS_BYTES, size - start))
                    machine.HERE.write_at(handle, [zeros], offset + start)
            machine.HERE.sync_data(handle)
        finally:
            os.close(handle)

    def empty(self, segment: str, start: int, size: int) -> None:
        """Give the bytes between records back to the disk, where it knows how; they read as zeros then."""
        if size > 0 and machine.HERE.punch(self._path(segment), start, size):
            with self._lock:
                self._holes[segment] += size

    def remove(self, segment: str) -> None:
        with self._lock:
            handle = self._handles.pop(segment, None)
            self._live.pop(segment, None)
            self._sizes.pop(segment, None)
            self._holes.pop(segment, None)
        if handle is not None:
            os.close(handle)
        machine.HERE.remove(self._path(segment))

    def truncate(self, segment: str, size: int) -> None:
        """Cut what was never acknowledged off the end of a segment of an earlier run."""
        os.truncate(self._path(segment), size)
        with self._lock:
            self._sizes[segment] = size

    def open_for_reading(self, segment: str) -> BinaryIO:
        """A file of the caller's own, for many reads.

        Raises:
            SpoolDamaged: there is no such segment.
        """
        try:
            return os.fdopen(machine.HERE.open_to_read(self._path(segment)), "rb", buffering=0)
        except OSError as error:
            raise SpoolDamaged from error

    def close(self) -> None:
        with self._lock:
            handles, self._handles = list(self._handles.values()), {}
            self._open = ""
        for handle in handles:
            os.close(handle)

    def _sync_closed(self, segment: str) -> None:
        handle = machine.HERE.open_again(self._path(segment))
        try:
            machine.HERE.sync_data(handle)
        finally:
            os.close(handle)

    def _reserve(self, size: int) -> Place:
        with self._lock:
            if not self._open or (self._end and self._end + size > self._segment_bytes):
                self._begin()
            if self._end + size > self._allocated:
                self._allocate(self._end + size)
            place = Place(self._open, self._end)
            self._end = self._sizes[place.segment] = self._end + size
            self._live[place.segment] += 1
            return place

    def _begin(self) -> None:
        """Go on in a new segment; the one before is as long as what is in it. The lock is held."""
        if self._open:
            os.truncate(self._handles[self._open], self._end)
        self._open, self._end, self._allocated = self._create(), 0, 0
        while len(self._handles) > _HANDLES:
            os.close(self._handles.pop(next(iter(self._handles))))

    def _allocate(self, end: int) -> None:
        """Take room ahead, up to `end` at least; the lock is held."""
        wanted = max(end, min(self._allocated + _AHEAD_BYTES, self._segment_bytes))
        machine.HERE.allocate(self._handles[self._open], self._allocated, wanted - self._allocated)
        self._allocated = wanted

    def _create(self) -> str:
        """Make the next segment; the lock is held."""
        name = f"{self._next:010d}"
        self._handles[name] = machine.HERE.open_new(self._path(name))
        self._next += 1
        self._is_named, self._sizes[name] = False, 0
        return name

    def _path(self, segment: str) -> Path:
        return self._folder / f"{segment}{_SUFFIX}"


def _size_of(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return None
