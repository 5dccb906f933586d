"""Keep the journal from growing for ever: rows of what was delivered go after a stated time.

Within that time a resend is known and answered without being sent; after it, it is sent again and the
server judges it by its content.
"""

from datetime import timedelta
from typing import Final

from collegium_connect.actor import GATEWAY
from collegium_connect.clock import Clock, to_ms
from collegium_connect.journal import retention
from collegium_connect.journal.database import Journal
from collegium_connect.journal.retention import Day, Forgotten
from collegium_connect.log import EventLog
from collegium_connect.trail import Trail

log = EventLog("retention")

RETENTION_S: Final = 60.0
_EXAMS: Final = 20
_OBJECTS: Final = 500
_DAY_MS: Final = 86_400_000


class Retention:
    """Forgets what is old enough, a few exams at a time; call `run_once` again and again."""

    def __init__(self, journal: Journal, trail: Trail, clock: Clock, days: int) -> None:
        """Args: `days` that the rows of what was delivered stay; 0 keeps them for ever."""
        self._journal, self._trail, self._clock, self._days = journal, trail, clock, days

    def run_once(self) -> None:
        self._tell()
        if not self._days:
            return
        before_ms = to_ms(self._clock() - timedelta(days=self._days))
        with self._journal.look() as db:
            due = retention.due_exams(db, before_ms, _EXAMS)
        for exam_id in due:
            self._forget(exam_id, before_ms)

    def _forget(self, exam_id: str, before_ms: int) -> None:
        """One exam, a transaction for each few objects: what receives and sends never waits long."""
        done = Forgotten(1, 0)
        while done.objects:
            with self._journal.change() as db:
                done = retention.forget(db, exam_id, before_ms, _OBJECTS)
                if done:
                    retention.count(db, Day(to_ms(self._clock()) // _DAY_MS, done))

    def _tell(self) -> None:
        """Tell of each day that is over, once, in the trail."""
        today = to_ms(self._clock()) // _DAY_MS
        with self._journal.look() as db:
            over = retention.over_before(db, today)
        for day in over:
            counts = {"objects": day.forgotten.objects, "deliveries": day.forgotten.deliveries}
            with self._journal.change() as db:
                self._trail.note(
                    db, GATEWAY, "journal.delivered.forgotten", facts={"days": self._days, **counts}
                )
                retention.told(db, day.number)
            log.info("journal.forgotten", **counts)
