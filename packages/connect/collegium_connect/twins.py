"""Two gateways with one enrolment: what each does once the server has noticed.

Each start draws a number that goes with every heartbeat. The server sees two numbers take turns, which one
gateway that starts anew never does, and says so to both. From then on nothing is sent and no new patient
gets a code, because two gateways would give two patients one. Everything else is received and kept; when
one of them has been silent for minutes, the other goes on by itself.
"""

import secrets
from typing import Final

from collegium_connect.clock import now, to_ms
from collegium_connect.journal import channels
from collegium_connect.journal.database import Journal
from collegium_connect.log import EventLog

log = EventLog("twins")

SHARED: Final = "connect.gateway.shared"
SHARED_WORDS: Final = (
    "Another gateway uses the enrolment of this one, most likely a copy of this machine or folder. Nothing is sent"
    " and new patients are held, so that no two get one subject code. Switch one of them off; some minutes later"
    " the other goes on by itself."
)
_RUN_BYTES: Final = 32


def draw_run() -> str:
    """A number for this start of the gateway."""
    return secrets.token_hex(_RUN_BYTES)


def note(journal: Journal, *, is_shared: bool) -> None:
    """Keep what the server said last; it holds until the server says otherwise, over restarts too."""
    with journal.look() as db:
        if (channels.shared_since_ms(db) is not None) == is_shared:
            return
    with journal.change() as db:
        is_news = channels.note_shared(db, to_ms(now()) if is_shared else None)
    if is_news:
        (log.error if is_shared else log.info)("enrolment.shared" if is_shared else "enrolment.alone")
