"""The object under way: in one buffer while it is small, on to the taker piece by piece once it is large.

Memory bound: `WHOLE` bytes an association, 1 MB of which is its own and the rest is taken from what `Memory`
has for all of them; what does not fit passes in pieces of 1 MB.
"""

import contextlib
import mmap
import threading
from typing import Final, Protocol

from collegium_connect import part10
from collegium_connect.channels import Channel
from collegium_connect.receive.errors import ServiceViolation
from collegium_connect.receive.stream import Stream

WHOLE: Final = 16 << 20
_SMALL: Final = 1 << 20
_KEEP: Final = 8 << 20


class Sink(Protocol):
    """Takes the data set of one large object as it comes."""

    def write(self, data: memoryview) -> None:
        """The next bytes, valid for this call only. Raises nothing: `finish` says what became of them."""
        ...

    def finish(self) -> int:
        """All is here; the C-STORE status."""
        ...

    def abandon(self) -> None:
        """The rest will not come: keep nothing."""
        ...


class Taker(Protocol):
    """Takes objects."""

    def store(self, channel: Channel, data: memoryview) -> int:
        """A whole object as Part 10: preamble and file meta, then the data set as it was received."""
        ...

    def begin(
        self, channel: Channel, sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str
    ) -> Sink:
        """An object whose data set alone will come in pieces."""
        ...


class Memory:
    """What all associations may hold together beyond the first MB of each."""

    def __init__(self, limit: int) -> None:
        self._free, self._lock = limit, threading.Lock()

    def take(self, size: int) -> bool:
        with self._lock:
            if size > self._free:
                return False
            self._free -= size
            return True

    def give_back(self, size: int) -> None:
        with self._lock:
            self._free += size


class Reception:
    """Receives the objects of one association, one after the other.

    The buffer is mapped at its full size and takes memory only where bytes were written: it never moves,
    and what a large object took goes back to the system.
    """

    def __init__(self, taker: Taker, memory: Memory, limit: int, whole: int = WHOLE) -> None:
        self._taker, self._memory, self._limit, self._whole = taker, memory, limit, whole
        self._map: mmap.mmap | None = None
        self._view = memoryview(b"")
        self._room = self._used = self._passed = self._head = 0
        self._sink: Sink | None = None
        self._channel: Channel | None = None
        self._uids = ("", "", "")

    @property
    def size(self) -> int:
        """Bytes of the object so far."""
        return self._passed + self._used

    def begin(self, channel: Channel, sop_class_uid: str, sop_instance_uid: str, syntax: str) -> None:
        if self._map is None or self._room > _KEEP:
            self._map_anew()
        self._channel, self._uids = channel, (sop_class_uid, sop_instance_uid, syntax)
        head = part10.head(*self._uids)
        self._view[: len(head)] = head
        self._used = self._head = len(head)
        self._passed = 0

    def take(self, stream: Stream, size: int) -> None:
        """Read the next `size` bytes of the object from the stream."""
        if self.size + size > self._limit:
            raise ServiceViolation("an object is larger than limits.object_bytes")
        while size:
            if self._used + size > self._room:
                self._make_room(size)
            part = min(size, self._room - self._used)
            stream.read_into(self._view[self._used : self._used + part])
            self._used, size = self._used + part, size - part

    def finish(self) -> int:
        """Hand the object over; the C-STORE status."""
        if self._sink is not None:
            self._pass_on()
            sink, self._sink = self._sink, None
            return sink.finish()
        assert self._channel is not None
        return self._taker.store(self._channel, self._view[: self._used])

    def close(self) -> None:
        """The association is over; an object that is not complete is nobody's."""
        if self._sink is not None:
            self._sink.abandon()
            self._sink = None
        self._unmap()

    def _make_room(self, size: int) -> None:
        """For `size` bytes more if memory allows; else for as many as a piece has."""
        if self._sink is None:
            wanted = min(max(self._used + size, 2 * self._room), self._whole)
            if self._used + size <= wanted and self._memory.take(wanted - self._room):
                self._room = wanted
                return
            assert self._channel is not None
            self._sink = self._taker.begin(self._channel, *self._uids)
            self._pass_on()
            if self._room > _SMALL:
                self._map_anew()
        elif self._used == self._room:
            self._pass_on()

    def _pass_on(self) -> None:
        assert self._sink is not None
        for start in range(self._head, self._used, _SMALL):
            self._sink.write(self._view[start : min(start + _SMALL, self._used)])
        self._passed, self._used, self._head = self._passed + self._used, 0, 0

    def _map_anew(self) -> None:
        self._unmap()
        self._map = mmap.mmap(-1, self._whole)
        self._view, self._room = memoryview(self._map), _SMALL

    def _unmap(self) -> None:
        self._memory.give_back(max(0, self._room - _SMALL))
        self._view, self._room = memoryview(b""), 0
        if self._map is not None:
            with contextlib.suppress(
                BufferError
            ):  # a view is still held somewhere, and its end the mapping's
                self._map.close()
            self._map = None
