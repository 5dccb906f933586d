"""What is set aside, and what people decided about it: looks, releases, deletions."""

import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from collegium_connect.journal.objects import TWO_PATIENTS, State
from collegium_connect.spool import Place, Stored

OTHER_PATIENT: Final = "connect.quarantine.other_patient"
"""The reason code of what somebody said is not of its exam's patient."""
SET_ASIDE: Final = (State.HELD, State.QUARANTINED, State.REFUSED, State.MISSING)
_IN = f"('{State.HELD}', '{State.QUARANTINED}', '{State.REFUSED}', '{State.MISSING}')"


@dataclass(frozen=True, kw_only=True)
class AsideObject:
    object_id: str
    channel_id: str
    exam_id: str | None
    state: State
    reason_code: str
    reason: str
    subject_code: str
    received_ms: int
    record_bytes: int
    is_clean: bool
    place: Place | None
    input_mac: bytes | None = None


@dataclass(frozen=True)
class TwoPatientExam:
    exam_id: str
    channel_id: str
    subject_code: str
    """The first that came."""
    is_held: bool
    objects: dict[str, int]
    """How many wait, by subject code."""
    in_deliveries: int
    """How many of its objects a delivery names, forgotten ones with them: they are the first subject's for good."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """What somebody was shown: the object as it would leave, by its digest."""

    look_id: str
    object_id: str
    person: str
    boxes: str
    """JSON, as `inspection.Looked` has them."""
    sha256: str
    at_ms: int


@dataclass(frozen=True, kw_only=True)
class Release:
    object_id: str
    person: str
    boxes: str
    """JSON, as `inspection.Looked` has them."""
    sha256: str
    reason_code: str
    reason: str
    at_ms: int


@dataclass(frozen=True)
class Erasure:
    object_id: str
    place: Place
    record_bytes: int


def listed(
    db: sqlite3.Connection, reason_code: str, exam_id: str, *, offset: int, limit: int
) -> list[AsideObject]:
    """What is set aside, newest first; of one reason or one exam where it is given."""
    rows = db.execute(
        f"SELECT * FROM objects WHERE state IN {_IN} AND (? = '' OR reason_code = ?) AND (? = '' OR exam_id = ?)"  # noqa: S608 - states of this program
        " ORDER BY received_ms DESC, rowid DESC LIMIT ? OFFSET ?",
        (reason_code, reason_code, exam_id, exam_id, limit, offset),
    )
    return [_aside(row) for row in rows]


def one(db: sqlite3.Connection, object_id: str) -> AsideObject | None:
    """An object that is set aside."""
    row = db.execute(
        f"SELECT * FROM objects WHERE object_id = ? AND state IN {_IN}",  # noqa: S608 - as above
        (object_id,),
    ).fetchone()
    return None if row is None else _aside(row)


def of_exam(db: sqlite3.Connection, exam_id: str) -> Iterator[AsideObject]:
    for row in db.execute(
        f"SELECT * FROM objects WHERE exam_id = ? AND state IN {_IN} ORDER BY rowid",  # noqa: S608 - as above
        (exam_id,),
    ):
        yield _aside(row)


def two_patient_exams(db: sqlite3.Connection) -> list[TwoPatientExam]:
    """Exams that wait for somebody to say whose they are, newest first."""
    exams = db.execute(
        "SELECT exam_id, channel_id, subject_code, is_held FROM exams WHERE exam_id IN (SELECT exam_id FROM"
        " objects WHERE state IN (?, ?) AND reason_code IN (?, ?)) ORDER BY last_ms DESC LIMIT 200",
        (State.HELD, State.QUARANTINED, TWO_PATIENTS, OTHER_PATIENT),
    ).fetchall()
    return [
        TwoPatientExam(
            exam["exam_id"], exam["channel_id"], exam["subject_code"], bool(exam["is_held"]),
            dict(
                db.execute(
                    "SELECT subject_code, count(*) FROM objects WHERE exam_id = ? AND reason_code IN (?, ?)"
                    " GROUP BY subject_code ORDER BY subject_code",
                    (exam["exam_id"], TWO_PATIENTS, OTHER_PATIENT),
                ).fetchall()
            ),
            _on_the_way(db, exam["exam_id"]),
        )
        for exam in exams
    ]  # fmt: skip


def confirm_patient(db: sqlite3.Connection, exam_id: str, subject_code: str) -> int:
    """The exam is this subject's; what is not is quarantined. How many objects go on."""
    db.execute("UPDATE exams SET is_held = 0, subject_code = ? WHERE exam_id = ?", (subject_code, exam_id))
    db.execute(
        "UPDATE objects SET state = ?, reason_code = ?, reason = 'Its exam was said to be of another patient.'"
        " WHERE exam_id = ? AND reason_code IN (?, ?) AND subject_code != ?",
        (State.QUARANTINED, OTHER_PATIENT, exam_id, TWO_PATIENTS, OTHER_PATIENT, subject_code),
    )
    return _let_on(db, exam_id, subject_code)


def split(db: sqlite3.Connection, exam_id: str) -> int:
    """These are two exams: the objects of all but the exam's own subject are cleaned again. How many those are."""
    (own,) = db.execute("SELECT subject_code FROM exams WHERE exam_id = ?", (exam_id,)).fetchone()
    others = (exam_id, TWO_PATIENTS, OTHER_PATIENT, own)
    db.execute("UPDATE exams SET is_held = 0 WHERE exam_id = ?", (exam_id,))
    db.execute(
        "INSERT OR REPLACE INTO apart (object_id, from_exam) SELECT object_id, exam_id FROM objects"
        " WHERE exam_id = ? AND reason_code IN (?, ?) AND subject_code != ?",
        others,
    )
    count = db.execute(
        "UPDATE objects SET state = ?, exam_id = NULL, reason_code = '', reason = ''"
        " WHERE exam_id = ? AND reason_code IN (?, ?) AND subject_code != ?",
        (State.RECEIVED, *others),
    ).rowcount
    _let_on(db, exam_id, own)
    return count


def _let_on(db: sqlite3.Connection, exam_id: str, subject_code: str) -> int:
    return db.execute(
        "UPDATE objects SET state = ?, reason_code = '', reason = ''"
        " WHERE exam_id = ? AND reason_code IN (?, ?) AND subject_code = ?",
        (State.RECEIVED, exam_id, TWO_PATIENTS, OTHER_PATIENT, subject_code),
    ).rowcount


def _on_the_way(db: sqlite3.Connection, exam_id: str) -> int:
    (count,) = db.execute(
        "SELECT forgotten + (SELECT count(*) FROM objects o WHERE o.exam_id = e.exam_id"
        " AND delivery_id IS NOT NULL) FROM exams e WHERE exam_id = ?",
        (exam_id,),
    ).fetchone()
    return int(count)


def held_for(db: sqlite3.Connection, scope_id: int, reason_code: str) -> int:
    """How many objects of a numbering are set aside for this reason."""
    (count,) = db.execute(
        "SELECT count(*) FROM objects JOIN channels USING (channel_id)"
        " WHERE state = ? AND scope_id = ? AND reason_code = ?",
        (State.HELD, scope_id, reason_code),
    ).fetchone()
    return int(count)


def resume(db: sqlite3.Connection, scope_id: int, reason_code: str) -> int:
    """Have them inspected again; how many."""
    return db.execute(
        "UPDATE objects SET state = ?, reason_code = '', reason = '' WHERE state = ?"
        " AND reason_code = ? AND channel_id IN (SELECT channel_id FROM channels WHERE scope_id = ?)",
        (State.RECEIVED, State.HELD, reason_code, scope_id),
    ).rowcount


def save_look(db: sqlite3.Connection, look: Look) -> None:
    """Keep what this person saw of the object last; what they saw of it before counts no more."""
    db.execute("DELETE FROM looks WHERE object_id = ? AND person = ?", (look.object_id, look.person))
    db.execute(
        "INSERT INTO looks (look_id, object_id, person, boxes, sha256, at_ms) VALUES (?, ?, ?, ?, ?, ?)",
        (look.look_id, look.object_id, look.person, look.boxes, look.sha256, look.at_ms),
    )


def look(db: sqlite3.Connection, look_id: str) -> Look | None:
    row = db.execute("SELECT * FROM looks WHERE look_id = ?", (look_id,)).fetchone()
    return None if row is None else Look(**row)


def send_back(db: sqlite3.Connection, release: Release) -> None:
    """To inspection again, with a person's word."""
    db.execute(
        "INSERT OR REPLACE INTO releases (object_id, person, boxes, sha256, reason_code, reason, at_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            release.object_id, release.person, release.boxes, release.sha256, release.reason_code,
            release.reason, release.at_ms,
        ),
    )  # fmt: skip
    db.execute(
        "UPDATE objects SET state = ?, reason_code = '', reason = '' WHERE object_id = ?",
        (State.RECEIVED, release.object_id),
    )


def release(db: sqlite3.Connection, object_id: str) -> Release | None:
    row = db.execute("SELECT * FROM releases WHERE object_id = ?", (object_id,)).fetchone()
    return None if row is None else Release(**row)


def released(db: sqlite3.Connection, object_id: str) -> AsideObject | None:
    """An object that somebody released and that is not set aside, with the reason it was there for."""
    row = db.execute(
        "SELECT o.*, r.reason_code AS was_code, r.reason AS was FROM objects o JOIN releases r"
        " USING (object_id) WHERE object_id = ? AND state NOT IN (?, ?, ?, ?)",
        (object_id, *SET_ASIDE),
    ).fetchone()
    return None if row is None else replace(_aside(row), reason_code=row["was_code"], reason=row["was"])


def take_back(db: sqlite3.Connection, object_id: str, sealed: Stored | None) -> None:
    """Into quarantine again, for the reason it was there; `sealed` is its original's new record."""
    db.execute(
        "UPDATE objects SET state = ?, (reason_code, reason) ="
        " (SELECT reason_code, reason FROM releases r WHERE r.object_id = objects.object_id)"
        " WHERE object_id = ?",
        (State.QUARANTINED, object_id),
    )
    if sealed is not None:
        db.execute(
            "UPDATE objects SET is_clean = 0, segment = ?, offset = ?, record_bytes = ?, sha256 = NULL"
            " WHERE object_id = ?",
            (sealed.place.segment, sealed.place.offset, sealed.record_bytes, object_id),
        )
    db.execute("DELETE FROM releases WHERE object_id = ?", (object_id,))


def delete(db: sqlite3.Connection, item: AsideObject) -> None:
    """The object is gone; its record is to be erased."""
    if item.place is not None:
        db.execute(
            "INSERT INTO erasures (object_id, segment, offset, record_bytes) VALUES (?, ?, ?, ?)",
            (item.object_id, item.place.segment, item.place.offset, item.record_bytes),
        )
    db.execute("DELETE FROM objects WHERE object_id = ?", (item.object_id,))


def erasures(db: sqlite3.Connection, limit: int) -> list[Erasure]:
    """The first of them, at most so many."""
    rows = db.execute(
        "SELECT object_id, segment, offset, record_bytes FROM erasures ORDER BY rowid LIMIT ?", (limit,)
    )
    return [
        Erasure(row["object_id"], Place(row["segment"], row["offset"]), row["record_bytes"]) for row in rows
    ]


def erased(db: sqlite3.Connection, object_ids: Iterable[str]) -> None:
    db.executemany("DELETE FROM erasures WHERE object_id = ?", [(object_id,) for object_id in object_ids])


def _aside(row: sqlite3.Row) -> AsideObject:
    return AsideObject(
        object_id=row["object_id"],
        channel_id=row["channel_id"],
        exam_id=row["exam_id"],
        state=State(row["state"]),
        reason_code=row["reason_code"],
        reason=row["reason"],
        subject_code=row["subject_code"] or "",
        received_ms=row["received_ms"],
        record_bytes=row["record_bytes"],
        is_clean=bool(row["is_clean"]),
        place=None if row["segment"] is None else Place(row["segment"], row["offset"]),
        input_mac=row["input_mac"],
    )
