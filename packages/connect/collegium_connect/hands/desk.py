"""The gateway's side of the processes that accept associations for it: it answers, counts, and replaces them.

Each association there has a connection here, served by a thread: the journal, the segments' room, the
link table and the log have one owner. What was lent over a connection and not recorded is taken back when
it breaks.
"""

import contextlib
import logging
import multiprocessing
import secrets as random_bytes
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing.connection import Client, Connection, Listener
from pathlib import Path
from typing import Any, Final, Protocol

from collegium_connect.channels import Channel
from collegium_connect.deidentify import Codes
from collegium_connect.errors import SpoolFull
from collegium_connect.hands.hand import Birth, Unfit, run
from collegium_connect.keys import Secrets
from collegium_connect.ledger import Ledger, Written
from collegium_connect.log import EventLog, Value
from collegium_connect.receive.admission import Refusal
from collegium_connect.receive.association import Committer, Gate
from collegium_connect.receive.crowd import Crowd
from collegium_connect.receive.pdu import AssociateRequest
from collegium_connect.settings import Settings
from collegium_connect.spool import Place, Stored, Stores
from collegium_deid import Rejected

log = EventLog("receive")

_LOOK_S: Final = 0.5
_BACKLOG: Final = 64
# Threads and open sockets do not survive a fork; a fresh process costs half a second once.
_CONTEXT: Final = multiprocessing.get_context("spawn")


class Registry(Protocol):
    def by_id(self, channel_id: str) -> Channel | None: ...


@dataclass(frozen=True)
class Owned:
    """What the processes ask for, and the gateway has."""

    ledger: Ledger
    journal: Path
    stores: Stores
    codes: Codes
    channels: Registry
    committer: Committer | None
    secrets: Secrets


class Desk:
    """Starts the processes and answers them. `start` with the sockets that listen, then `stop`."""

    def __init__(self, settings: Settings, owned: Owned, gate: Gate, crowd: Crowd) -> None:
        self._settings, self._owned, self._gate, self._crowd = settings, owned, gate, crowd
        self._word = random_bytes.token_bytes(32)
        self._listener: Listener | None = None
        self._birth: Birth | None = None
        self._leaving, self._stopping = threading.Event(), threading.Event()
        self._processes: list[_Process] = []
        self._keeper = threading.Thread(target=self._keep_going, name="desk", daemon=True)
        self._welcomer = threading.Thread(target=self._welcome, name="desk", daemon=True)

    def start(self, sockets: Sequence[tuple[socket.socket, bool]]) -> None:
        self._listener = Listener(backlog=_BACKLOG, authkey=self._word)
        address = self._listener.address
        assert isinstance(address, str)
        self._birth = Birth(
            self._settings, self._owned.journal, self._owned.secrets, tuple(sockets), address, self._word
        )
        for _ in range(self._settings.receive.processes):
            self._processes.append(_Process(self._birth))
        for thread in (self._keeper, self._welcomer):
            thread.start()

    def stop(self, timeout_s: float) -> None:
        """Let each process answer whoever has asked it, and end it; what else it did not answer is the sender's."""
        if self._listener is None or self._leaving.is_set():
            return
        self._leaving.set()
        self._keeper.join(timeout_s)
        for process in self._processes:
            process.ask_to_leave(timeout_s)
        ends = time.monotonic() + timeout_s
        while self._processes:
            self._processes.pop().end(max(0.0, ends - time.monotonic()))
        self._stopping.set()
        with contextlib.suppress(OSError, EOFError, multiprocessing.AuthenticationError):
            Client(self._listener.address, authkey=self._word).close()  # wakes who waits to welcome
        self._listener.close()
        self._welcomer.join(timeout_s)

    def _keep_going(self) -> None:
        assert self._birth is not None
        while not self._leaving.wait(_LOOK_S):
            for at, process in enumerate(self._processes):
                if process.is_dead():
                    self._processes[at] = _Process(self._birth)

    def _welcome(self) -> None:
        assert self._listener is not None
        while not self._stopping.is_set():
            try:
                connection = self._listener.accept()
            except (OSError, EOFError, multiprocessing.AuthenticationError):
                continue
            threading.Thread(target=self._serve, args=(connection,), name="desk", daemon=True).start()

    def _serve(self, connection: Connection) -> None:
        with ExitStack() as held, connection:
            visit = _Visit(self._owned, self._gate, self._crowd, held)
            held.callback(visit.take_back)
            while True:
                try:
                    question, facts = connection.recv()
                    connection.send(visit.answer(question, facts))
                except (EOFError, OSError):
                    return


class _Process:
    """One process that accepts, and the pipe by which it is asked to leave."""

    def __init__(self, birth: Birth) -> None:
        theirs, self._orders = _CONTEXT.Pipe(duplex=False)
        self._process = _CONTEXT.Process(target=run, args=(birth, theirs), daemon=True)
        with theirs:
            self._process.start()

    def is_dead(self) -> bool:
        """Whether it ended by itself; told, and its handles are closed."""
        if self._process.is_alive():
            return False
        log.error("receive.process_died", exit_code=self._process.exitcode)
        self._close()
        return True

    def ask_to_leave(self, timeout_s: float) -> None:
        """Let it answer whoever asked within that time, and end."""
        with contextlib.suppress(OSError):  # it is gone already
            self._orders.send(timeout_s)

    def end(self, timeout_s: float) -> None:
        """Wait so long for its end, then make one."""
        self._process.join(timeout_s)
        self._process.kill()
        self._process.join()
        self._close()

    def _close(self) -> None:
        self._orders.close()
        self._process.close()


@dataclass
class _Loan:
    """Room that one line has: a record of it counts for itself, and the loan for what is left."""

    place: Place
    size: int
    used: int = 0

    @property
    def rest(self) -> Place:
        return Place(self.place.segment, self.place.offset + self.used)

    def use(self, stored: Stored) -> None:
        self.used = stored.place.offset + stored.record_bytes - self.place.offset


class _Visit:
    """One association in another process, or one other thread of it."""

    def __init__(self, owned: Owned, gate: Gate, crowd: Crowd, held: ExitStack) -> None:
        self._owned, self._gate, self._crowd, self._held = owned, gate, crowd, held
        self._loan: _Loan | None = None
        self._lent: set[Place] = set()
        segments = owned.stores.segments
        self._answers: dict[str, Callable[..., Any]] = {  # Any: as each question's
            "decide": self._decide,
            "is_well": lambda: owned.ledger.is_well,
            "record": self._record,
            "code_for": owned.codes.code_for,
            "commit": self._commit,
            "lend": self._lend,
            "reserve_own": self._reserve_own,
            "grow": segments.grow,
            "sync": segments.sync,
            "remove": self._remove,
            "require": owned.stores.usage.require,
            "log": _log,
        }

    def answer(self, question: str, facts: tuple[Any, ...]) -> Any:  # Any: as each question's
        try:
            return self._answers[question](*facts)
        except Rejected as rejected:
            return Unfit(rejected.code, rejected.message)
        except Exception as error:  # noqa: BLE001 - raised again where it was asked
            return error

    def take_back(self) -> None:
        """The asker is gone: nobody will record what it was lent."""
        self._end_loan()
        for place in self._lent:
            self._owned.stores.segments.forget(place)

    def _decide(self, request: AssociateRequest, address: str) -> Channel | Refusal:
        with ExitStack() as inside:
            inside.enter_context(self._crowd.inside(address))
            decision = self._crowd.refusal(address) or self._gate.decide(request, address)
            if not isinstance(decision, Refusal):
                self._held.push(inside.pop_all())
            return decision

    def _lend(self, size: int, wanted: int) -> tuple[Place, int]:
        """Room for one record and, if there is as much, for more; how large it is."""
        self._end_loan()
        try:
            self._owned.stores.usage.require(wanted)
        except SpoolFull:
            self._owned.stores.usage.require(size)
            wanted = size
        self._loan = _Loan(self._owned.stores.segments.reserve(wanted), wanted)
        return self._loan.place, wanted

    def _end_loan(self) -> None:
        loan, self._loan = self._loan, None
        if loan is not None:
            self._owned.stores.segments.forget(loan.rest, loan.size - loan.used)

    def _reserve_own(self) -> Place:
        place = self._owned.stores.segments.reserve_own()
        self._lent.add(place)
        return place

    def _record(self, items: Sequence[Written]) -> object:
        # Whatever comes of it: from here on the place is the journal's, or the next start's, to judge.
        for item in items:
            if item.stored.place in self._lent:
                self._lent.remove(item.stored.place)
            elif self._loan is not None:
                self._loan.use(item.stored)
                self._owned.stores.segments.adopt(item.stored.place.segment)
        return self._owned.ledger.record(items)

    def _remove(self, segment: str) -> None:
        self._lent.discard(Place(segment, 0))
        self._owned.stores.segments.remove(segment)

    def _commit(self, channel_id: str, *asked: Any) -> int:  # Any: as the committer's
        channel = self._owned.channels.by_id(channel_id)
        if channel is None or self._owned.committer is None:
            return 0x0110
        return self._owned.committer.ask(channel, *asked)


def _log(part: str, level: int, event: str, keys: dict[str, Value]) -> None:
    writer = EventLog(part)
    write = {logging.INFO: writer.info, logging.WARNING: writer.warning}.get(level, writer.error)
    write(event, **keys)
