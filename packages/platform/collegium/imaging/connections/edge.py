"""What the byte paths share: work in threads, bounded bodies, bearer tokens, errors as Problem JSON."""

from __future__ import annotations

import functools
import json
import re
import time
from typing import TYPE_CHECKING, TypeVar

import anyio
from anyio import to_thread
from django.db import connections
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from collegium.imaging.connections.errors import GatewayUnknown
from collegium.imaging.connections.queries import KnownGateway, digest_of, gateway_of
from collegium.kit import ids
from collegium.kit.blobs import StorageFull
from collegium.kit.errors import CollegiumError, Invalid, status_of
from collegium.kit.texts import all_storable
from collegium_wire import Message, Problem, WireError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from starlette.requests import Request

Answer = TypeVar("Answer")
Said = TypeVar("Said", bound=Message)

CHUNK_TIMEOUT_S = 60.0
KEPT_S = 5.0
_FULL = 507
_ESCAPED = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
"""The only way for NUL or half a surrogate pair into JSON that is UTF-8."""

_kept: dict[bytes, tuple[float, KnownGateway]] = {}


class BodyTooLarge(Invalid):
    code = "connections.body.too_large"
    message = "The request is larger than this server accepts."


class BodyStalled(Invalid):
    code = "connections.body.stalled"
    message = "The request stopped arriving. Send it again."


class MessageInvalid(Invalid):
    """A message that is not of the protocol; carries the wire's own code."""

    code = "connections.message.invalid"

    def __init__(self, error: WireError) -> None:
        super().__init__(error.message)
        self.wire_code = error.code


async def in_thread(work: Callable[[], Answer]) -> Answer:
    """Run database or disk work in a thread and give its connections back."""
    return await to_thread.run_sync(functools.partial(_returning_connections, work))


def _returning_connections(work: Callable[[], Answer]) -> Answer:
    try:
        return work()
    finally:
        connections.close_all()


async def chunks(request: Request) -> AsyncIterator[bytes]:
    """The body as it arrives.

    Raises:
        BodyStalled: nothing came for a minute, or the sender left.
    """
    stream = request.stream()
    while True:
        try:
            with anyio.fail_after(CHUNK_TIMEOUT_S):
                chunk = await anext(stream)
        except StopAsyncIteration:
            return
        except (TimeoutError, ClientDisconnect):
            raise BodyStalled from None
        if chunk:
            yield chunk


async def said(request: Request, kind: type[Said], *, at_most: int) -> Said:
    """The message in the body, of `at_most` bytes.

    Raises:
        MessageInvalid, BodyTooLarge: it is none.
    """
    body = bytearray()
    async for chunk in chunks(request):
        if len(body) + len(chunk) > at_most:
            raise BodyTooLarge
        body += chunk
    try:
        message = kind.from_json(bytes(body))
    except WireError as error:
        raise MessageInvalid(error) from None
    if _ESCAPED.search(body) and not all_storable(json.loads(body)):
        raise MessageInvalid(WireError("wire.json.invalid", "The message holds text that cannot be kept."))
    return message


async def gateway(request: Request) -> KnownGateway:
    """The gateway behind the bearer token. Kept for 5 s: it names who, never what they may.

    Raises:
        GatewayUnknown: no token, or not a live one.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise GatewayUnknown
    key, now = digest_of(token), time.monotonic()
    kept = _kept.get(key)
    if kept and now - kept[0] < KEPT_S:
        return kept[1]
    known = await in_thread(lambda: gateway_of(token))
    if len(_kept) > 10_000:
        _kept.clear()
    _kept[key] = (now, known)
    return known


def answer(message: Message, status: int = 200) -> Response:
    return Response(message.to_json(), status, media_type="application/json")


def problem(error: CollegiumError) -> Response:
    """An error as the protocol's Problem."""
    status = _FULL if isinstance(error, StorageFull) else status_of(error)
    code = error.wire_code if isinstance(error, MessageInvalid) else error.code
    said_ = Problem(code=code, message=error.text, reference=ids.uuid7().hex[-8:])
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else None
    return Response(said_.to_json(), status, headers, media_type="application/json")


def guarded(
    endpoint: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint whose refusals are Problems."""

    @functools.wraps(endpoint)
    async def call(request: Request) -> Response:
        try:
            return await endpoint(request)
        except CollegiumError as error:
            return problem(error)

    return call
