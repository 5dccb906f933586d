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
    Ready,
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
_START_LIMIT_S: Final = 120.0
_AFTER_FAULT_S: Final = 5.0
_TRIES: Final = 2
_TICK_S: Final = 0.2
# Threads and open sockets do not survive a fork; a fresh process costs half a second once.
_CONTEXT: Final = multiprocessing.get_context("spawn")

Found = tuple[ReceivedObject, Finding]


class _NotStarted(Exception):
    """There is no worker: no memory for one, say. No object is to blame."""


class Hand(Protocol):
    """Whoever examines objects, one after the other."""

    pid: int | None
    """Of the process that does it, if that is another one and runs."""

    def look_at(self, items: Sequence[ReceivedObject]) -> Iterator[Found]: ...

    def close(self) -> None: ...


class Here:
    """Examines in this very process and thread."""

    pid: int | None = None

    def __init__(self, stores: Stores, channels: Channels, codes: Codes, *, object_bytes: int) -> None:
        self._channels = channels
        self._examiner = Examiner(stores, _OwnRoom(stores), codes, object_bytes=object_bytes)

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
        self._not_before = 0.0
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None
        self._told: dict[str, Channel | None] = {}
        self._deaths: Counter[str] = Counter()

    def look_at(self, items: Sequence[ReceivedObject]) -> Iterator[Found]:
        """Each item with its finding; those left when asked to stop are not among them."""
        left = list(items)
        while left and not self._is_stopping():
            # What took a worker along is tried by itself, so that it is known by its second time.
            count = (
                next((at for at, item in enumerate(left) if item.object_id in self._deaths), len(left)) or 1
            )
            group, left = left[:count], left[count:]
            yield from zip(group, self._findings(group), strict=True)

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

    def _findings(self, group: Sequence[ReceivedObject]) -> list[Finding]:
        lent: list[Place] = []
        try:
            findings = self._examined(group, lent)
        except _NotStarted:
            self.close()
            findings = [NotNow() for _ in group]
        except (EOFError, OSError):  # its pipe broke: it died, or was ended because it took too long
            self.close()
            findings = [NotNow() for _ in group] if self._is_stopping() else self._died(group)
        else:
            for item in group:
                self._deaths.pop(item.object_id, None)
        kept = {
            stored.place for finding in findings if (stored := getattr(finding, "stored", None)) is not None
        }
        for place in lent:
            if place not in kept:
                self._stores.forget(place)
        return findings

    def _died(self, group: Sequence[ReceivedObject]) -> list[Finding]:
        findings: list[Finding] = []
        for item in group:
            self._deaths[item.object_id] += 1
            is_culprit = len(group) == 1 and self._deaths[item.object_id] >= _TRIES
            if is_culprit:
                del self._deaths[item.object_id]
            findings.append(
                Unfit("connect.inspection.crashed", "The process that looked at it died, twice.")
                if is_culprit
                else NotNow()
            )
        log.error("inspection.worker_died", objects=len(group))
        return findings

    def _examined(self, group: Sequence[ReceivedObject], lent: list[Place]) -> list[Finding]:
        for channel_id in {item.channel_id for item in group}:
            channel = self._channels.by_id(channel_id)
            if channel_id not in self._told or self._told[channel_id] is not channel:
                self._tell(NewChannel(channel_id, channel))
                self._told[channel_id] = channel
        self._tell(Task(tuple(group)))
        ends = time.monotonic() + ITEM_LIMIT_S
        while True:
            said = self._hear(ends)
            if isinstance(said, list):
                return said
            assert not isinstance(said, Ready)
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
        if time.monotonic() < self._not_before:
            raise _NotStarted
        try:
            self._pipe, theirs = _CONTEXT.Pipe()
            with theirs:
                self._process = _CONTEXT.Process(target=run, args=(theirs, self._bench), daemon=True)
                self._process.start()
            self.pid = self._process.pid
            self._hear(time.monotonic() + _START_LIMIT_S)
        except (EOFError, OSError) as error:
            self._not_before = time.monotonic() + _AFTER_FAULT_S
            if not self._is_stopping():
                log.fault("inspection.worker_missing", error)
            raise _NotStarted from error


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
