"""The link table: which subject code stands for which local id, known only here.

A local id is found by a keyed digest and kept sealed, so that a site administrator can read the list
with the gateway's key and nobody can without. A new id gets the next free code of its site.
"""

import threading

from collegium_connect.clock import Clock, to_ms
from collegium_connect.journal import subjects
from collegium_connect.journal.database import Journal
from collegium_connect.keys import Secrets
from collegium_connect.sealed import seal


class LinkTable:
    """Codes for local ids. Safe between threads; the same id always gets the same code."""

    def __init__(self, journal: Journal, secrets: Secrets, clock: Clock) -> None:
        self._journal, self._secrets, self._clock = journal, secrets, clock
        self._codes: dict[tuple[int, bytes], str] = {}
        self._lock = threading.Lock()

    def code_for(self, scope_id: int, site_code: str, local_id: str) -> str:
        """The subject code of a local id, made and on disk if this is its first time."""
        mac = self._secrets.lookup(scope_id, local_id)
        known = self._codes.get((scope_id, mac))
        if known is not None:
            return known
        with self._lock, self._journal.change() as db:
            code = subjects.code_of(db, scope_id, mac)
            if code is None:
                number = subjects.next_number(db, scope_id)
                code = f"{site_code}-{number:03d}"
                sealed = seal(self._secrets.sealing, f"subject/{scope_id}/{code}", local_id.encode())
                subject = subjects.NewSubject(
                    local_id_mac=mac,
                    sealed_local_id=b"".join(sealed),
                    number=number,
                    code=code,
                    created_ms=to_ms(self._clock()),
                )
                subjects.add(db, scope_id, subject)
        self._codes[scope_id, mac] = code
        return code
