"""The trail: who did what at this gateway, newest first, and whether the chain is whole."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from collegium_connect.local_ui.desk import Desk
from collegium_connect.local_ui.sessions import Session
from collegium_connect.trail import Trail

_LINES = 100
_DIGITS = 19  # beyond 64 bits the journal could not even be asked


class TrailPages:
    def __init__(self, desk: Desk, trail: Trail) -> None:
        self._desk, self._trail = desk, trail

    async def lines(self, request: Request, _session: Session) -> Response:
        before = request.query_params.get("before", "")
        is_number = before.isascii() and before.isdigit() and len(before) < _DIGITS
        before_seq = int(before) if is_number else None
        lines = await run_in_threadpool(lambda: self._trail.lines(before_seq=before_seq, limit=_LINES))
        has_more = len(lines) == _LINES
        return self._desk.page(request, "trail.html", lines=lines, has_more=has_more, verdict=None)

    async def verify(self, request: Request, _session: Session) -> Response:
        verdict = await run_in_threadpool(self._trail.verify)
        lines = await run_in_threadpool(lambda: self._trail.lines(limit=_LINES))
        return self._desk.page(
            request, "trail.html", lines=lines, has_more=len(lines) == _LINES, verdict=verdict
        )
