"""Serve the local page from a thread: loopback only, strict headers, no script at all."""

import socket
import threading
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import Final

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from collegium_connect.local_ui.page import page
from collegium_connect.local_ui.status import GatewayStatus, as_json
from collegium_connect.log import EventLog
from collegium_connect.settings import LocalSettings

log = EventLog("local_ui")

_HEADERS: Final[Mapping[str, str]] = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none';"
    " frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}


def make_app(read: Callable[[], GatewayStatus]) -> Starlette:
    """The page, the same as JSON, its style, and a sign of life. `read` runs in a worker thread."""
    style = files("collegium_connect.local_ui").joinpath("style.css").read_text("utf-8")

    def index(_request: Request) -> Response:
        return HTMLResponse(page(read()), headers=_HEADERS)

    def status(_request: Request) -> Response:
        return JSONResponse(as_json(read()), headers=_HEADERS)

    def css(_request: Request) -> Response:
        return Response(style, media_type="text/css", headers=_HEADERS)

    def health(_request: Request) -> Response:
        return JSONResponse({"alive": True}, headers=_HEADERS)

    return Starlette(
        routes=[
            Route("/", index),
            Route("/status.json", status),
            Route("/style.css", css),
            Route("/health", health),
        ],
        # A foreign name that resolves to this machine must not read the page through someone's browser.
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]"])],
    )


class LocalPage:
    """The page's server: `start` binds and serves in a thread, `stop` ends it."""

    def __init__(self, settings: LocalSettings, read: Callable[[], GatewayStatus]) -> None:
        self._settings = settings
        config = uvicorn.Config(
            make_app(read), log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1
        )
        self._server = uvicorn.Server(config)
        self._socket: socket.socket | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        assert self._socket is not None
        return int(self._socket.getsockname()[1])

    def start(self) -> None:
        self._socket = socket.create_server((self._settings.host, self._settings.port))
        sockets = [self._socket]
        self._thread = threading.Thread(
            target=lambda: self._server.run(sockets=sockets), name="local page", daemon=True
        )
        self._thread.start()
        log.info("local_page.listening", host=self._settings.host, port=self.port)

    def stop(self, timeout_s: float = 3.0) -> None:
        self._server.should_exit = True
        if self._thread is not None:
            self._thread.join(timeout_s)
        if self._socket is not None:
            self._socket.close()
