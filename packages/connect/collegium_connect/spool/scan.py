"""Find the records of a segment without a journal's help.

Walks from record to record; where none begins (a hole, a torn write) it looks for the next beginning.
Pixels could hold bytes that look like a record: whoever believes one opens its sealed part first.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

from collegium_connect.errors import SpoolDamaged
from collegium_connect.spool import record
from collegium_connect.spool.record import HEAD_BYTES, RecordHead
from collegium_connect.spool.segments import Place, Segments

_WINDOW: Final = 1 << 20


@dataclass(frozen=True)
class FoundRecord:
    place: Place
    head: RecordHead
    note: bytes


def records_of(segments: Segments, segment: str) -> Iterator[FoundRecord]:
    """All whole records of a segment, in order. Memory bound: one window."""
    end, at = segments.size_of(segment), 0
    with segments.open_for_reading(segment) as file:
        while at < end:
            found = _record_at(file, segment, at, end)
            if found is not None:
                yield found
                at += found.head.size
            else:
                at = _next_beginning(file, at + 1, end)


def _record_at(file: BinaryIO, segment: str, at: int, end: int) -> FoundRecord | None:
    file.seek(at)
    try:
        head = record.unpack(file.read(HEAD_BYTES))
        if at + head.size > end:
            return None
        note = file.read(head.note)
        record.check(head, note)
    except SpoolDamaged:
        return None
    return FoundRecord(Place(segment, at), head, note)


def _next_beginning(file: BinaryIO, at: int, end: int) -> int:
    while at < end:
        file.seek(at)
        window = file.read(_WINDOW)
        found = window.find(record.MAGIC)
        if found >= 0:
            return at + found
        if len(window) < len(record.MAGIC):
            break
        at += len(window) - len(record.MAGIC) + 1
    return end
