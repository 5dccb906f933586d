"""Look at objects in a process of its own: what broken bytes do to a codec must not reach the gateway."""

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from threading import Semaphore
from typing import TYPE_CHECKING, Final, NamedTuple

from collegium_connect import machine
from collegium_connect.channels import Channel
from collegium_connect.quarantine.errors import NotShown
from collegium_connect.quarantine.view import Boxes, Verdict, View, view_of

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

LIMIT_S: Final = 300.0
# Each holds an object some three times.
_AT_ONCE: Final = 2
# Threads and open sockets do not survive a fork.
_CONTEXT: Final = multiprocessing.get_context("spawn")


class Question(NamedTuple):
    """See `view.view_of`."""

    data: bytes
    channel: Channel
    who: Verdict
    boxes: Boxes
    frame: int


class Viewer:
    """Looks at objects; `is_apart` False does it here, where a process costs more than it saves."""

    def __init__(self, *, is_apart: bool = True, limit_s: float = LIMIT_S) -> None:
        self._is_apart, self._limit_s = is_apart, limit_s
        self._turns = Semaphore(_AT_ONCE)

    @contextmanager
    def session(self) -> Iterator["Session"]:
        """Many looks with one process, which ends with the block; who comes third waits."""
        with self._turns:
            session = Session(self._limit_s if self._is_apart else None)
            try:
                yield session
            finally:
                session.end()

    def view(self, data: bytes, channel: Channel, who: Verdict, boxes: Boxes, frame: int) -> View:
        """One look. Raises as `Session.view` does."""
        with self.session() as session:
            return session.view(Question(data, channel, who, boxes, frame))


class Session:
    """A process that looks, started when it is needed and again when an object stopped it."""

    def __init__(self, limit_s: float | None) -> None:
        """`limit_s`: seconds for one look; None looks in this very process."""
        self._limit_s = limit_s
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None

    def view(self, question: Question) -> View:
        """Look at one object.

        Raises:
            NotShown: it took too long, or stopped the process that looked.
        """
        if self._limit_s is None:
            return view_of(*question)
        pipe = self._pipe or self._begin()
        try:
            pipe.send(question)
            found = pipe.recv() if pipe.poll(self._limit_s) else None
        except (EOFError, OSError) as error:
            self.end()
            raise NotShown("The object stopped the program that looked at it.") from error
        if found is None:
            self.end()
            raise NotShown("It took too long to look at the object.")
        if not isinstance(found, View):
            raise NotShown
        return found

    def end(self) -> None:
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None:
            self._process.kill()
            self._process.join()
        self._pipe = self._process = None

    def _begin(self) -> Connection:
        self._pipe, there = _CONTEXT.Pipe()
        self._process = _CONTEXT.Process(target=_serve, args=(there,), name="view", daemon=True)
        self._process.start()
        there.close()
        return self._pipe


def _serve(pipe: Connection) -> None:
    """The life of the process: questions and answers until the other end is closed."""
    machine.HERE.lower_priority()
    while True:
        try:
            question = pipe.recv()
        except EOFError:
            return
        try:
            pipe.send(view_of(*question))
        except Exception as error:  # noqa: BLE001 - its words may quote the object; the gateway says that it failed
            pipe.send(type(error).__name__)
