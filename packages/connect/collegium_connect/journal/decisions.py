"""What people decided about exams that came with two patient ids, and taking that back while nothing has left.

A decision can be taken back until something leaves of the exam, or of the exam that was split off it, with a
delivery of later than the decision. Another about the same exam joins it until then, and replaces it after that.
"""

import sqlite3
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from collegium_connect.journal.aside import OTHER_PATIENT
from collegium_connect.journal.objects import TWO_PATIENTS, State, hold, unqueue


class Kind(StrEnum):
    CONFIRMED = "confirmed"
    SPLIT = "split"


@dataclass(frozen=True, kw_only=True)
class Decision:
    exam_id: str
    channel_id: str
    kind: Kind
    subject_code: str
    """Whose the exam is now."""
    person: str
    at_ms: int


# The exam itself, and what was split off it.
_ITS_EXAMS = (
    "(SELECT ?1 AS exam_id UNION SELECT exam_id FROM objects JOIN apart USING (object_id)"
    " WHERE from_exam = ?1 AND NOT is_over AND exam_id IS NOT NULL)"
)


_DECISIONS: Final = (
    "SELECT exam_id, channel_id, kind, subject_code, person, at_ms FROM patient_decisions"
    " JOIN exams USING (exam_id) WHERE is_held = 0"
)


def save(db: sqlite3.Connection, exam_id: str, kind: Kind, person: str, at_ms: int) -> None:
    """Remember a decision that is about to be carried out, with how the exam stands before it.

    One before it of which nothing has left is taken back together with it. One of which something left stays,
    and what it split off stays where it is.
    """
    if has_left(db, exam_id):
        db.execute("UPDATE apart SET from_exam = NULL WHERE from_exam = ? AND NOT is_over", (exam_id,))
        db.execute("DELETE FROM patient_decisions WHERE exam_id = ?", (exam_id,))
    db.execute(
        "INSERT INTO patient_decisions (exam_id, kind, subject_before, person, at_ms, last_delivery)"
        " SELECT exam_id, ?, subject_code, ?, ?, (SELECT coalesce(max(rowid), 0) FROM deliveries)"
        " FROM exams WHERE exam_id = ? ON CONFLICT (exam_id) DO UPDATE"
        " SET kind = excluded.kind, person = excluded.person, at_ms = excluded.at_ms",
        (kind, person, at_ms, exam_id),
    )


def open_decisions(db: sqlite3.Connection) -> list[Decision]:
    """Those that can still be taken back, newest first."""
    rows = db.execute(f"{_DECISIONS} ORDER BY at_ms DESC LIMIT 200").fetchall()
    return [found for row in rows if not has_left(db, (found := _decision(row)).exam_id)]


def open_decision(db: sqlite3.Connection, exam_id: str) -> Decision | None:
    """The one about an exam, unless something left since or it is held again."""
    row = db.execute(f"{_DECISIONS} AND exam_id = ?", (exam_id,)).fetchone()
    return None if row is None or has_left(db, exam_id) else _decision(row)


def _decision(row: sqlite3.Row) -> Decision:
    return Decision(**{**dict(row), "kind": Kind(row["kind"])})


def has_left(db: sqlite3.Connection, exam_id: str) -> bool:
    """Whether the server may have something of it that left after the decision."""
    return (
        db.execute(
            f"SELECT 1 FROM deliveries WHERE exam_id IN {_ITS_EXAMS} AND began_ms IS NOT NULL AND rowid >"  # noqa: S608 - a query of this module
            " (SELECT last_delivery FROM patient_decisions WHERE exam_id = ?1) LIMIT 1",
            (exam_id,),
        ).fetchone()
        is not None
    )


def take_back(db: sqlite3.Connection, exam_id: str) -> int:
    """Hold the exam as it was before the decision; how many objects wait for another one.

    What was split off comes back, and is cleaned anew into this exam when it goes on.
    """
    rows = db.execute(f"SELECT exam_id FROM {_ITS_EXAMS}", (exam_id,))  # noqa: S608 - as above
    split_off = [row["exam_id"] for row in rows if row["exam_id"] != exam_id]
    for one in split_off:
        unqueue(db, one)
    db.execute(
        "UPDATE objects SET exam_id = ?1, state = CASE WHEN state IN (?2, ?3) THEN ?4 ELSE state END"
        " WHERE object_id IN (SELECT object_id FROM apart WHERE from_exam = ?1 AND NOT is_over)",
        (exam_id, State.RECEIVED, State.WAITING, State.HELD),
    )
    db.execute("UPDATE apart SET is_over = 1 WHERE from_exam = ?", (exam_id,))
    db.executemany(
        "DELETE FROM exams WHERE exam_id = ?1 AND NOT EXISTS (SELECT 1 FROM objects WHERE exam_id = ?1)"
        " AND NOT EXISTS (SELECT 1 FROM deliveries WHERE exam_id = ?1)",
        [(one,) for one in split_off],
    )
    db.execute(
        "UPDATE objects SET state = ? WHERE exam_id = ? AND reason_code = ?",
        (State.HELD, exam_id, OTHER_PATIENT),
    )
    hold(db, exam_id)
    db.execute(
        "UPDATE exams SET subject_code ="
        " (SELECT subject_before FROM patient_decisions d WHERE d.exam_id = exams.exam_id) WHERE exam_id = ?",
        (exam_id,),
    )
    db.execute("DELETE FROM patient_decisions WHERE exam_id = ?", (exam_id,))
    (count,) = db.execute(
        "SELECT count(*) FROM objects WHERE exam_id = ? AND state = ? AND reason_code = ?",
        (exam_id, State.HELD, TWO_PATIENTS),
    ).fetchone()
    return int(count)
