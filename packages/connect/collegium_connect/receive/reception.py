"""The object under way: in one buffer while it is small, on to the taker piece by piece once it is large.

Memory bound: `WHOLE` bytes an association and `Memory`'s bytes for all of them; what does not fit passes in
pieces of 1 MB.
"""

import threading
from typing import Final, Protocol

from collegium_connect.channels import Channel
from collegium_connect.receive import part10
from collegium_connect.receive.errors import ServiceViolation
from collegium_connect.receive.stream import Stream

WHOLE: Final = 32 << 20
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
    """Receives the objects of one association, one after the other."""

    def __init__(self, taker: Taker, memory: Memory, limit: int, whole: int = WHOLE) -> None:
        self._taker, self._memory, self._limit, self._whole = taker, memory, limit, whole
        self._data, self._used, self._borrowed = bytearray(), 0, 0
        self._passed = self._head = 0
        self._sink: Sink | None = None
        self._channel: Channel | None = None
        self._uids = ("", "", "")

    @property
    def size(self) -> int:
        """Bytes of the object so far."""
        return self._passed + self._used

    def begin(self, channel: Channel, sop_class_uid: str, sop_instance_uid: str, syntax: str) -> None:
        if self._borrowed > _KEEP or not self._data:
            self._shrink(_SMALL)
        self._channel, self._uids = channel, (sop_class_uid, sop_instance_uid, syntax)
        head = part10.head(*self._uids)
        self._data[: len(head)] = head
        self._used = self._head = len(head)
        self._passed = 0

    def take(self, stream: Stream, size: int) -> None:
        """Read the next `size` bytes of the object from the stream."""
        if self.size + size > self._limit:
            raise ServiceViolation("an object is larger than limits.object_bytes")
        while size:
            if self._sink is not None and self._used == len(self._data):
                self._pass_on()
            part = min(size, self._room(size))
            view = memoryview(self._data)[self._used : self._used + part]
            stream.read_into(view)
            self._used, size = self._used + part, size - part

    def finish(self) -> int:
        """Hand the object over; the C-STORE status."""
        if self._sink is not None:
            self._pass_on()
            sink, self._sink = self._sink, None
            return sink.finish()
        assert self._channel is not None
        with memoryview(self._data)[: self._used] as view:
            return self._taker.store(self._channel, view)

    def close(self) -> None:
        """The association is over; an object that is not complete is nobody's."""
        if self._sink is not None:
            self._sink.abandon()
            self._sink = None
        self._shrink(0)

    def _room(self, size: int) -> int:
        """Free bytes of the buffer, which grows for `size` more where it may."""
        needed = self._used + size
        if self._sink is None and needed > len(self._data) and not self._grow(needed):
            assert self._channel is not None
            self._sink = self._taker.begin(self._channel, *self._uids)
            self._pass_on()
        return len(self._data) - self._used

    def _grow(self, needed: int) -> bool:
        target = min(max(needed, 2 * len(self._data)), self._whole)
        more = target - len(self._data)
        if needed > self._whole or not self._memory.take(more):
            return False
        self._borrowed += more
        # A new buffer, not a longer one: a view of the old one may still be alive somewhere.
        grown = bytearray(target)
        grown[: self._used] = memoryview(self._data)[: self._used]
        self._data = grown
        return True

    def _pass_on(self) -> None:
        assert self._sink is not None
        with memoryview(self._data)[self._head : self._used] as view:
            self._sink.write(view)
        self._passed, self._used, self._head = self._passed + self._used, 0, 0
        if self._borrowed:
            self._shrink(_SMALL)

    def _shrink(self, size: int) -> None:
        self._memory.give_back(self._borrowed)
        self._data, self._borrowed = bytearray(size), 0
