"""Dry run: what a channel would do to a file, attribute by attribute. Nothing is kept and nothing is sent."""

from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from collegium_connect.channels import Channels
from collegium_connect.local_ui.desk import Desk
from collegium_connect.local_ui.pictures import inline
from collegium_connect.local_ui.sessions import Session
from collegium_connect.quarantine import View, Viewer
from collegium_connect.quarantine.view import Verdict

MOST_BYTES: Final = 256 << 20
SUBJECT: Final = "DRY-RUN"
"""Takes the place of the subject code: a dry run gives nobody one."""


class DryRunPages:
    def __init__(self, desk: Desk, channels: Channels, viewer: Viewer) -> None:
        self._desk, self._channels, self._viewer = desk, channels, viewer

    async def empty(self, request: Request, _session: Session) -> Response:
        return self._page(request)

    async def run(self, request: Request, _session: Session) -> Response:
        form = await request.form()
        given, channel = form.get("file"), self._channels.by_id(str(form.get("channel_id", "")))
        if channel is None or not isinstance(given, UploadFile) or not given.size:
            return self._page(request, problem="Choose a channel and a DICOM file.")
        if given.size > MOST_BYTES:
            return self._page(request, problem="The file is larger than 256 MB.")
        data = await given.read()
        view = await run_in_threadpool(self._viewer.view, data, channel, Verdict(SUBJECT), (), 0)
        return self._page(request, view=view, channel_id=channel.channel_id)

    def _page(
        self, request: Request, *, view: View | None = None, problem: str = "", channel_id: str = ""
    ) -> Response:
        return self._desk.page(
            request,
            "dry_run.html",
            channels=self._channels.active,
            channel_id=channel_id,
            view=view,
            before=inline(view.before) if view else "",
            after=inline(view.after) if view else "",
            problem=problem,
        )
