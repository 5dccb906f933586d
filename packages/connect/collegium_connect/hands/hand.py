"""A process that accepts associations for the gateway: it reads, cleans and writes; rows, room and codes it asks for.

It listens on the gateway's own socket, which it was born with. Each association's thread has a line
of its own to the gateway; when that line breaks, what was lent over it is taken back there. It may be
killed at any moment: what it did not answer is the sender's.
"""

import contextlib
import logging
import os
import signal
import socket
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from multiprocessing import parent_process
from multiprocessing.connection import Client, Connection, wait
from pathlib import Path
from typing import Any, Final

from collegium_connect import machine
from collegium_connect.channels import Channel
from collegium_connect.clock import now
from collegium_connect.hands.loans import LentSegments, LentStores
from collegium_connect.intake import Intake
from collegium_connect.journal.database import Journal
from collegium_connect.journal.objects import Kept
from collegium_connect.keys import Secrets
from collegium_connect.ledger import Known, Written
from collegium_connect.receive.admission import Refusal
from collegium_connect.receive.door import Door
from collegium_connect.receive.pdu import AssociateRequest
from collegium_connect.settings import Settings
from collegium_connect.spool import Segments
from collegium_connect.spool.usage import Usage
from collegium_deid import Rejected

_NO_LIMIT = 1 << 30
_CODES: Final = 4096
"""Subject codes that are remembered; with their local ids, as in the gateway itself."""


@dataclass(frozen=True)
class Birth:
    """What such a process is born with."""

    settings: Settings
    journal: Path
    """Read here, written by the gateway alone."""
    secrets: Secrets = field(repr=False)
    sockets: tuple[tuple[socket.socket, bool], ...]
    """Those that listen; whether for TLS."""
    address: str
    word: bytes = field(repr=False)
    """Address of the gateway's desk, and the word to be let in."""


@dataclass(frozen=True)
class Unfit:
    """A `Rejected` on its way through a line."""

    code: str
    words: str


class Line:
    """Questions to the gateway, over one connection a thread."""

    def __init__(self, address: str, word: bytes) -> None:
        self._address, self._word, self._own = address, word, threading.local()

    def ask(self, question: str, *facts: object) -> Any:  # Any: the answer's type follows from the question
        """The gateway's answer; what it raised is raised here."""
        connection: Connection | None = getattr(self._own, "connection", None)
        if connection is None:
            connection = self._own.connection = Client(self._address, authkey=self._word)
        connection.send((question, facts))
        answer = connection.recv()
        if isinstance(answer, Unfit):
            raise Rejected(answer.code, answer.words)
        if isinstance(answer, Exception):
            raise answer
        return answer


class _Gate:
    def __init__(self, line: Line) -> None:
        self._line = line
        self._channels: dict[str, Channel] = {}

    def decide(self, request: AssociateRequest, address: str) -> Channel | Refusal:
        decision: Channel | Refusal = self._line.ask("decide", request, address)
        if isinstance(decision, Refusal):
            return decision
        # The same object as long as it says the same: what was compiled of its recipe is kept with it.
        known = self._channels.get(decision.channel_id)
        if known != decision:
            self._channels[decision.channel_id] = known = decision
        return known


class _Ledger(Known):
    def __init__(self, line: Line, journal: Journal) -> None:
        super().__init__(journal)
        self._line = line

    @property
    def is_well(self) -> bool:
        return bool(self._line.ask("is_well"))

    def record(self, items: Sequence[Written]) -> list[Kept]:
        return list(self._line.ask("record", items))


class _Codes:
    def __init__(self, line: Line) -> None:
        self._line = line
        self._known: dict[tuple[int, str], str] = {}

    def code_for(self, scope_id: int, site_code: str, local_id: str) -> str:
        known = self._known.get((scope_id, local_id))
        if known is None:
            known = str(self._line.ask("code_for", scope_id, site_code, local_id))
            if len(self._known) >= _CODES:
                self._known.clear()
            self._known[scope_id, local_id] = known
        return known


class _Committer:
    def __init__(self, line: Line) -> None:
        self._line = line

    def ask(self, channel: Channel, calling_ae: str, address: str, data: bytes, transfer_syntax: str) -> int:
        return int(self._line.ask("commit", channel.channel_id, calling_ae, address, data, transfer_syntax))


class _Usage(Usage):
    def __init__(self, line: Line, settings: Settings, segments: Segments) -> None:
        super().__init__(settings.gateway.data_dir, settings.limits, segments)
        self._line = line

    def require(self, size: int, *, to_empty_it: bool = False) -> None:  # noqa: ARG002 - nothing is emptied here
        self._line.ask("require", size)


class _Log(logging.Handler):
    """Events go into the gateway's log: one process writes it."""

    def __init__(self, line: Line) -> None:
        super().__init__()
        self._line = line

    def emit(self, record: logging.LogRecord) -> None:
        part = record.name.rsplit(".", 1)[-1]
        self._line.ask("log", part, record.levelno, record.getMessage(), getattr(record, "keys", {}))


def run(birth: Birth, orders: Connection) -> None:
    """The life of such a process; its entry point. The one order is to leave, within so many seconds."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C at a terminal is the gateway's: it ends us
    machine.HERE.keep_large_blocks()
    _leave_with_parent()
    settings, line = birth.settings, Line(birth.address, birth.word)
    root = logging.getLogger("collegium_connect")
    root.handlers, root.propagate = [_Log(line)], False
    root.setLevel(logging.INFO)
    segments = LentSegments(line.ask, settings.gateway.data_dir / "spool")
    stores = LentStores(segments, _Usage(line, settings, segments), birth.secrets.sealing)
    intake = Intake(_Ledger(line, Journal(birth.journal)), stores, _Codes(line), birth.secrets, now)
    # Associations are counted by the gateway, over all its processes.
    own = replace(
        settings.receive, max_associations=_NO_LIMIT, max_associations_per_caller=_NO_LIMIT,
        memory_bytes=settings.receive.memory_bytes // settings.receive.processes,
    )  # fmt: skip
    door = Door(own, settings.limits, _Gate(line), intake, _Committer(line))
    door.start(birth.sockets)
    with contextlib.suppress(EOFError):  # the gateway is gone, and so are we
        door.stop(orders.recv())


def _leave_with_parent() -> None:
    """Nobody may answer a sender for a gateway that is gone."""
    parent = parent_process()

    def watch(leave: Callable[[int], None]) -> None:
        assert parent is not None
        wait([parent.sentinel])
        leave(1)

    if parent is not None:
        threading.Thread(target=watch, args=(os._exit,), daemon=True).start()
