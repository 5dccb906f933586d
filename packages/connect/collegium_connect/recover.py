"""At the start, make disk and journal agree after any end, however sudden.

What lies in a segment behind the last record that a row names was never acknowledged: it is cut off, and
what lies between records that rows name is given back. A row without its whole record is marked missing
and shown; nothing is made up for it. The start looks at the last records of each segment, where a power
cut leaves its marks; `Scrub` at all of them, again and again while the gateway runs.
"""

from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from collegium_connect.journal import objects
from collegium_connect.journal.database import Journal
from collegium_connect.journal.objects import LiveRecord
from collegium_connect.log import EventLog
from collegium_connect.spool import Stores

log = EventLog("recover")

SCRUB_S: Final = 10.0
_READERS: Final = 8  # a disk that is asked for many places at once finds them sooner
_LAST: Final = 64


@dataclass
class Found:
    """What a start found and did."""

    objects: int = 0
    missing: int = 0
    orphans_removed: int = 0
    cut_bytes: int = 0


def recover(journal: Journal, stores: Stores) -> Found:
    """Call before anything is received or sent.

    Raises:
        JournalDamaged: a page of the journal is not as it was written; nothing was touched.
    """
    journal.check()
    with journal.look() as db:
        live = objects.live_records(db)
    by_segment = _by_segment(live)
    missing = missing_in(stores, live, last=_LAST)
    found = Found(objects=len(live), missing=len(missing))
    for name in stores.segments.names():
        _tidy(stores, name, by_segment.get(name, ()), found)
    if missing:
        with journal.change() as db:
            for object_id in missing:
                objects.mark_missing(db, object_id)
                log.error("object.missing", object=object_id)
    log.info(
        "journal.recovered", objects=found.objects, orphans_removed=found.orphans_removed,
        cut_bytes=found.cut_bytes, missing=found.missing,
    )  # fmt: skip
    return found


def missing_in(stores: Stores, live: Sequence[LiveRecord], *, last: int | None = None) -> list[str]:
    """Objects whose record is not on the disk as it was written; `last`: heads are read of so many a segment."""
    by_segment = _by_segment(live)

    def look(name: str) -> list[str]:
        items = sorted(by_segment[name], key=lambda item: item.place.offset)
        end = stores.segments.size_of(name)
        beyond = [item.object_id for item in items if item.place.offset + item.record_bytes > end]
        read = items[-last:] if last else items
        broken = stores.broken_in(name, {item.place.offset: item.record_bytes for item in read})
        return [*{*beyond, *(item.object_id for item in read if item.place.offset in broken)}]

    with ThreadPoolExecutor(_READERS) as readers:
        return [object_id for ids in readers.map(look, by_segment) for object_id in ids]


class Scrub:
    """Looks at every record's head and note in turn; call `run_once` every `SCRUB_S` seconds from one thread."""

    def __init__(self, journal: Journal, stores: Stores) -> None:
        self._journal, self._stores, self._last = journal, stores, ""

    def run_once(self) -> None:
        """Look at the next segment; what is broken in it is marked missing."""
        names = self._stores.segments.names()
        self._last = next((name for name in names if name > self._last), names[0] if names else "")
        with self._journal.look() as db:
            live = objects.live_records(db, self._last)
        broken = set(missing_in(self._stores, live))
        for item in live:
            if item.object_id in broken:
                self._mark(item)

    def _mark(self, item: LiveRecord) -> None:
        """Unless it was sent, deleted or written anew meanwhile."""
        with self._journal.change() as db:
            if item in objects.live_records(db, item.place.segment):
                objects.mark_missing(db, item.object_id)
                log.error("object.missing", object=item.object_id)


def _by_segment(live: Sequence[LiveRecord]) -> dict[str, list[LiveRecord]]:
    by_segment: dict[str, list[LiveRecord]] = defaultdict(list)
    for item in live:
        by_segment[item.place.segment].append(item)
    return by_segment


def _tidy(stores: Stores, name: str, items: Sequence[LiveRecord], found: Found) -> None:
    """Remove a segment that no row names; empty what lies between records, cut what lies behind the last."""
    segments, size, end = stores.segments, stores.segments.size_of(name), 0
    if not items:
        segments.remove(name)
        found.orphans_removed += 1
        return
    segments.adopt(name, len(items))
    for item in sorted(items, key=lambda item: item.place.offset):
        segments.empty(name, end, item.place.offset - end)
        end = item.place.offset + item.record_bytes
    if end < size:
        segments.truncate(name, end)
        found.cut_bytes += size - end
