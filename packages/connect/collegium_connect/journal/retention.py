"""Forget the rows of what was delivered long ago, a few at a time, never while anything of the exam waits.

The exam's own row stays, with how many of its objects are not remembered one by one any more: what still
comes of it is a supplement, and its subject code stays in use.
"""

import sqlite3
from dataclasses import dataclass

from collegium_connect.journal.objects import State


@dataclass(frozen=True)
class Forgotten:
    objects: int
    deliveries: int

    def __bool__(self) -> bool:
        return bool(self.objects or self.deliveries)


@dataclass(frozen=True)
class Day:
    """What was forgotten on one day, in days since 1970."""

    number: int
    forgotten: Forgotten


# Everything of exam `e` came, was delivered, and left the spool before ?1. The newest delivery stays: the number
# of a row is given to no other one, and people's decisions are judged by what was delivered after them.
_IS_DUE = (
    "e.last_ms < ?1 AND e.is_held = 0"
    " AND e.exam_id != (SELECT exam_id FROM deliveries ORDER BY rowid DESC LIMIT 1)"
    " AND NOT EXISTS (SELECT 1 FROM objects o WHERE o.exam_id = e.exam_id"
    "  AND (o.state != 'delivered' OR o.segment IS NOT NULL))"
    " AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.exam_id = e.exam_id"
    "  AND (d.state != 'delivered' OR d.finished_ms >= ?1 OR d.keep_until_ms IS NOT NULL))"
)


def due_exams(db: sqlite3.Connection, before_ms: int, limit: int) -> list[str]:
    """Exams that may be forgotten, those that were delivered first before the others."""
    rows = db.execute(
        "SELECT e.exam_id FROM deliveries done JOIN exams e USING (exam_id)"  # noqa: S608 - a query of this module
        f" WHERE done.state = 'delivered' AND done.finished_ms < ?1 AND {_IS_DUE}"
        " GROUP BY e.exam_id ORDER BY min(done.finished_ms) LIMIT ?2",
        (before_ms, limit),
    )
    return [row["exam_id"] for row in rows]


def forget(db: sqlite3.Connection, exam_id: str, before_ms: int, limit: int) -> Forgotten:
    """Forget at most `limit` objects of an exam, and its deliveries with the last; nothing if it is not due."""
    due = db.execute(f"SELECT 1 FROM exams e WHERE e.exam_id = ?2 AND {_IS_DUE}", (before_ms, exam_id))  # noqa: S608 - as above
    if due.fetchone() is None:
        return Forgotten(0, 0)
    # What of it left is not known any more: no decision about it, or about what it was split off, is taken back.
    db.execute(
        "DELETE FROM patient_decisions WHERE exam_id = ?1 OR exam_id IN"
        " (SELECT from_exam FROM objects JOIN apart USING (object_id) WHERE exam_id = ?1)",
        (exam_id,),
    )
    objects = db.execute(
        "DELETE FROM objects WHERE rowid IN (SELECT rowid FROM objects WHERE exam_id = ? AND state = ? LIMIT ?)",
        (exam_id, State.DELIVERED, limit),
    ).rowcount
    db.execute("UPDATE exams SET forgotten = forgotten + ? WHERE exam_id = ?", (objects, exam_id))
    is_empty = db.execute("SELECT 1 FROM objects WHERE exam_id = ? LIMIT 1", (exam_id,)).fetchone() is None
    deliveries = 0
    if is_empty:
        deliveries = db.execute("DELETE FROM deliveries WHERE exam_id = ?", (exam_id,)).rowcount
    return Forgotten(objects, deliveries)


def count(db: sqlite3.Connection, day: Day) -> None:
    """Add to what was forgotten on a day, until it is told."""
    db.execute(
        "INSERT INTO forgotten (day, objects, deliveries) VALUES (?, ?, ?) ON CONFLICT (day) DO UPDATE SET"
        " objects = objects + excluded.objects, deliveries = deliveries + excluded.deliveries",
        (day.number, day.forgotten.objects, day.forgotten.deliveries),
    )


def over_before(db: sqlite3.Connection, day: int) -> list[Day]:
    """The days before this one of which it is not told yet what was forgotten."""
    rows = db.execute("SELECT day, objects, deliveries FROM forgotten WHERE day < ? ORDER BY day", (day,))
    return [Day(row["day"], Forgotten(row["objects"], row["deliveries"])) for row in rows.fetchall()]


def told(db: sqlite3.Connection, day: int) -> None:
    db.execute("DELETE FROM forgotten WHERE day = ?", (day,))
