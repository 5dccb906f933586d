"""At the start, make disk and journal agree after any end, however sudden.

What lies in a segment behind the last record that a row names was never acknowledged: it is cut off, and
what lies between records that rows name is given back. A row without its whole record is marked missing
and shown; nothing is made up for it.
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

_READERS: Final = 8  # a disk that is asked for many places at once finds them sooner


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
    missing = missing_in(stores, live)
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


def missing_in(stores: Stores, live: Sequence[LiveRecord]) -> list[str]:
    """Objects whose record is not on the disk as it was written."""
    by_segment = _by_segment(live)

    def look(name: str) -> list[str]:
        items = by_segment[name]
        broken = stores.broken_in(name, {item.place.offset: item.record_bytes for item in items})
        return [item.object_id for item in items if item.place.offset in broken]

    with ThreadPoolExecutor(_READERS) as readers:
        return [object_id for ids in readers.map(look, by_segment) for object_id in ids]


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
