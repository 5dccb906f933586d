"""Who may see which local page: signed in, with the right role, and every form with its token."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Final
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from collegium_connect.local_ui.frame import Frame
from collegium_connect.local_ui.sessions import COOKIE, Session, Sessions

Page = Callable[[Request], Awaitable[Response]]
SignedInPage = Callable[[Request, Session], Awaitable[Response]]

_FORBIDDEN: Final = 403


class Desk:
    """Guards pages and draws them in the frame."""

    def __init__(self, frame: Frame, sessions: Sessions, pages: tuple[tuple[str, str], ...]) -> None:
        """`pages`: path and name of each page that the head of every page links."""
        self._frame, self.sessions, self._pages = frame, sessions, pages

    def session(self, request: Request) -> Session | None:
        return self.sessions.find(request.cookies.get(COOKIE, ""))

    def page(self, request: Request, template: str, *, status: int = 200, **context: object) -> HTMLResponse:
        """A page in the frame, for whoever asks."""
        here = "/" + request.url.path.split("/")[1]
        return self._frame.page(
            template, self.session(request), status=status, pages=self._pages, here=here, **context
        )

    def refusal(self, request: Request, words: str, status: int = _FORBIDDEN) -> HTMLResponse:
        return self.page(request, "refusal.html", status=status, words=words)

    def signed_in(self, role: str = "") -> Callable[[SignedInPage], Page]:
        """Let only signed-in people in, of one role where it is named; forms only with their token."""

        def guard(handle: SignedInPage) -> Page:
            @wraps(handle)
            async def guarded(request: Request) -> Response:
                session = self.session(request)
                if session is None:
                    return RedirectResponse(f"/sign-in?next={quote(request.url.path)}", status_code=303)
                if role and session.role != role:
                    return self.refusal(request, f"Only a local {role} may do this.")
                if request.method == "POST":
                    form = await request.form()
                    if not session.allows(str(form.get("form_token", ""))):
                        return self.refusal(request, "This form is too old. Open the page again.")
                return await handle(request, session)

            return guarded

        return guard
