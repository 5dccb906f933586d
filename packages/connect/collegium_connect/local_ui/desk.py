"""Who may see which local page: signed in, with the right role, and every form with its token."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Final, Protocol
from urllib.parse import quote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from collegium_connect.actor import Role
from collegium_connect.errors import ConnectError
from collegium_connect.local_ui.frame import Frame
from collegium_connect.local_ui.sessions import COOKIE, Session, Sessions
from collegium_connect.local_ui.uploads import FORM_BYTES, BodyTooLarge, bounded
from collegium_connect.people import Person

Page = Callable[[Request], Awaitable[Response]]
SignedInPage = Callable[[Request, Session], Awaitable[Response]]

_FORBIDDEN: Final = 403


class Finder(Protocol):
    def find(self, person_id: str) -> Person | None: ...


class Desk:
    """Guards pages and draws them in the frame."""

    def __init__(
        self, frame: Frame, sessions: Sessions, people: Finder, pages: tuple[tuple[str, str], ...]
    ) -> None:
        """`pages`: path and name of each page that the head of every page links."""
        self._frame, self.sessions, self._people, self._pages = frame, sessions, people, pages

    def page(self, request: Request, template: str, *, status: int = 200, **context: object) -> HTMLResponse:
        """A page in the frame, for whoever `signed_in` or `open` found to ask."""
        here = "/" + request.url.path.split("/")[1]
        return self._frame.page(
            template, request.state.session, status=status, pages=self._pages, here=here, done="", **context
        )

    def refusal(self, request: Request, words: str, status: int = _FORBIDDEN) -> HTMLResponse:
        return self.page(request, "refusal.html", status=status, words=words)

    def open(self, handle: Page) -> Page:
        """The page for everybody; who is signed in is named on it."""

        @wraps(handle)
        async def opened(request: Request) -> Response:
            await self._know(request)
            return await handle(request)

        return opened

    def signed_in(
        self, handle: SignedInPage, *, role: Role | None = None, most_bytes: int = FORM_BYTES
    ) -> Page:
        """The page for signed-in people only, of one role where it is named; forms only with their token.

        A form of more than `most_bytes` is not read to its end.

        What the page's work refuses (a ConnectError) is told in its words.
        """

        @wraps(handle)
        async def guarded(request: Request) -> Response:
            session = await self._know(request)
            if session is None:
                return RedirectResponse(f"/sign-in?next={quote(request.url.path)}", status_code=303)
            if role and session.actor.role != role:
                return self.refusal(request, f"Only a local {role} may do this.")
            if request.method == "POST":
                request = bounded(request, most_bytes)
                try:
                    form = await request.form()
                except BodyTooLarge as error:
                    return self.refusal(request, str(error), status=413)
                if not session.allows(str(form.get("form_token", ""))):
                    await request.close()
                    return self.refusal(request, "This form is too old. Open the page again.")
            try:
                return await handle(request, session)
            except ConnectError as error:
                return self.refusal(request, str(error), status=409)
            finally:
                await request.close()

        return guarded

    async def _know(self, request: Request) -> Session | None:
        """Look up the session of who asks, once; every page of this request is drawn for it."""
        request.state.session = None  # should the journal not tell, the page that says so is nobody's
        session: Session | None = await run_in_threadpool(self._session, request)
        request.state.session = session
        return session

    def _session(self, request: Request) -> Session | None:
        """The session of who asks, unless their account or password is not what it was."""
        cookie = request.cookies.get(COOKIE, "")
        session = self.sessions.find(cookie)
        if session is not None and not session.is_of(self._people.find(session.person_id)):
            self.sessions.end(cookie)
            return None
        return session
