"""The overview, the same as JSON, and a sign of life: without sign-in, because nothing here tells who anyone is."""

from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from collegium_connect.local_ui.desk import Desk
from collegium_connect.local_ui.frame import HEADERS
from collegium_connect.local_ui.status import GatewayStatus, as_json


class OverviewPages:
    def __init__(self, desk: Desk, read: Callable[[], GatewayStatus]) -> None:
        self._desk, self._read = desk, read

    async def whole(self, request: Request) -> Response:
        status = await run_in_threadpool(self._read)
        return self._desk.page(request, "overview.html", gateway=status)

    async def part(self, request: Request) -> Response:
        """What changes, for the page that is open."""
        status = await run_in_threadpool(self._read)
        return self._desk.page(request, "overview_part.html", gateway=status)

    async def as_json(self, _request: Request) -> Response:
        return JSONResponse(as_json(await run_in_threadpool(self._read)), headers=HEADERS)

    async def health(self, _request: Request) -> Response:
        return JSONResponse({"alive": True}, headers=HEADERS)
