"""Bring entries over from a journal that was damaged, as far as their chain holds."""

import sqlite3
from collections.abc import Iterable

from collegium_connect.journal import trail as stored
from collegium_connect.journal.trail import Entry
from collegium_connect.trail.chain import hash_of


def bring_over(db: sqlite3.Connection, rows: Iterable[sqlite3.Row]) -> int:
    """Add what follows the last entry here, until one is missing or not as it was written; how many."""
    # A damaged page may hold anything.
    found = {row["seq"]: Entry(**row) for row in rows if isinstance(row["sealed_reason"], bytes)}
    count, head = 0, stored.last_hash(db)
    while (entry := found.get(stored.last_seq(db) + 1)) is not None and _follows(entry, head):
        stored.add(db, [entry])
        count, head = count + 1, entry.hash
    return count


def _follows(entry: Entry, head: str) -> bool:
    return entry.previous_hash == head and entry.hash == hash_of(entry)
