"""`/live`: the stream by which an open page hears that something changed. Ids only; the page asks again as itself.

A person hears of what is their own. Of a space, only those hear who may see all its tasks, and that is asked again
each time: a blinded reader is told nothing of anybody else's work, not even that there was some.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import TYPE_CHECKING

import anyio
from django.db import DatabaseError
from starlette.responses import Response
from starlette.routing import Route

from collegium.imaging.connections.edge import in_thread
from collegium.kit.database import acting_as
from collegium.kit.errors import SignInNeeded, Unavailable
from collegium.kit.live import EVERYTHING, Change, Ear, Listener, listener
from collegium.trust.access.api import principal_of
from collegium.trust.access.permissions import Permission
from collegium.trust.access.queries import spaces_where

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from uuid import UUID

    from starlette.requests import Request
    from starlette.types import Receive, Scope, Send

    from collegium.kit.principals import Principal

HEARTBEAT_S = 15.0
AT_MOST = 8
"""Streams of one person: windows side by side. Hidden ones close theirs."""
AT_MOST_ALL = 500
"""Streams of one process."""

_GATHER_S, _APART_S = 0.1, 1.5
"""Seconds to wait for what comes together, and between two messages of a stream."""
_RETRY_MS = 2000
_OLDEST_S = 3600.0

_open: Counter[UUID] = Counter()


class TooManyStreams(Unavailable):
    code = "notifications.live.too_many"
    message = "Too many windows listen already. Close some, or load this page again when you need it fresh."


async def live(request: Request) -> Response:
    """An event stream of the signed-in person: `data: {"thing": "tasks"}`, with `space` where it is a space's."""
    since = time.monotonic() - _age_s(request)
    try:
        principal, spaces = await in_thread(lambda: _asked(request))
    except DatabaseError:
        raise Unavailable from None
    hearing = listener()
    if hearing is None or hearing.stopping.is_set():
        raise Unavailable
    if _open[principal.id] >= AT_MOST or _open.total() >= AT_MOST_ALL:
        raise TooManyStreams
    return _Stream(request, hearing, principal.id, spaces, since)


def _asked(request: Request) -> tuple[Principal, frozenset[UUID]]:
    """Who listens, and the spaces whose changes they may hear of."""
    principal = principal_of(request)
    if principal.kind != "person":
        raise SignInNeeded
    with acting_as(principal):
        return principal, spaces_where(principal, Permission.TASK_VIEW_ALL)


class _Stream(Response):
    """The answer itself: it ends when the client leaves, the session ends or the server is asked to stop."""

    def __init__(
        self, request: Request, hearing: Listener, person: UUID, spaces: frozenset[UUID], since: float
    ) -> None:
        super().__init__()
        self._request, self._hearing, self._since = request, hearing, since
        self._person, self._spaces = person, spaces

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  ASGI's signature
        ear = self._hearing.join(self._wants, since=self._since)
        _open[self._person] += 1
        try:
            async with anyio.create_task_group() as group:

                async def until(over: Callable[[], Awaitable[object]]) -> None:
                    await over()
                    group.cancel_scope.cancel()

                group.start_soon(until, lambda: _left(receive))
                group.start_soon(until, self._hearing.stopping.wait)
                await self._tell(ear, send)
                group.cancel_scope.cancel()
        finally:
            self._hearing.leave(ear)
            _open[self._person] -= 1
            if not _open[self._person]:
                del _open[self._person]
        with anyio.move_on_after(1):
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _tell(self, ear: Ear, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await _send(send, f"retry: {_RETRY_MS}\nid: {_stamp()}\n\n")
        while True:
            await ear.wait(HEARTBEAT_S)
            await anyio.sleep(_GATHER_S)
            heard = ear.take()
            if not await self._is_still_here():
                return
            told = [_line(change) for change in heard if change == EVERYTHING or self._wants(change)]
            await _send(send, "".join(told) or f": here\nid: {_stamp()}\n\n")
            if told:
                await anyio.sleep(_APART_S)

    async def _is_still_here(self) -> bool:
        """Ask again who this is and which spaces they may hear of; who cannot be asked is gone."""
        try:
            _principal, self._spaces = await in_thread(lambda: _asked(self._request))
        except (SignInNeeded, DatabaseError):
            return False
        return True

    def _wants(self, change: Change) -> bool:
        return change.person == self._person or change.space in self._spaces


async def _left(receive: Receive) -> None:
    """Until the client is gone."""
    while (await receive())["type"] != "http.disconnect":
        continue


async def _send(send: Send, text: str) -> None:
    await send({"type": "http.response.body", "body": text.encode(), "more_body": True})


def _line(change: Change) -> str:
    said = {"thing": change.thing} | ({"space": str(change.space)} if change.space else {})
    return f"id: {_stamp()}\ndata: {json.dumps(said)}\n\n"


def _stamp() -> str:
    """When something was told: the browser gives it back when it comes again."""
    return f"{time.time():.3f}"


def _age_s(request: Request) -> float:
    """How old the page is that wants to listen: since then it knows nothing."""
    last = request.headers.get("last-event-id", "")
    try:
        age = time.time() - float(last) if last else float(request.query_params.get("age", "0"))
    except ValueError:
        return _OLDEST_S
    return min(max(age, 0.0), _OLDEST_S) + 1.0


_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
    (b"x-content-type-options", b"nosniff"),
]

routes = [Route("/live", live, methods=["GET"])]
