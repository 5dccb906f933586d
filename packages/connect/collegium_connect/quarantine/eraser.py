"""See that the bytes of deleted objects are gone: zeros over the record, then its room given back.

The row that names the record is gone first, so nothing reads it any more. What a disk keeps of old
blocks on its own is the disk's; the sealed bytes would need the gateway's key besides.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from collegium_connect.journal import aside
from collegium_connect.journal.database import Journal
from collegium_connect.log import EventLog
from collegium_connect.spool import Stores

log = EventLog("quarantine")

_AT_ONCE: Final = 100
"""Between two looks at whether the gateway is to stop."""


class Eraser:
    """Erases what was deleted; `run_once` again and again, `clear` once before recovery."""

    def __init__(self, journal: Journal, stores: Stores) -> None:
        self._journal, self._stores = journal, stores

    def clear(self) -> None:
        """What an earlier run deleted and did not erase. Call before anything is adopted or written."""
        while self._erase(is_counted=False):
            pass

    def run_once(self) -> int:
        """Erase some of what was deleted since; how many."""
        return self._erase(is_counted=True)

    def _erase(self, *, is_counted: bool) -> int:
        with self._journal.look() as db:
            due = aside.erasures(db, _AT_ONCE)
        self._scrub(due)
        if due:
            with self._journal.change() as db:
                aside.erased(db, [item.object_id for item in due])
        for item in due:
            if is_counted:
                # Once only: the journal must not name the record any more.
                self._stores.segments.forget(item.place, item.record_bytes)
            log.info("object.erased", object=item.object_id)
        return len(due)

    def _scrub(self, due: Sequence[aside.Erasure]) -> None:
        """Write zeros over records, with one sync a segment; on the disk when this returns."""
        spans: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for item in due:
            spans[item.place.segment].append((item.place.offset, item.record_bytes))
        for segment, records in spans.items():
            self._stores.segments.scrub(segment, records)
