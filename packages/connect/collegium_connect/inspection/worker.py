"""A process that examines objects for the gateway: what it is told over one pipe, and nothing else.

It reads records by their place and writes where it is told to; rows, room and subject codes are the
gateway's. It is started with a lower priority, ends with the gateway, and may be killed at any moment.
"""

import contextlib
import os
import signal
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from typing import Any

from collegium_connect import machine
from collegium_connect.channels import Channel
from collegium_connect.inspection.examiner import Examiner
from collegium_connect.inspection.findings import Finding
from collegium_connect.journal.inspection import ReceivedObject
from collegium_connect.settings import Settings
from collegium_connect.spool import Place, Stores
from collegium_connect.spool.segments import Piece
from collegium_deid import Rejected


@dataclass(frozen=True)
class Bench:
    """What a worker is born with."""

    settings: Settings
    sealing_key: bytes = field(repr=False)


@dataclass(frozen=True)
class NewChannel:
    """A channel as it is now, or that it cannot be used; the worker remembers it."""

    channel_id: str
    channel: Channel | None


@dataclass(frozen=True)
class Task:
    """Objects to examine; one answer for all of them."""

    items: tuple[ReceivedObject, ...]


@dataclass(frozen=True)
class NeedRoom:
    size: int


@dataclass(frozen=True)
class NeedCode:
    scope_id: int
    site_code: str
    local_id: str = field(repr=False)


@dataclass(frozen=True)
class Refused:
    """A `Rejected` on its way through the pipe."""

    code: str
    words: str


@dataclass(frozen=True)
class Ready:
    """A worker has started; what goes wrong from now on is an object's doing."""


Told = NewChannel | Task | None
"""None: end."""
Asked = Ready | NeedRoom | NeedCode | list[Finding]
"""What a worker says: that it is there, a question that it waits on, or its findings."""
Answer = Place | str | Refused | Exception


def run(pipe: Connection, bench: Bench) -> None:
    """The life of a worker; the entry point of its process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C at a terminal is the gateway's: it ends us
    machine.HERE.lower_priority()
    machine.HERE.keep_large_blocks()
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    settings = bench.settings
    stores = Stores.below(settings.gateway.data_dir, settings.limits, bench.sealing_key)
    examiner = Examiner(stores, _Room(pipe, stores), _Codes(pipe), object_bytes=settings.inspect.object_bytes)
    channels: dict[str, Channel | None] = {}
    with contextlib.suppress(EOFError, OSError):  # the gateway is gone, and so are we
        pipe.send(Ready())
        while (told := pipe.recv()) is not None:
            if isinstance(told, NewChannel):
                channels[told.channel_id] = told.channel
                continue
            pipe.send([examiner.look_at(item, channels.get(item.channel_id)) for item in told.items])


class _Room:
    """Room that the gateway gives, filled here."""

    def __init__(self, pipe: Connection, stores: Stores) -> None:
        self._pipe, self._stores = pipe, stores

    def write(self, pieces: Sequence[Piece]) -> Place:
        place = _ask(self._pipe, NeedRoom(sum(map(len, pieces))))
        assert isinstance(place, Place)
        self._stores.segments.fill(place, pieces)
        return place


class _Codes:
    """Subject codes as the gateway's link table has them; asked for each time, so that none grows old."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def code_for(self, scope_id: int, site_code: str, local_id: str) -> str:
        code = _ask(self._pipe, NeedCode(scope_id, site_code, local_id))
        assert isinstance(code, str)
        return code


def _ask(pipe: Connection, question: Asked) -> Any:  # Any: the answer's type follows from the question
    pipe.send(question)
    answer = pipe.recv()
    if isinstance(answer, Refused):
        raise Rejected(answer.code, answer.words)
    if isinstance(answer, Exception):
        raise answer
    return answer


def _leave_with_parent() -> None:
    """Nobody may write into the spool for a gateway that is gone."""
    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
