"""The link table: which subject code stands for which local id. For signed-in people of the site only."""

from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from collegium_connect.links import LinkList, ListInvalid
from collegium_connect.local_ui.desk import Desk
from collegium_connect.local_ui.frame import HEADERS
from collegium_connect.local_ui.sessions import Session

MOST_BYTES: Final = 8 << 20
_MOST_SCOPES: Final = 1 << 31  # beyond 64 bits the journal could not even be asked


class LinkPages:
    def __init__(self, desk: Desk, links: LinkList) -> None:
        self._desk, self._links = desk, links

    async def numberings(self, request: Request, _session: Session) -> Response:
        found = await run_in_threadpool(self._links.numberings)
        return self._desk.page(request, "numberings.html", numberings=found)

    async def links(self, request: Request, _session: Session) -> Response:
        """One project's table, a page at a time."""
        return await self._table(request, after=request.query_params.get("after", ""))

    async def find(self, request: Request, _session: Session) -> Response:
        """Look up one local id. A form that is posted: an id does not belong into an address."""
        form = await request.form()
        local_id = str(form.get("local_id", ""))
        found = await run_in_threadpool(self._links.find, _scope(request), local_id)
        words = (
            f"Its subject code is {found.code}." if found else "This patient id has no subject code here yet."
        )
        return await self._table(request, told=words)

    async def take_list(self, request: Request, session: Session) -> Response:
        form = await request.form()
        given = form.get("list")
        if not isinstance(given, UploadFile) or not given.size:
            return await self._table(request, problem="Choose the CSV file first.")
        if given.size > MOST_BYTES:
            return await self._table(request, problem="The list is larger than 8 MB.")
        try:
            done = await run_in_threadpool(
                self._links.import_list, session.actor, _scope(request), await given.read()
            )
        except ListInvalid as error:
            return await self._table(request, problem=str(error))
        resumed = f"{done.resumed_objects} held objects are looked at again"
        words = f"{done.added} added, {done.known} known already, {resumed}."
        return await self._table(request, told=words)

    async def give_list(self, request: Request, session: Session) -> Response:
        content = await run_in_threadpool(self._links.export_list, session.actor, _scope(request))
        headers = {**HEADERS, "Content-Disposition": 'attachment; filename="link-table.csv"'}
        return Response(content, media_type="text/csv; charset=utf-8", headers=headers)

    async def _table(
        self, request: Request, *, after: str = "", told: str = "", problem: str = ""
    ) -> Response:
        scope = _scope(request)
        numberings = await run_in_threadpool(self._links.numberings)
        numbering = next((item for item in numberings if item.scope_id == scope), None)
        if numbering is None:
            return RedirectResponse("/links", status_code=303)
        rows = await run_in_threadpool(lambda: self._links.links(scope, after=after))
        return self._desk.page(
            request, "links.html", numbering=numbering, links=rows, after=after, told=told, problem=problem
        )


def _scope(request: Request) -> int:
    given = int(request.path_params["scope_id"])
    return given if given <= _MOST_SCOPES else 0
