"""The web process: the byte paths (Starlette) in front, Django's pages behind them through a2wsgi.

Served by granian. No Django response streams; what carries bytes lives in the rooms'
`api.py` and calls ordinary queries and services in a thread.
"""

from __future__ import annotations

import ctypes
import gc
import os
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, cast

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "collegium.settings.django")
django.setup()

from a2wsgi import WSGIMiddleware  # noqa: E402  after setup
from django.core.wsgi import get_wsgi_application  # noqa: E402  after setup
from starlette.applications import Starlette  # noqa: E402  after setup
from starlette.responses import JSONResponse  # noqa: E402  after setup
from starlette.routing import BaseRoute, Mount  # noqa: E402  after setup

from collegium import wiring  # noqa: E402  after setup
from collegium.kit import ids, live  # noqa: E402  after setup
from collegium.kit.errors import CollegiumError, status_of  # noqa: E402  after setup
from collegium.settings.installation import installation  # noqa: E402  after setup

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.requests import Request
    from starlette.responses import Response

_M_MMAP_THRESHOLD, _M_TRIM_THRESHOLD = -3, -1


def keep_big_blocks() -> None:
    """Let glibc keep frames' memory instead of mapping and faulting it anew for each answer (2-3x on frames)."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError):
        return  # another C library: nothing to tune
    mallopt(_M_MMAP_THRESHOLD, 256 << 20)
    mallopt(_M_TRIM_THRESHOLD, 1 << 30)


def collect_less_often() -> None:
    """Let the garbage collector leave out what stays for good: it walked over all of Django again and again."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def problem(request: Request, error: Exception) -> Response:  # noqa: ARG001  Starlette's signature
    """An error of ours as JSON; the same table of statuses as for pages."""
    assert isinstance(error, CollegiumError)
    body = {"code": error.code, "message": error.text, "reference": ids.uuid7().hex[-8:]}
    body |= getattr(error, "details", {})
    return JSONResponse(body, status_code=status_of(error))


class _Pages:
    """Django behind a2wsgi, which wants a coroutine where granian gives another awaitable."""

    def __init__(self) -> None:
        # Any: a2wsgi types the interface more narrowly than Django does
        self._pages = WSGIMiddleware(cast("Any", get_wsgi_application()), workers=installation().web_threads)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # Any: ASGI's own dictionaries
        async def coroutine() -> Any:  # Any: an ASGI message
            return await receive()

        async def answer(message: Any) -> None:  # Any: an ASGI message
            await send(message)

        await self._pages(scope, coroutine, answer)


@asynccontextmanager
async def lifespan(_application: Starlette) -> AsyncIterator[None]:
    """While the process serves, it listens for what others changed."""
    async with live.listening(wiring.forgetting()):
        yield


def build() -> Starlette:
    """The application with every byte path of the rooms."""
    keep_big_blocks()
    wiring.connect()
    routes: list[BaseRoute] = [*wiring.byte_paths(), Mount("/", app=_Pages())]
    built = Starlette(routes=routes, exception_handlers={CollegiumError: problem}, lifespan=lifespan)
    collect_less_often()
    return built


application = build()
