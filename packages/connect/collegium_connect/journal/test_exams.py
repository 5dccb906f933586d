"""Test exams: each a picture that the doctor invented, known before it comes by patient and by digest.

Only what is registered here is ever sent as a test, and only byte for byte as it was foreseen: an exam of a
test's patient that is anything else is set aside.
"""

import sqlite3
from dataclasses import dataclass

from collegium_connect.journal.deliveries import DeliveryState
from collegium_connect.journal.exams import Batch
from collegium_connect.journal.objects import State


@dataclass(frozen=True, kw_only=True)
class TestExam:
    """What the doctor is about to hand in."""

    __test__ = False  # no test of pytest's

    code: str
    """Stands for its patient, who is in no link table."""
    channel_id: str
    scope_id: int
    local_id_mac: bytes
    sha256: str
    """Of the object as it will leave."""
    at_ms: int


@dataclass(frozen=True)
class Standing:
    """How far a test exam has come."""

    is_over: bool = False
    problem: str = ""
    """Why it ended without a proof; empty while it is on its way, and when it was proven."""


def add(db: sqlite3.Connection, test: TestExam) -> None:
    db.execute(
        "INSERT INTO test_exams (code, channel_id, scope_id, local_id_mac, sha256, at_ms) VALUES (?, ?, ?, ?, ?, ?)",
        (test.code, test.channel_id, test.scope_id, test.local_id_mac, test.sha256, test.at_ms),
    )


def code_of(db: sqlite3.Connection, scope_id: int, local_id_mac: bytes) -> str | None:
    """The code of a test's patient."""
    row = db.execute(
        "SELECT code FROM test_exams WHERE scope_id = ? AND local_id_mac = ?", (scope_id, local_id_mac)
    ).fetchone()
    return None if row is None else str(row["code"])


def is_code(db: sqlite3.Connection, code: str) -> bool:
    return db.execute("SELECT 1 FROM test_exams WHERE code = ?", (code,)).fetchone() is not None


def is_foreseen(db: sqlite3.Connection, batch: Batch) -> bool:
    """Whether what would leave is a registered test, whole and nothing else."""
    row = db.execute(
        "SELECT sha256 FROM test_exams WHERE code = ? AND channel_id = ?",
        (batch.subject_code, batch.channel_id),
    ).fetchone()
    digests = [one.sha256 for one in batch.objects]
    return row is not None and digests == [row["sha256"]] and not batch.is_supplement


def set_aside(db: sqlite3.Connection, exam_id: str, words: str) -> None:
    """What waits of an exam of a test's patient does not leave."""
    db.execute(
        "UPDATE objects SET state = ?, reason_code = 'connect.test.not_sent', reason = ?"
        " WHERE exam_id = ? AND state = ?",
        (State.QUARANTINED, words, exam_id, State.WAITING),
    )


def standing(db: sqlite3.Connection, code: str) -> Standing:
    """How far it is."""
    aside = db.execute(
        "SELECT reason FROM objects WHERE subject_code = ? AND state IN (?, ?, ?) LIMIT 1",
        (code, State.QUARANTINED, State.HELD, State.REFUSED),
    ).fetchone()
    if aside is not None:
        return Standing(is_over=True, problem=str(aside["reason"]))
    done = db.execute(
        "SELECT 1 FROM deliveries JOIN exams USING (exam_id) WHERE subject_code = ? AND state = ?",
        (code, DeliveryState.DELIVERED),
    ).fetchone()
    return Standing(is_over=done is not None)
