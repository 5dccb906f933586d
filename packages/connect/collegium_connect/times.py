"""When the clock goes back, times of the journal lie in the future, and what waits for them would wait for long."""

from typing import Final

from collegium_connect.clock import Clock, to_ms
from collegium_connect.journal.database import Journal
from collegium_connect.log import EventLog
from collegium_connect.send.backoff import CAP_S

log = EventLog("times")

TIMES_S: Final = 5.0
_TOLERATED_MS: Final = 5000
_LONGEST_WAIT_MS: Final = round(1000 * CAP_S) + _TOLERATED_MS


class Times:
    """Brings such times back to now; call `run_once` every `TIMES_S` seconds from one thread."""

    def __init__(self, journal: Journal, clock: Clock) -> None:
        self._journal, self._clock = journal, clock

    def run_once(self) -> None:
        now_ms = to_ms(self._clock())
        limits = (now_ms + _TOLERATED_MS, now_ms + _LONGEST_WAIT_MS)
        with self._journal.look() as db:
            (is_ahead,) = db.execute(
                "SELECT EXISTS (SELECT 1 FROM exams WHERE last_ms > ?)"
                " OR EXISTS (SELECT 1 FROM deliveries WHERE state = 'queued' AND next_attempt_ms > ?)",
                limits,
            ).fetchone()
        if is_ahead:
            self._bring_back(now_ms, *limits)

    def _bring_back(self, now_ms: int, exam_limit_ms: int, attempt_limit_ms: int) -> None:
        with self._journal.change() as db:
            exams = db.execute("UPDATE exams SET last_ms = ? WHERE last_ms > ?", (now_ms, exam_limit_ms))
            deliveries = db.execute(
                "UPDATE deliveries SET next_attempt_ms = ? WHERE state = 'queued' AND next_attempt_ms > ?",
                (now_ms, attempt_limit_ms),
            )
        log.warning("clock.went_back", exams=exams.rowcount, deliveries=deliveries.rowcount)
