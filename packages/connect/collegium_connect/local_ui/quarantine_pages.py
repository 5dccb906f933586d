"""Quarantine: what is set aside and why; look at one, release it as seen, take that back, or give it up."""

import re
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from collegium_connect.errors import ConnectError
from collegium_connect.local_ui.desk import Desk
from collegium_connect.local_ui.pictures import inline
from collegium_connect.local_ui.sessions import Session
from collegium_connect.quarantine import AsideGroups, NotShown, Quarantine, TwoPatients
from collegium_connect.quarantine.view import Boxes

_AT_ONCE: Final = 50
_ID: Final = re.compile(r"[0-9a-f-]{36}")
_BOX: Final = re.compile(r"\s*(\d{1,6})\s*,\s*(\d{1,6})\s*,\s*(\d{1,6})\s*,\s*(\d{1,6})\s*")


class BoxesUnclear(ConnectError):
    code = "connect.local_ui.boxes"
    message = "A box is one line: left, top, right, bottom in pixels, such as 10, 5, 200, 30."


class QuarantinePages:
    def __init__(
        self, desk: Desk, quarantine: Quarantine, groups: AsideGroups, two_patients: TwoPatients
    ) -> None:
        self._desk, self._quarantine = desk, quarantine
        self._groups, self._two_patients = groups, two_patients

    async def listed(self, request: Request, _session: Session) -> Response:
        """Everything set aside, newest first, of one reason where the address names it."""
        code, start = request.query_params.get("reason", ""), _number(request.query_params.get("from", ""))
        rows = await run_in_threadpool(
            lambda: self._quarantine.objects(reason_code=code, offset=start, limit=_AT_ONCE + 1)
        )
        return self._desk.page(
            request,
            "quarantine.html",
            rows=rows[:_AT_ONCE],
            has_more=len(rows) > _AT_ONCE,
            start=start,
            reason_code=code,
            groups=await run_in_threadpool(lambda: self._groups.listed(reason_code=code)),
            reasons=await run_in_threadpool(self._quarantine.reasons),
            exams=await run_in_threadpool(self._two_patients.exams),
            decided=await run_in_threadpool(self._two_patients.decided),
            told=request.query_params.get("told", ""),
            deleted=_number(request.query_params.get("objects", "")),
            released=_object_id(request.query_params.get("object", "")),
        )

    async def look(self, request: Request, session: Session) -> Response:
        """One object, as it came and as it would leave with what the form marks hidden."""
        object_id, form = str(request.path_params["object_id"]), await request.form()
        boxes, frame = boxes_of(str(form.get("boxes", ""))), max(0, _number(form.get("frame", "1")) - 1)
        try:
            seen = await run_in_threadpool(
                lambda: self._quarantine.look(session.actor, object_id, boxes=boxes, frame=frame)
            )
        except NotShown as error:
            seen = await run_in_threadpool(self._quarantine.unseen, session.actor, object_id, error)
        history = await run_in_threadpool(self._quarantine.history, object_id)
        return self._desk.page(
            request,
            "quarantined.html",
            seen=seen,
            history=history,
            before=inline(seen.view.before),
            after=inline(seen.view.after),
            boxes="\n".join(", ".join(map(str, box)) for box in boxes),
        )

    async def release(self, request: Request, session: Session) -> Response:
        form = await request.form()
        object_id = await run_in_threadpool(
            self._quarantine.release, session.actor, _text(form, "look_id"), _text(form, "reason")
        )
        return _told(f"released&object={object_id}")

    async def take_back(self, request: Request, session: Session) -> Response:
        form = await request.form()
        await run_in_threadpool(
            self._quarantine.take_back,
            session.actor,
            str(request.path_params["object_id"]),
            _text(form, "reason"),
        )
        return _told("taken-back")

    async def delete(self, request: Request, session: Session) -> Response:
        form, object_id = await request.form(), str(request.path_params["object_id"])
        if _text(form, "typed").strip().lower() != "delete":
            return self._desk.refusal(
                request, "Type the word delete to give an object up. Nothing was deleted.", 409
            )
        await run_in_threadpool(self._quarantine.delete, session.actor, object_id, _text(form, "reason"))
        return _told("deleted")

    async def confirm(self, request: Request, session: Session) -> Response:
        form, exam_id = await request.form(), str(request.path_params["exam_id"])
        await run_in_threadpool(
            self._two_patients.confirm,
            session.actor,
            exam_id,
            _text(form, "subject_code"),
            _text(form, "reason"),
        )
        return _told("decided")

    async def split(self, request: Request, session: Session) -> Response:
        form = await request.form()
        await run_in_threadpool(
            self._two_patients.split,
            session.actor,
            str(request.path_params["exam_id"]),
            _text(form, "reason"),
        )
        return _told("decided")

    async def take_back_decision(self, request: Request, session: Session) -> Response:
        form = await request.form()
        await run_in_threadpool(
            self._two_patients.take_back,
            session.actor,
            str(request.path_params["exam_id"]),
            _text(form, "reason"),
        )
        return _told("undecided")


def boxes_of(text: str) -> Boxes:
    """Boxes as a person wrote or drew them, one a line.

    Raises:
        BoxesUnclear: a line is no box.
    """
    boxes = []
    for line in filter(str.strip, text.splitlines()):
        found = _BOX.fullmatch(line)
        if found is None:
            raise BoxesUnclear
        left, top, right, bottom = map(int, found.groups())
        if left >= right or top >= bottom:
            raise BoxesUnclear
        boxes.append((left, top, right, bottom))
    return tuple(boxes)


def _object_id(text: str) -> str:
    return text if _ID.fullmatch(text) else ""


def _number(text: object) -> int:
    given = str(text)
    return int(given) if given.isascii() and given.isdigit() and len(given) < 9 else 0


def _text(form: FormData, name: str) -> str:
    return str(form.get(name, ""))


def _told(what: str) -> RedirectResponse:
    return RedirectResponse(f"/quarantine?told={what}", status_code=303)
