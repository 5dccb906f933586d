"""Exams on their way and delivered: search, state, why one waits; trying one at once, or letting it go as it is."""

from collections.abc import Callable
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from collegium_connect.local_ui.desk import Desk
from collegium_connect.local_ui.sessions import Session
from collegium_connect.local_ui.status import GatewayStatus
from collegium_connect.quarantine import UnmetExams
from collegium_connect.send import Sender

STATES: Final = ("receiving", "queued", "retrying", "delivered", "held", "refused")


class ExamPages:
    def __init__(
        self, desk: Desk, read: Callable[[], GatewayStatus], sender: Sender, unmet: UnmetExams
    ) -> None:
        self._desk, self._read, self._sender, self._unmet = desk, read, sender, unmet

    async def listed(self, request: Request, _session: Session) -> Response:
        return await self._list(request)

    async def retry(self, request: Request, session: Session) -> Response:
        exam_id = str(request.path_params["exam_id"])
        is_queued = await run_in_threadpool(
            lambda: self._sender.retry_now(actor=session.actor, exam_id=exam_id)
        )
        return await self._list(
            request, "It is tried now." if is_queued else "Nothing of it waits to be sent."
        )

    async def let_go(self, request: Request, session: Session) -> Response:
        """Send an exam that is held for what it lacks, or for want of an export manifest, as it is."""
        exam_id, form = str(request.path_params["exam_id"]), await request.form()
        await run_in_threadpool(self._unmet.let_go, session.actor, exam_id, str(form.get("reason", "")))
        return await self._list(
            request, "It leaves as it is. What it lacks of the requirements is told to the server."
        )

    async def _list(self, request: Request, told: str = "") -> Response:
        wanted, state = request.query_params.get("q", "").strip(), request.query_params.get("state", "")
        status = await run_in_threadpool(self._read)
        rows = [
            line
            for line in status.exams
            if wanted.casefold() in f"{line.subject_code} {line.channel_name}".casefold()
            and state in ("", line.state)
        ]
        return self._desk.page(
            request, "exams.html", exams=rows, all_exams=len(status.exams), wanted=wanted, state=state,
            states=STATES, told=told,
        )  # fmt: skip
