"""The link table's rows: local id (keyed digest and sealed value) to subject code."""

import sqlite3
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class NewSubject:
    local_id_mac: bytes
    sealed_local_id: bytes
    number: int
    code: str
    created_ms: int


def code_of(db: sqlite3.Connection, scope_id: int, local_id_mac: bytes) -> str | None:
    row = db.execute(
        "SELECT code FROM subjects WHERE scope_id = ? AND local_id_mac = ?", (scope_id, local_id_mac)
    ).fetchone()
    return None if row is None else str(row["code"])


def next_number(db: sqlite3.Connection, scope_id: int) -> int:
    (number,) = db.execute(
        "SELECT coalesce(max(number), 0) + 1 FROM subjects WHERE scope_id = ?", (scope_id,)
    ).fetchone()
    return int(number)


def add(db: sqlite3.Connection, scope_id: int, subject: NewSubject) -> None:
    db.execute(
        "INSERT INTO subjects (scope_id, local_id_mac, sealed_local_id, number, code, created_ms)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (
            scope_id, subject.local_id_mac, subject.sealed_local_id, subject.number, subject.code,
            subject.created_ms,
        ),
    )  # fmt: skip
