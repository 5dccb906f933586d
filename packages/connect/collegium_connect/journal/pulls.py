"""What the site has listed to be pulled from a PACS; the identifiers sealed, and gone when it is done."""

import json
import sqlite3
from collections.abc import Collection
from dataclasses import dataclass, field


@dataclass(frozen=True)
class NewPull:
    pull_id: str
    channel_id: str
    source: str
    kind: str
    key_mac: bytes
    sealed_key: bytes = field(repr=False)
    created_ms: int


@dataclass(frozen=True)
class Pull:
    """An entry that waits."""

    pull_id: str
    channel_id: str
    source: str
    kind: str
    sealed_key: bytes = field(repr=False)
    attempts: int


@dataclass(frozen=True)
class PullCounts:
    """How far the entries of one PACS and channel have come."""

    channel_id: str
    source: str
    waiting: int
    done: int
    empty: int
    """The PACS had no exam for them."""
    failed: int
    exams: int
    objects: int
    problem: str
    """Of the last entry that failed."""


def add(db: sqlite3.Connection, new: NewPull) -> bool:
    """Add an entry; False if it is there. One that failed, or had no exam, waits again."""
    changed = db.execute(
        "INSERT INTO pulls (pull_id, channel_id, source, kind, key_mac, sealed_key, next_attempt_ms,"
        " created_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (channel_id, source, kind, key_mac)"
        " DO UPDATE SET state = 'waiting', attempts = 0, pull_id = excluded.pull_id,"
        " sealed_key = excluded.sealed_key, next_attempt_ms = excluded.next_attempt_ms"
        " WHERE state IN ('empty', 'failed')",
        (
            new.pull_id, new.channel_id, new.source, new.kind, new.key_mac, new.sealed_key, new.created_ms,
            new.created_ms,
        ),
    ).rowcount  # fmt: skip
    return changed > 0


def next_due(db: sqlite3.Connection, sources: Collection[str], now_ms: int) -> Pull | None:
    row = db.execute(
        "SELECT pull_id, channel_id, source, kind, sealed_key, attempts FROM pulls"
        " WHERE state = 'waiting' AND next_attempt_ms <= ?"
        " AND source IN (SELECT value FROM json_each(?)) ORDER BY next_attempt_ms, rowid LIMIT 1",
        (now_ms, json.dumps(list(sources))),
    ).fetchone()
    return row and Pull(**row)


def finish(db: sqlite3.Connection, pull_id: str, exams: int, objects: int, at_ms: int) -> None:
    """The PACS has sent what it had; the identifier is not needed any more."""
    db.execute(
        "UPDATE pulls SET state = CASE WHEN ? THEN 'done' ELSE 'empty' END, exams = ?, objects = ?,"
        " problem = '', sealed_key = x'', finished_ms = ? WHERE pull_id = ?",
        (exams > 0, exams, objects, at_ms, pull_id),
    )


def postpone(db: sqlite3.Connection, pull_id: str, problem: str, until_ms: int, *, is_over: bool) -> None:
    db.execute(
        "UPDATE pulls SET attempts = attempts + 1, problem = ?, next_attempt_ms = ?,"
        " state = CASE WHEN ? THEN 'failed' ELSE state END WHERE pull_id = ?",
        (problem, until_ms, is_over, pull_id),
    )


def counts(db: sqlite3.Connection) -> list[PullCounts]:
    rows = db.execute(
        "SELECT channel_id, source, sum(state = 'waiting') AS waiting, sum(state = 'done') AS done,"
        " sum(state = 'empty') AS empty, sum(state = 'failed') AS failed, sum(exams) AS exams,"
        " sum(objects) AS objects, max(problem) AS problem FROM pulls GROUP BY channel_id, source"
        " ORDER BY channel_id, source"
    )
    return [PullCounts(**row) for row in rows]
