"""The sign-in page, and the way out."""

from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from collegium_connect.local_ui.desk import Desk
from collegium_connect.local_ui.sessions import COOKIE, LONGEST, Session
from collegium_connect.local_ui.uploads import BodyTooLarge, bounded
from collegium_connect.people import People, PeopleError


class SignInPages:
    def __init__(self, desk: Desk, people: People) -> None:
        self._desk, self._people = desk, people

    async def sign_in(self, request: Request) -> Response:
        if request.method == "GET":
            return await self._form(request, request.query_params.get("next", "/"))
        try:
            form = await bounded(request).form()
        except BodyTooLarge as error:
            return await self._form(request, "/", problem=str(error), status=413)
        name, password, next_ = (str(form.get(key, "")) for key in ("name", "password", "next"))
        try:
            person = await run_in_threadpool(self._people.check, name, password)
        except PeopleError as error:
            return await self._form(request, next_, name=name, problem=str(error), status=403)
        answer = RedirectResponse(_own(next_), status_code=303)
        answer.set_cookie(
            COOKIE,
            self._desk.sessions.begin(person),
            max_age=int(LONGEST.total_seconds()),
            httponly=True,
            samesite="strict",
        )
        return answer

    async def sign_out(self, request: Request, _session: Session) -> Response:
        self._desk.sessions.end(request.cookies.get(COOKIE, ""))
        answer = RedirectResponse("/", status_code=303)
        answer.delete_cookie(COOKIE)
        return answer

    async def _form(
        self, request: Request, next_: str, *, name: str = "", problem: str = "", status: int = 200
    ) -> Response:
        has_people = bool(await run_in_threadpool(self._people.listed))
        return self._desk.page(
            request, "sign_in.html", status=status, next=_own(next_), name=name, problem=problem,
            has_people=has_people,
        )  # fmt: skip


def _own(address: str) -> str:
    """A path of this page; anything else becomes the overview."""
    parts = urlsplit(address)
    is_own = address.startswith("/") and not parts.scheme and not parts.netloc and "\\" not in address
    return address if is_own else "/"
