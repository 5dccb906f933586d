"""What the server set up for this gateway, what waits for an administrator's word, and a look at the machine."""

from collections.abc import Callable, Sequence

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from collegium_connect.configuration import Configuration
from collegium_connect.doctor import Finding
from collegium_connect.local_ui.desk import Desk
from collegium_connect.local_ui.frame import HEADERS
from collegium_connect.local_ui.sessions import Session


class ConfigurationPages:
    def __init__(
        self,
        desk: Desk,
        configuration: Configuration,
        examine: Callable[[], Sequence[Finding]],
        report: Callable[[Sequence[Finding]], str],
        pins: Callable[[], str],
    ) -> None:
        self._desk, self._configuration, self._pins = desk, configuration, pins
        self._examine, self._report = examine, report

    async def listed(self, request: Request, _session: Session) -> Response:
        return await self._page(request)

    async def confirm(self, request: Request, session: Session) -> Response:
        """Put in force what waits, as the person saw it."""
        form = await request.form()
        await run_in_threadpool(
            lambda: self._configuration.confirm(
                actor=session.actor,
                channel_id=str(form.get("channel_id", "")),
                setup_digest=str(form.get("setup_digest", "")),
            )
        )
        return await self._page(request, told="Confirmed. It applies to what comes from now on.")

    async def doctor(self, request: Request, _session: Session) -> Response:
        """Asked for by a form: it takes seconds, and measures the line."""
        if request.method != "POST":
            return self._desk.page(request, "doctor.html", findings=None)
        findings = await run_in_threadpool(self._examine)
        if (await request.form()).get("as_report"):
            headers = {**HEADERS, "Content-Disposition": 'attachment; filename="compatibility-report.html"'}
            return HTMLResponse(self._report(findings), headers=headers)
        return self._desk.page(request, "doctor.html", findings=findings)

    async def _page(self, request: Request, told: str = "") -> Response:
        in_force = await run_in_threadpool(self._configuration.in_force)
        waiting = await run_in_threadpool(self._configuration.waiting)
        return self._desk.page(
            request, "configuration.html", in_force=in_force, waiting=waiting, told=told,
            pins=await run_in_threadpool(self._pins),
        )  # fmt: skip
