"""Who is signed in at the local page: kept in memory, so that a restart signs everyone out."""

import hmac
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from collegium_connect.actor import Actor
from collegium_connect.people import Person

COOKIE: Final = "collegium_local"
IDLE: Final = timedelta(minutes=30)
LONGEST: Final = timedelta(hours=12)


@dataclass(frozen=True)
class Session:
    """One signed-in person. `form_token` must come back with every form (CSRF)."""

    person_id: str
    actor: Actor
    form_token: str = field(repr=False)
    began_at: datetime
    stamp: str = field(repr=False)
    """That of the person's password when they signed in."""

    def is_of(self, person: Person | None) -> bool:
        """Whether this is still a session of the person: same password, account not closed."""
        return person is not None and hmac.compare_digest(self.stamp, person.stamp)

    def allows(self, form_token: str) -> bool:
        return hmac.compare_digest(self.form_token.encode(), form_token.encode())


class Sessions:
    """Sessions by their cookie. Safe between threads."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock
        self._sessions: dict[str, tuple[Session, datetime]] = {}
        self._lock = threading.Lock()

    def begin(self, person: Person) -> str:
        """The cookie of a new session."""
        cookie, at = secrets.token_urlsafe(32), self._clock()
        session = Session(person.person_id, person.actor, secrets.token_urlsafe(32), at, person.stamp)
        with self._lock:
            self._forget_old(at)
            self._sessions[cookie] = (session, at)
        return cookie

    def find(self, cookie: str) -> Session | None:
        """The session of a cookie; looking counts as use."""
        at = self._clock()
        with self._lock:
            self._forget_old(at)
            found = self._sessions.get(cookie)
            if found is None:
                return None
            self._sessions[cookie] = (found[0], at)
            return found[0]

    def end(self, cookie: str) -> None:
        with self._lock:
            self._sessions.pop(cookie, None)

    def _forget_old(self, at: datetime) -> None:
        for cookie, (session, used_at) in list(self._sessions.items()):
            if at - used_at > IDLE or at - session.began_at > LONGEST:
                del self._sessions[cookie]
