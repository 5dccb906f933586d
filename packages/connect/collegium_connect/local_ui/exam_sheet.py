"""All pictures of one exam that wait for a release, side by side: look at each, release those that may leave."""

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from collegium_connect.local_ui.desk import Desk
from collegium_connect.local_ui.pictures import inline
from collegium_connect.local_ui.quarantine_pages import boxes_of
from collegium_connect.local_ui.sessions import Session
from collegium_connect.quarantine import Quarantine


class ExamSheetPages:
    def __init__(self, desk: Desk, quarantine: Quarantine) -> None:
        self._desk, self._quarantine = desk, quarantine

    async def look(self, request: Request, session: Session) -> Response:
        """The first frame of each as it would leave, with what the form marks hidden on all of them."""
        exam_id, form = str(request.path_params["exam_id"]), await request.form()
        boxes = boxes_of(str(form.get("boxes", "")))
        seen = await run_in_threadpool(
            lambda: self._quarantine.look_at_exam(session.actor, exam_id, boxes=boxes)
        )
        return self._desk.page(
            request,
            "exam_sheet.html",
            exam_id=exam_id,
            pictures=[(item, inline(item.view.after or item.view.before)) for item in seen],
            can_release=any(item.look_id and item.view.after for item in seen),
            boxes="\n".join(", ".join(map(str, box)) for box in boxes),
        )

    async def release(self, request: Request, session: Session) -> Response:
        """Those that were ticked, all or none."""
        form = await request.form()
        looks = [str(value) for name, value in form.multi_items() if name == "look_id"]
        await run_in_threadpool(
            self._quarantine.release_all, session.actor, looks, str(form.get("reason", ""))
        )
        return RedirectResponse("/quarantine?told=exam-released", status_code=303)
