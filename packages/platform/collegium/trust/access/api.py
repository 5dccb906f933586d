"""Who is behind a request of the byte paths (Starlette): the same answer as for pages."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from django.conf import settings

from collegium.kit import live
from collegium.kit.errors import SignInNeeded
from collegium.kit.kept import Kept
from collegium.trust.identity.queries import principal_from_session

if TYPE_CHECKING:
    from starlette.requests import Request

    from collegium.kit.principals import Principal

KEPT_S = 5.0
"""How long a session's answer is kept; it names who, never what they may."""

SESSION = "session"
"""What other processes are told to forget."""

_kept: Kept[str, Principal] = Kept(KEPT_S)


def principal_of(request: Request) -> Principal:
    """The signed-in person behind the session cookie. Touches the database: call it in a thread.

    Raises:
        SignInNeeded: no session, or one that ended.
    """
    session_key = request.cookies.get(settings.SESSION_COOKIE_NAME, "")
    key = _digest(session_key)
    kept = _kept.get(key)
    if kept:
        return kept
    mark = _kept.begin()
    principal = principal_from_session(session_key)
    if principal is None:
        raise SignInNeeded
    _kept.keep(key, principal, mark)
    return principal


def forget(session_key: str) -> None:
    """Make every web process drop what it keeps of a session; called at sign-out."""
    forget_here(_digest(session_key))
    live.forget(SESSION, _digest(session_key))


def forget_here(digest: str | None) -> None:
    """Drop what this process keeps of a session, known by its digest, or of all."""
    _kept.drop(None if digest is None else lambda key: key == digest)


def _digest(session_key: str) -> str:
    """What a session is called outside the cookie and its row: the key itself would open it."""
    return hashlib.sha256(session_key.encode()).hexdigest()
