"""Objects on their way: received, waiting in an exam, queued in a delivery, delivered; or set aside."""

import json
import sqlite3
from dataclasses import dataclass
from enum import StrEnum


class State(StrEnum):
    """Where one object stands. `delivered` is written only together with a receipt."""

    WAITING = "waiting"  # cleaned, in an exam that is still open
    QUEUED = "queued"  # named by a manifest
    DELIVERED = "delivered"
    REFUSED = "refused"  # the server's receipt says no; kept here
    HELD = "held"  # cleaned, but its exam shows two patients
    QUARANTINED = "quarantined"  # sealed whole: could not be cleaned
    MISSING = "missing"  # the journal knows it, the disk does not


class Kept(StrEnum):
    """What became of an arrival."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    HELD = "held"


@dataclass(frozen=True, kw_only=True)
class CleanArrival:
    """A cleaned object whose file is on disk. All UIDs are the new ones."""

    object_id: str
    new_exam_id: str  # the exam's id, should this be its first object
    channel_id: str
    study_uid: str
    subject_code: str
    sop_instance_uid: str
    sop_class_uid: str
    series_uid: str
    transfer_syntax_uid: str
    sha256: str
    size_bytes: int
    sealed_bytes: int
    recipe_name: str
    recipe_version: str
    recipe_digest: str
    counts: dict[str, int]
    seconds: float
    received_ms: int


@dataclass(frozen=True, kw_only=True)
class SealedArrival:
    """An object sealed whole, with the reason in words that hold no value."""

    object_id: str
    channel_id: str
    input_mac: bytes
    sealed_bytes: int
    reason_code: str
    reason: str
    received_ms: int


def is_known(db: sqlite3.Connection, channel_id: str, sop_instance_uid: str, sha256: str) -> bool:
    """Whether this very object came before, whatever became of it."""
    return (
        db.execute(
            "SELECT 1 FROM objects WHERE channel_id = ? AND sop_instance_uid = ? AND sha256 = ?",
            (channel_id, sop_instance_uid, sha256),
        ).fetchone()
        is not None
    )


def is_known_sealed(db: sqlite3.Connection, channel_id: str, input_mac: bytes) -> bool:
    return (
        db.execute(
            "SELECT 1 FROM objects WHERE channel_id = ? AND input_mac = ?", (channel_id, input_mac)
        ).fetchone()
        is not None
    )


def record_clean(db: sqlite3.Connection, arrival: CleanArrival) -> Kept:
    """Write a cleaned arrival into its exam.

    An exam with two subject codes is held as a whole (C18): which of them is right, only a person
    can say, so nothing more of it is sent until one has.
    """
    if is_known(db, arrival.channel_id, arrival.sop_instance_uid, arrival.sha256):
        return Kept.DUPLICATE
    exam = db.execute(
        "SELECT exam_id, subject_code, is_held FROM exams WHERE channel_id = ? AND study_uid = ?",
        (arrival.channel_id, arrival.study_uid),
    ).fetchone()
    exam_id = arrival.new_exam_id if exam is None else exam["exam_id"]
    if exam is None:
        db.execute(
            "INSERT INTO exams (exam_id, channel_id, study_uid, subject_code, first_ms, last_ms)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                exam_id, arrival.channel_id, arrival.study_uid, arrival.subject_code,
                arrival.received_ms, arrival.received_ms,
            ),
        )  # fmt: skip
    else:
        db.execute(
            "UPDATE exams SET last_ms = max(last_ms, ?) WHERE exam_id = ?", (arrival.received_ms, exam_id)
        )
    is_held = exam is not None and (exam["is_held"] or exam["subject_code"] != arrival.subject_code)
    _insert_clean(db, arrival, exam_id, State.HELD if is_held else State.WAITING)
    if is_held:
        _hold(db, exam_id)
    return Kept.HELD if is_held else Kept.STORED


def record_sealed(db: sqlite3.Connection, arrival: SealedArrival) -> Kept:
    if is_known_sealed(db, arrival.channel_id, arrival.input_mac):
        return Kept.DUPLICATE
    db.execute(
        "INSERT INTO objects (object_id, channel_id, state, size_bytes, sealed_bytes, input_mac,"
        " reason_code, reason, received_ms) VALUES (?, ?, ?, 0, ?, ?, ?, ?, ?)",
        (
            arrival.object_id, arrival.channel_id, State.QUARANTINED, arrival.sealed_bytes,
            arrival.input_mac, arrival.reason_code, arrival.reason, arrival.received_ms,
        ),
    )  # fmt: skip
    return Kept.STORED


def _insert_clean(db: sqlite3.Connection, arrival: CleanArrival, exam_id: str, state: State) -> None:
    db.execute(
        "INSERT INTO objects (object_id, channel_id, exam_id, state, sop_instance_uid, sop_class_uid,"
        " series_uid, transfer_syntax_uid, sha256, size_bytes, sealed_bytes, recipe_name, recipe_version,"
        " recipe_digest, counts, seconds, received_ms)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            arrival.object_id, arrival.channel_id, exam_id, state, arrival.sop_instance_uid,
            arrival.sop_class_uid, arrival.series_uid, arrival.transfer_syntax_uid, arrival.sha256,
            arrival.size_bytes, arrival.sealed_bytes, arrival.recipe_name, arrival.recipe_version,
            arrival.recipe_digest, json.dumps(arrival.counts), arrival.seconds, arrival.received_ms,
        ),
    )  # fmt: skip


def _hold(db: sqlite3.Connection, exam_id: str) -> None:
    db.execute("UPDATE exams SET is_held = 1 WHERE exam_id = ?", (exam_id,))
    db.execute(
        "UPDATE objects SET state = ?, reason_code = ?, reason = ? WHERE exam_id = ? AND state IN (?, ?)",
        (
            State.HELD,
            "connect.quarantine.two_patients",
            "The exam came with two patient ids.",
            exam_id,
            State.WAITING,
            State.HELD,
        ),
    )


@dataclass(frozen=True)
class StoredFile:
    object_id: str
    state: State
    size_bytes: int
    sealed_bytes: int


def files_on_disk(db: sqlite3.Connection) -> list[StoredFile]:
    """Every object whose file must be on the disk."""
    rows = db.execute(
        "SELECT object_id, state, size_bytes, sealed_bytes FROM objects WHERE state NOT IN (?, ?)",
        (State.DELIVERED, State.MISSING),
    )
    return [
        StoredFile(row["object_id"], State(row["state"]), row["size_bytes"], row["sealed_bytes"])
        for row in rows
    ]


def mark_missing(db: sqlite3.Connection, object_id: str) -> None:
    db.execute(
        "UPDATE objects SET state = ?, reason_code = 'connect.spool.damaged',"
        " reason = 'Its file is not on the disk as it was written.' WHERE object_id = ?",
        (State.MISSING, object_id),
    )
