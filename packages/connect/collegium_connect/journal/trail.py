"""The trail's rows: only ever added, which the tables themselves see to."""

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from typing import Final

NO_ENTRY: Final = "0" * 64
"""The hash before the first entry."""


@dataclass(frozen=True, kw_only=True)
class Entry:
    seq: int
    """From 1, without a gap."""
    at_ms: int
    actor: str
    actor_role: str
    action: str
    channel_id: str
    ref: str
    detail: str
    sealed_reason: bytes
    previous_hash: str
    hash: str


_COLUMNS: Final = ", ".join(field.name for field in fields(Entry))


def add(db: sqlite3.Connection, entries: Sequence[Entry]) -> None:
    """Add at least one, in their order."""
    names = [field.name for field in fields(Entry)]
    db.executemany(
        f"INSERT INTO trail ({_COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608 - names of fields above
        [tuple(getattr(entry, name) for name in names) for entry in entries],
    )
    db.execute("UPDATE trail_head SET seq = ?", (entries[-1].seq,))


def last_seq(db: sqlite3.Connection) -> int:
    """The number of the last entry that was ever written, should the entry itself be gone."""
    return int(db.execute("SELECT seq FROM trail_head").fetchone()["seq"])


def last_hash(db: sqlite3.Connection) -> str:
    row = db.execute("SELECT hash FROM trail ORDER BY seq DESC LIMIT 1").fetchone()
    return NO_ENTRY if row is None else str(row["hash"])


def entries(db: sqlite3.Connection) -> Iterator[Entry]:
    """All of them, oldest first."""
    for row in db.execute(f"SELECT {_COLUMNS} FROM trail ORDER BY seq"):  # noqa: S608 - as above
        yield Entry(**row)


def after(db: sqlite3.Connection, seq: int, limit: int) -> list[Entry]:
    """The first entries after one."""
    rows = db.execute(f"SELECT {_COLUMNS} FROM trail WHERE seq > ? ORDER BY seq LIMIT ?", (seq, limit))  # noqa: S608 - as above
    return [Entry(**row) for row in rows]


def newest(db: sqlite3.Connection, before_seq: int | None, limit: int) -> list[Entry]:
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM trail WHERE ? IS NULL OR seq < ? ORDER BY seq DESC LIMIT ?",  # noqa: S608 - as above
        (before_seq, before_seq, limit),
    )
    return [Entry(**row) for row in rows]


def of_ref(db: sqlite3.Connection, ref: str, limit: int) -> list[Entry]:
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM trail WHERE ref = ? ORDER BY seq DESC LIMIT ?",  # noqa: S608 - as above
        (ref, limit),
    )
    return [Entry(**row) for row in rows]
