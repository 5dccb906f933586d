"""Who is behind a request of the byte paths (Starlette): the same answer as for pages."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from django.conf import settings

from collegium.kit.errors import SignInNeeded
from collegium.trust.identity.queries import principal_from_session

if TYPE_CHECKING:
    from starlette.requests import Request

    from collegium.kit.principals import Principal

KEPT_S = 5.0
"""How long a session's answer is kept; it names who, never what they may."""

_kept: dict[str, tuple[float, Principal]] = {}


def principal_of(request: Request) -> Principal:
    """The signed-in person behind the session cookie. Touches the database: call it in a thread.

    Raises:
        SignInNeeded: no session, or one that ended.
    """
    key = request.cookies.get(settings.SESSION_COOKIE_NAME, "")
    now = time.monotonic()
    kept = _kept.get(key)
    if kept and now - kept[0] < KEPT_S:
        return kept[1]
    principal = principal_from_session(key)
    if principal is None:
        _kept.pop(key, None)
        raise SignInNeeded
    if len(_kept) > 10_000:
        _kept.clear()
    _kept[key] = (now, principal)
    return principal


def forget(session_key: str) -> None:
    """Drop what is kept of a session; called at sign-out."""
    _kept.pop(session_key, None)
