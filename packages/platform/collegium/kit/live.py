"""Tell every web process what changed, at commit, through PostgreSQL's NOTIFY: ids only, never what changed.

Two kinds of message: `changed` wakes open pages, which then ask again as themselves; `forget` makes processes
drop a decision they keep. Saves of a form never notify, because commits that notify wait for one another.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import signal
import threading
import time
from collections import deque
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

import psycopg
import structlog
from django.conf import settings
from django.db import connection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping

log = structlog.get_logger(__name__)

CHANNEL = "collegium_live"
KEPT_S = 120.0
"""Seconds a process remembers what changed, for pages that were loaded before their stream opened."""

_THING = re.compile(r"[a-z_]{1,30}")
_KEY = re.compile(r"[\w:.-]{1,100}")
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.2, 5.0
_CHECK_S, _ANSWER_S = 10.0, 5.0
_STOPPING = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Change:
    """Something of a person's, or of a space, is no longer as it was shown."""

    thing: str
    person: UUID | None = None
    space: UUID | None = None


EVERYTHING = Change("everything")
"""What a stream hears when messages may have been lost."""


def changed(*, person: UUID | None = None, space: UUID | None = None, thing: str) -> None:
    """Wake the pages that show `thing` of a person or of a space, when the running transaction commits.

    The same message twice in a transaction is sent once (PostgreSQL sees to it).
    """
    if not _THING.fullmatch(thing) or not (person or space):
        raise ValueError("a change names a thing, and a person or a space")
    if person:
        _notify({"t": thing, "p": str(person)})
    if space:
        _notify({"t": thing, "s": str(space)})


def forget(kind: str, key: str) -> None:
    """Make every web process drop what it keeps of one grant, session or member, when this commits."""
    if not _THING.fullmatch(kind) or not _KEY.fullmatch(key):
        raise ValueError("what is forgotten has a kind and a short key")
    _notify({"f": kind, "k": key})


def _notify(message: Mapping[str, str]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select pg_notify(%s, %s)", [CHANNEL, json.dumps(message, separators=(",", ":"))])


class Ear:
    """One open stream: what it has not told yet. Things are a set, so a slow reader costs no memory."""

    def __init__(self, wants: Callable[[Change], bool]) -> None:
        self.wants = wants
        self.heard: set[Change] = set()
        self.must_check = False
        self._woken = asyncio.Event()

    def hear(self, change: Change) -> None:
        if change == EVERYTHING or self.wants(change):
            self.heard.add(change)
            self._woken.set()

    def check(self) -> None:
        """Something was forgotten: whoever listens proves again who they are."""
        self.must_check = True
        self._woken.set()

    async def wait(self, seconds: float) -> None:
        """Until something was heard, or for so long."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._woken.wait(), seconds)

    def take(self) -> set[Change]:
        taken, self.heard, self.must_check = self.heard, set(), False
        self._woken.clear()
        return taken


class Listener:
    """The one LISTEN connection of a web process. Lives on the event loop; nothing here is for other threads."""

    def __init__(self, forgetting: Mapping[str, Callable[[str | None], None]]) -> None:
        """`forgetting`: what drops a kept decision, by kind; None drops all of it."""
        self.stopping = asyncio.Event()
        self.ears: set[Ear] = set()
        self._forgetting = forgetting
        self._recent: deque[tuple[float, Change]] = deque()
        self._whole_since = float("inf")

    async def run(self) -> None:
        """Listen until cancelled; a lost database is looked for again, ever less often."""
        wait_s = _FIRST_WAIT_S
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(_address(), autocommit=True) as heard:
                    await heard.execute(f"listen {CHANNEL}")
                    wait_s = _FIRST_WAIT_S
                    self._begin()
                    await self._listen(heard)
            except (psycopg.Error, OSError, TimeoutError) as error:
                log.warning("live.lost", error=type(error).__name__, again_in_s=wait_s)
            self._whole_since = float("inf")
            await asyncio.sleep(wait_s)
            wait_s = min(wait_s * 2, _LONGEST_WAIT_S)

    async def _listen(self, heard: psycopg.AsyncConnection[tuple[object, ...]]) -> None:
        while True:
            async for message in heard.notifies(timeout=_CHECK_S):
                self._hear(message.payload)
            # a peer that vanished without a word is only found by asking
            await asyncio.wait_for(heard.execute("select 1"), _ANSWER_S)

    def _begin(self) -> None:
        """From here on nothing is missed; of what was before, nothing is certain."""
        self._recent.clear()
        self._whole_since = time.monotonic()
        for drop in self._forgetting.values():
            drop(None)
        for ear in self.ears:
            ear.check()
            ear.hear(EVERYTHING)

    def _hear(self, payload: str) -> None:
        try:
            message = {str(key): str(value) for key, value in dict(json.loads(payload)).items()}
            change = Change(message.get("t", ""), _id(message.get("p")), _id(message.get("s")))
        except (TypeError, ValueError):
            message, change = {}, Change("")
        if "f" in message:
            self._forget(message["f"], message.get("k", ""))
        elif _THING.fullmatch(change.thing):
            self._tell(change)
        else:
            log.warning("live.not_understood", characters=len(payload))

    def _tell(self, change: Change) -> None:
        now = time.monotonic()
        self._recent.append((now, change))
        while self._recent and now - self._recent[0][0] > KEPT_S:
            self._recent.popleft()
        for ear in self.ears:
            ear.hear(change)

    def _forget(self, kind: str, key: str) -> None:
        drop = self._forgetting.get(kind)
        if drop:
            drop(key)
        for ear in self.ears:
            ear.check()

    def join(self, wants: Callable[[Change], bool], *, since: float) -> Ear:
        """A new stream, which also hears what changed after `since` (monotonic seconds)."""
        ear = Ear(wants)
        if since < self._whole_since or since < time.monotonic() - KEPT_S:
            ear.hear(EVERYTHING)
        else:
            for when, change in self._recent:
                if when >= since:
                    ear.hear(change)
        self.ears.add(ear)
        return ear

    def leave(self, ear: Ear) -> None:
        self.ears.discard(ear)


_listener: list[Listener] = []


def listener() -> Listener | None:
    """This process's listener; None where nothing listens (commands, workers, most tests)."""
    return _listener[0] if _listener else None


@asynccontextmanager
async def listening(forgetting: Mapping[str, Callable[[str | None], None]]) -> AsyncIterator[Listener]:
    """Listen while the web process lives; its streams end as soon as it is asked to stop."""
    made = Listener(forgetting)
    _listener[:] = [made]
    _when_asked_to_stop(made.stopping)
    task = asyncio.create_task(made.run())
    try:
        yield made
    finally:
        made.stopping.set()
        _listener.clear()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _when_asked_to_stop(stopping: asyncio.Event) -> None:
    """Set `stopping` on SIGINT and SIGTERM, before the server waits for its open answers to end.

    The server's own handlers hang on the loop's wake-up descriptor; the handler of Python, which is an empty one
    then, is free for us, and both are called.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()

    def stop(_number: int, _frame: object) -> None:
        loop.call_soon_threadsafe(stopping.set)

    for number in _STOPPING:
        signal.signal(number, stop)
        signal.siginterrupt(number, False)


def _address() -> str:
    """The database of the pages, as libpq wants it."""
    told = settings.DATABASES["default"]
    options = {key: value for key, value in told["OPTIONS"].items() if key != "pool"}
    return psycopg.conninfo.make_conninfo(
        dbname=told["NAME"],
        user=told["USER"],
        password=told["PASSWORD"],
        host=told["HOST"],
        port=told["PORT"] or None,
        **{**options, "connect_timeout": 5, "keepalives_idle": 10, "application_name": "collegium live"},
    )


def _id(text: str | None) -> UUID | None:
    return UUID(text) if text else None
