"""At the start, make disk and journal agree after any end, however sudden.

What lies in a segment behind the last record that a row names was never acknowledged: it is cut off. A
row without its whole record is marked missing and shown; nothing is made up for it.
"""

from collections import defaultdict

from collegium_connect.journal import objects
from collegium_connect.journal.database import Journal
from collegium_connect.journal.objects import LiveRecord
from collegium_connect.log import EventLog
from collegium_connect.spool import Stores

log = EventLog("recover")


def recover(journal: Journal, stores: Stores) -> None:
    """Call before anything is received or sent."""
    with journal.look() as db:
        live = objects.live_records(db)
    by_segment: dict[str, list[LiveRecord]] = defaultdict(list)
    for item in live:
        by_segment[item.place.segment].append(item)
    missing = [item.object_id for item in live if not stores.is_whole(item.place, item.record_bytes)]
    orphans, cut_bytes = _cut_tails(stores, by_segment)
    if missing:
        with journal.change() as db:
            for object_id in missing:
                objects.mark_missing(db, object_id)
                log.error("object.missing", object=object_id)
    log.info(
        "journal.recovered", objects=len(live), orphans_removed=orphans, cut_bytes=cut_bytes,
        missing=len(missing),
    )  # fmt: skip


def _cut_tails(stores: Stores, by_segment: dict[str, list[LiveRecord]]) -> tuple[int, int]:
    """Remove segments that no row names, cut the others behind their last record; how many, how many bytes."""
    segments, orphans, cut_bytes = stores.segments, 0, 0
    for name in segments.names():
        items, size = by_segment.get(name, ()), segments.size_of(name)
        if not items:
            segments.remove(name)
            orphans += 1
            continue
        for _ in items:
            segments.adopt(name)
        end = max(item.place.offset + item.record_bytes for item in items)
        if end < size:
            segments.truncate(name, end)
            cut_bytes += size - end
    return orphans, cut_bytes
