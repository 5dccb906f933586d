"""What is set aside of one exam for one reason: see how much it is, then give it up in one act, or keep it."""

from collections.abc import Mapping

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from collegium_connect.journal.aside_groups import GroupKey
from collegium_connect.local_ui.desk import Desk
from collegium_connect.local_ui.sessions import Session
from collegium_connect.quarantine import AsideGroups


class GroupPages:
    def __init__(self, desk: Desk, groups: AsideGroups) -> None:
        self._desk, self._groups = desk, groups

    async def show(self, request: Request, _session: Session) -> Response:
        """How many objects of which exam and reason; nothing is done yet."""
        shown = await run_in_threadpool(self._groups.show, _key(request.query_params))
        return self._desk.page(request, "group.html", shown=shown, group=shown.group, key=shown.group.key)

    async def delete(self, request: Request, session: Session) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        if form.get("typed", "").strip().lower() != "delete":
            return self._desk.refusal(
                request, "Type the word delete to give them up. Nothing was deleted.", 409
            )
        count = await run_in_threadpool(
            self._groups.delete, session.actor, _key(form), form.get("shown", ""), form.get("reason", "")
        )
        return RedirectResponse(f"/quarantine?told=group-deleted&objects={count}", status_code=303)


def _key(given: Mapping[str, str]) -> GroupKey:
    return GroupKey(given.get("channel", ""), given.get("exam", ""), given.get("code", ""))
