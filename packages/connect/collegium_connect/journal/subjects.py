"""The link table's rows: local id (keyed digest and sealed value) to subject code.

`number` is that of a code in the gateway's own form; codes that a list brought in another form have
numbers below zero.
"""

import sqlite3
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class NewSubject:
    local_id_mac: bytes
    sealed_local_id: bytes
    number: int
    code: str
    created_ms: int


@dataclass(frozen=True)
class Scope:
    """One (project, site): the owner of a numbering."""

    scope_id: int
    project_name: str
    site_code: str


@dataclass(frozen=True)
class StoredLink:
    code: str
    sealed_local_id: bytes = field(repr=False)
    created_ms: int


def scopes(db: sqlite3.Connection) -> list[Scope]:
    rows = db.execute("SELECT scope_id, project_name, site_code FROM scopes ORDER BY project_name, site_code")
    return [Scope(**row) for row in rows]


def code_of(db: sqlite3.Connection, scope_id: int, local_id_mac: bytes) -> str | None:
    row = db.execute(
        "SELECT code FROM subjects WHERE scope_id = ? AND local_id_mac = ?", (scope_id, local_id_mac)
    ).fetchone()
    return None if row is None else str(row["code"])


def has_code(db: sqlite3.Connection, scope_id: int, code: str) -> bool:
    return (
        db.execute("SELECT 1 FROM subjects WHERE scope_id = ? AND code = ?", (scope_id, code)).fetchone()
        is not None
    )


def next_number(db: sqlite3.Connection, scope_id: int) -> int:
    (number,) = db.execute(
        "SELECT max(coalesce(max(number), 0), 0) + 1 FROM subjects WHERE scope_id = ?", (scope_id,)
    ).fetchone()
    return int(number)


def next_foreign_number(db: sqlite3.Connection, scope_id: int) -> int:
    (number,) = db.execute(
        "SELECT min(coalesce(min(number), 0), 0) - 1 FROM subjects WHERE scope_id = ?", (scope_id,)
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


def is_used(db: sqlite3.Connection, scope_id: int, code: str) -> bool:
    """Whether any object or exam was ever cleaned with this code."""
    return (
        db.execute(
            "SELECT 1 FROM objects JOIN channels USING (channel_id) WHERE scope_id = ? AND subject_code = ?"
            " UNION ALL SELECT 1 FROM exams JOIN channels USING (channel_id)"
            " WHERE scope_id = ? AND subject_code = ? LIMIT 1",
            (scope_id, code, scope_id, code),
        ).fetchone()
        is not None
    )


def remove(db: sqlite3.Connection, scope_id: int, code: str) -> bool:
    """Take a link away; False if there is none."""
    return db.execute("DELETE FROM subjects WHERE scope_id = ? AND code = ?", (scope_id, code)).rowcount == 1


def count(db: sqlite3.Connection, scope_id: int) -> int:
    (number,) = db.execute("SELECT count(*) FROM subjects WHERE scope_id = ?", (scope_id,)).fetchone()
    return int(number)


def listed(db: sqlite3.Connection, scope_id: int, after: str, limit: int | None) -> list[StoredLink]:
    """Links in the order of their codes, those behind `after`; all of them without a limit."""
    rows = db.execute(
        "SELECT code, sealed_local_id, created_ms FROM subjects WHERE scope_id = ? AND code > ?"
        " ORDER BY code LIMIT ?",
        (scope_id, after, -1 if limit is None else limit),
    )
    return [StoredLink(**row) for row in rows]


def by_mac(db: sqlite3.Connection, scope_id: int, local_id_mac: bytes) -> StoredLink | None:
    row = db.execute(
        "SELECT code, sealed_local_id, created_ms FROM subjects WHERE scope_id = ? AND local_id_mac = ?",
        (scope_id, local_id_mac),
    ).fetchone()
    return None if row is None else StoredLink(**row)


def by_code(db: sqlite3.Connection, scope_id: int, code: str) -> StoredLink | None:
    row = db.execute(
        "SELECT code, sealed_local_id, created_ms FROM subjects WHERE scope_id = ? AND code = ?",
        (scope_id, code),
    ).fetchone()
    return None if row is None else StoredLink(**row)
