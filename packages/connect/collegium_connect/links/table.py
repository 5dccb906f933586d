"""Subject codes for local ids, on the way of every object.

A new id gets the next free code of its site; where a channel takes listed ids only, it is refused, and
its object held until an allocation list brings it.
"""

import sqlite3
import threading
from typing import Final

from collegium_connect.clock import Clock, to_ms
from collegium_connect.journal import aside, channels, subjects, test_exams
from collegium_connect.journal.database import Journal
from collegium_connect.journal.objects import UNKNOWN_ID
from collegium_connect.journal.subjects import NewSubject
from collegium_connect.keys import Secrets
from collegium_connect.sealed import seal, unseal
from collegium_connect.twins import SHARED_WORDS
from collegium_deid import Rejected
from collegium_wire import Allocation

_WORDS: Final = (
    "The patient id is not on this site's list. Import a list that names it; it goes on by itself."
)


class LinkTable:
    """Codes for local ids. Safe between threads; the same id always gets the same code."""

    def __init__(self, journal: Journal, secrets: Secrets, clock: Clock) -> None:
        self._journal, self._secrets, self._clock = journal, secrets, clock
        self._codes: dict[tuple[int, bytes], str] = {}
        self._lock = threading.Lock()

    def code_for(self, scope_id: int, site_code: str, local_id: str) -> str:
        """The subject code of a local id, made and on disk if this is its first time.

        Raises:
            Rejected: it is new, and its site's channels take listed ids only, or another gateway may give it another.
        """
        mac = mac_of(self._secrets, scope_id, local_id)
        known = self._codes.get((scope_id, mac))
        if known is not None:
            return known
        with self._lock, self._journal.change() as db:
            code = subjects.code_of(db, scope_id, mac) or test_exams.code_of(db, scope_id, mac)
            if code is None:
                code = self._allocate(db, scope_id, site_code, local_id)
        self._codes[scope_id, mac] = code
        return code

    def known_code(self, scope_id: int, local_id: str) -> str | None:
        """The code of a local id that has one; none is made."""
        with self._journal.look() as db:
            return subjects.code_of(db, scope_id, mac_of(self._secrets, scope_id, local_id))

    def resume_held(self) -> int:
        """Let go on what was held for want of a list where lists are not asked for any more; how many objects."""
        with self._journal.look() as db:
            due = [
                scope.scope_id
                for scope in subjects.scopes(db)
                if aside.held_for(db, scope.scope_id, UNKNOWN_ID) and not is_listed(db, scope.scope_id)
            ]
            if channels.shared_since_ms(db) is not None:
                return 0
        count = 0
        for scope_id in due:
            with self._journal.change() as db:
                count += aside.resume(db, scope_id, UNKNOWN_ID)
        return count

    def _allocate(self, db: sqlite3.Connection, scope_id: int, site_code: str, local_id: str) -> str:
        if is_listed(db, scope_id):
            raise Rejected(UNKNOWN_ID, _WORDS)
        if channels.shared_since_ms(db) is not None:
            raise Rejected(UNKNOWN_ID, SHARED_WORDS)
        number = subjects.next_number(db, scope_id)
        code = f"{site_code}-{number:03d}"
        at_ms = to_ms(self._clock())
        subject = new_subject(self._secrets, scope_id, local_id, code=code, number=number, at_ms=at_ms)
        subjects.add(db, scope_id, subject)
        return code


def is_listed(db: sqlite3.Connection, scope_id: int) -> bool:
    """Whether a site takes listed ids only: one numbering, so the strictest of its channels decides."""
    return any(
        item.setup.allocation is Allocation.LISTED
        for item in channels.channels(db)
        if item.scope_id == scope_id and item.is_active
    )


def new_subject(  # noqa: PLR0913 - the parts of one row
    secrets: Secrets, scope_id: int, local_id: str, *, code: str, number: int, at_ms: int
) -> NewSubject:
    sealed = seal(secrets.sealing, _bound(scope_id, code), local_id.encode())
    return NewSubject(
        local_id_mac=mac_of(secrets, scope_id, local_id),
        sealed_local_id=b"".join(sealed),
        number=number,
        code=code,
        created_ms=at_ms,
    )


def mac_of(secrets: Secrets, scope_id: int, local_id: str) -> bytes:
    return secrets.lookup(scope_id, local_id)


def local_id_of(secrets: Secrets, scope_id: int, code: str, sealed: bytes) -> str:
    """The local id behind a code. For signed-in local people only: never logged, never sent.

    Raises:
        SealBroken: the row was changed.
    """
    return unseal(secrets.sealing, _bound(scope_id, code), sealed).decode()


def _bound(scope_id: int, code: str) -> str:
    return f"subject/{scope_id}/{code}"
