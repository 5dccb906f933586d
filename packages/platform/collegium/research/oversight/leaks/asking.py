"""Ask the application as one person, in this process, so that nothing of it is kept.

Opening a task, a series or a page writes: a read is begun, a grant issued, the trail extended in the person's name.
None of that may come from a check. So every thread of the application works in the same two transactions while the
check asks, and both are rolled back: no row, no entry, no message, no job stays, and what a person does meanwhile
waits for two seconds at most.

The application is asked through its own front (ASGI), with all of its middleware: what is read here is what a
browser would get, but for what the web server and a proxy add to headers.
"""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.backends.db import SessionStore
from django.db import connections, transaction

from collegium.kit.database import SECOND

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from django.contrib.auth.base_user import AbstractBaseUser

    Application = Callable[[dict[str, Any], Any, Any], Awaitable[None]]  # Any: ASGI's own dictionaries

_ALIASES = ("default", SECOND)
_PATIENCE_S = 20.0
_STREAM_S = 0.2
"""How long a stream of events is listened to."""
_LOCK_WAIT = "2s"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def header(self, name: str) -> str:
        return next((value for key, value in self.headers if key == name), "")


class Asker:
    """Asks the application; `ask` works inside `as_person` alone."""

    def __init__(self, application: Application, *, host: str) -> None:
        self._application, self._host = application, host
        self._loop = asyncio.new_event_loop()
        self._cookie = ""

    def close(self) -> None:
        self._loop.close()

    @contextmanager
    def as_person(self, account: AbstractBaseUser) -> Iterator[None]:
        """Be signed in as this person; whatever is asked leaves no trace."""
        with _nothing_kept():
            session = SessionStore()
            session[SESSION_KEY] = str(account.pk)
            session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
            session[HASH_SESSION_KEY] = account.get_session_auth_hash()
            session.create()
            self._cookie = f"{settings.SESSION_COOKIE_NAME}={session.session_key}"
            try:
                yield
            finally:
                self._cookie = ""

    def ask(self, target: str, *, method: str = "GET", accept: str = "*/*") -> Answer:
        """The answer to a request for `target`, a path with its query."""
        for alias in _ALIASES:
            with connections[alias].cursor() as cursor:  # whoever acted before must not act on
                cursor.execute(
                    "select set_config('app.principal', '', true), set_config('app.spaces', '', true)"
                )
        return self._loop.run_until_complete(self._asked(method, target, accept))

    async def _asked(self, method: str, target: str, accept: str) -> Answer:
        split = urlsplit(target)
        headers = {"host": self._host, "accept": accept, "accept-encoding": "gzip", "cookie": self._cookie}
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": unquote(split.path), "raw_path": split.path.encode(), "query_string": split.query.encode(),
            "root_path": "", "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": ("127.0.0.1", 1), "server": ("127.0.0.1", 80), "state": {},
        }  # fmt: skip
        listened, has_asked = asyncio.Event(), False
        status, body = 0, bytearray()
        got: list[tuple[str, str]] = []

        async def receive() -> dict[str, Any]:  # Any: an ASGI message
            nonlocal has_asked
            if not has_asked:
                has_asked = True
                return {"type": "http.request", "body": b"", "more_body": False}
            await listened.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:  # Any: an ASGI message
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                got.extend(
                    (name.decode("latin-1").lower(), value.decode("latin-1"))
                    for name, value in message["headers"]
                )
                if any(
                    name == "content-type" and value.startswith("text/event-stream") for name, value in got
                ):
                    asyncio.get_running_loop().call_later(_STREAM_S, listened.set)
            elif message["type"] == "http.response.body":
                body.extend(message.get("body", b""))

        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._application(scope, receive, send)
        except TimeoutError:
            status = status or 504
        finally:
            listened.set()
        return Answer(status, tuple(got), bytes(body))


@contextmanager
def _nothing_kept() -> Iterator[None]:
    """Give all threads the same connections, in transactions that are rolled back."""
    before = connections._connections  # type: ignore[attr-defined]  # noqa: SLF001  Django has no other way to share
    shared = SimpleNamespace(**{alias: connections.create_connection(alias) for alias in _ALIASES})
    for alias in _ALIASES:
        connection = getattr(shared, alias)
        connection.inc_thread_sharing()
        connection.close = _stay_open  # a thread that gives its connections back must not end the transaction
    connections._connections = shared  # type: ignore[attr-defined]  # noqa: SLF001  as above
    try:
        with _rolled_back("default"), _rolled_back(SECOND):
            yield
    finally:
        for alias in _ALIASES:
            del getattr(shared, alias).close
            getattr(shared, alias).close()
        connections._connections = before  # type: ignore[attr-defined]  # noqa: SLF001  as above


@contextmanager
def _rolled_back(alias: str) -> Iterator[None]:
    outer = transaction.atomic(using=alias)
    # A durable block (`acting_as`) allows an outer one only where a test says so; this is the same need.
    outer._from_testcase = True  # type: ignore[attr-defined]  # noqa: SLF001  Django has no other way
    with outer:
        try:
            with connections[alias].cursor() as cursor:
                cursor.execute("select set_config('lock_timeout', %s, true)", [_LOCK_WAIT])
            yield
        finally:
            transaction.set_rollback(True, using=alias)


def _stay_open() -> None:
    return None
