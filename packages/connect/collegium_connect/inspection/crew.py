"""The gateway's side of its worker processes: one is handed objects, answered, and replaced when it dies.

An object that takes its worker along is tried once more; then it is unfit, and the rest goes on.
"""

import multiprocessing
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, Protocol

from collegium_connect.channels import Channel, Channels
from collegium_connect.deidentify import Codes
from collegium_connect.errors import ConnectError
from collegium_connect.inspection.examiner import Examiner
from collegium_connect.inspection.findings import Finding, NotNow, Unfit
from collegium_connect.inspection.worker import (
    Answer,
    Asked,
    Bench,
    NeedCode,
    NeedRoom,
    NewChannel,
    Refused,
    Task,
    Told,
    run,
)
from collegium_connect.journal.inspection import ReceivedObject
from collegium_connect.log import EventLog
from collegium_connect.spool import Place, Stores
from collegium_connect.spool.segments import Piece
from collegium_deid import Rejected

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

log = EventLog("inspection")

ITEM_LIMIT_S: Final = 900.0
"""Longer no object may take: the largest that fits in memory, read in full, takes a third of it."""
_TRIES: Final = 2
_TICK_S: Final = 0.2
# Threads and open sockets do not survive a fork; a fresh process costs half a second once.
_CONTEXT: Final = multiprocessing.get_context("spawn")

Found = tuple[ReceivedObject, Finding]


class Hand(Protocol):
    """Whoever examines objects, one after the other."""

    pid: int | None
    """Of the process that does it, if that is another one and runs."""

    def look_at(self, items: Sequence[ReceivedObject]) -> Iterator[Found]: ...

    def close(self) -> None: ...


class Here:
    """Examines in this very process and thread."""

    pid: int | None = None

    def __init__(self, stores: Stores, channels: Channels, codes: Codes) -> None:
        self._channels = channels
        self._examiner = Examiner(stores, _OwnRoom(stores), codes)

    def look_at(self, items: Sequence[ReceivedObject]) -> Iterator[Found]:
        for item in items:
            yield item, self._examiner.look_at(item, self._channels.by_id(item.channel_id))

    def close(self) -> None:
        """Nothing is open."""


class Worker:
    """One worker process at a time; started when there is something to do."""

    def __init__(
        self,
        stores: Stores,
        bench: Bench,
        channels: Channels,
        codes: Codes,
        is_stopping: Callable[[], bool],
    ) -> None:
        self._room, self._bench, self._channels = _OwnRoom(stores), bench, channels
        self._stores, self._codes = stores, codes
        self._is_stopping = is_stopping
        self.pid: int | None = None
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._told: dict[str, Channel] = {}
        self._deaths: Counter[str] = Counter()

    def look_at(self, items: Sequence[ReceivedObject]) -> Iterator[Found]:
        """Each item with its finding; those left when asked to stop are not among them."""
        for item in items:
            finding = self._finding(item)
            if self._is_stopping():
                return
            yield item, finding

    def close(self) -> None:
        """End the process, whatever it is doing."""
        if self._process is not None:
            self._process.kill()
            self._process.join()
            self._process.close()
        if self._pipe is not None:
            self._pipe.close()
        self.pid = self._process = self._pipe = None
        self._told.clear()

    def _finding(self, item: ReceivedObject) -> Finding:
        lent: list[Place] = []
        try:
            finding = self._examined(item, lent)
        except (EOFError, OSError):  # its pipe broke: it died, or was ended because it took too long
            self.close()
            for place in lent:
                self._stores.forget(place)
            return NotNow() if self._is_stopping() else self._died(item)
        self._deaths.pop(item.object_id, None)
        kept = getattr(finding, "stored", None)
        for place in lent:
            if kept is None or place != kept.place:
                self._stores.forget(place)
        return finding

    def _died(self, item: ReceivedObject) -> Finding:
        self._deaths[item.object_id] += 1
        log.error("inspection.worker_died", object=item.object_id, times=self._deaths[item.object_id])
        if self._deaths[item.object_id] < _TRIES:
            return NotNow()
        del self._deaths[item.object_id]
        return Unfit("connect.inspection.crashed", "The process that looked at it died, twice.")

    def _examined(self, item: ReceivedObject, lent: list[Place]) -> Finding:
        channel = self._channels.by_id(item.channel_id)
        if channel is not None and self._told.get(item.channel_id) is not channel:
            self._tell(NewChannel(channel))
            self._told[item.channel_id] = channel
        self._tell(Task(item, has_channel=channel is not None))
        ends = time.monotonic() + ITEM_LIMIT_S
        while True:
            said = self._hear(ends)
            if not isinstance(said, NeedRoom | NeedCode):
                return said
            answer = self._answer(said)
            if isinstance(answer, Place):
                lent.append(answer)
            self._tell(answer)

    def _answer(self, asked: NeedRoom | NeedCode) -> Answer:
        try:
            if isinstance(asked, NeedRoom):
                return self._room.reserve(asked.size)
            return self._codes.code_for(asked.scope_id, asked.site_code, asked.local_id)
        except Rejected as rejected:
            return Refused(rejected.code, rejected.message)
        except ConnectError as error:
            return error

    def _tell(self, told: Told | Answer) -> None:
        if self._pipe is None:
            self._begin()
        assert self._pipe is not None
        self._pipe.send(told)

    def _hear(self, ends: float) -> Asked:
        assert self._pipe is not None
        while not self._pipe.poll(_TICK_S):
            if self._is_stopping() or time.monotonic() > ends:
                raise EOFError
        said: Asked = self._pipe.recv()
        return said

    def _begin(self) -> None:
        self._pipe, theirs = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=run, args=(theirs, self._bench), daemon=True)
        self._process.start()
        self.pid = self._process.pid
        theirs.close()


class _OwnRoom:
    """Room in the segments of this process."""

    def __init__(self, stores: Stores) -> None:
        self._stores = stores

    def reserve(self, size: int) -> Place:
        # A full spool must be able to become less full.
        self._stores.usage.require(size, to_empty_it=True)
        return self._stores.segments.reserve(size)

    def write(self, pieces: Sequence[Piece]) -> Place:
        self._stores.usage.require(sum(map(len, pieces)), to_empty_it=True)
        return self._stores.segments.append(pieces)
