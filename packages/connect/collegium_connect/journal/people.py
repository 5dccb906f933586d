"""The local users' rows."""

import sqlite3
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class NewPerson:
    person_id: str
    name: str
    name_key: str
    role: str
    password: str = field(repr=False)
    created_ms: int


@dataclass(frozen=True, kw_only=True)
class StoredPerson:
    person_id: str
    name: str
    role: str
    password: str = field(repr=False)
    is_active: bool
    failures: int
    locked_until_ms: int
    last_seen_ms: int


_COLUMNS = "person_id, name, role, password, is_active, failures, locked_until_ms, last_seen_ms"


def add(db: sqlite3.Connection, person: NewPerson) -> None:
    db.execute(
        "INSERT INTO people (person_id, name, name_key, role, password, created_ms) VALUES (?, ?, ?, ?, ?, ?)",
        (person.person_id, person.name, person.name_key, person.role, person.password, person.created_ms),
    )


def by_key(db: sqlite3.Connection, name_key: str) -> StoredPerson | None:
    row = db.execute(f"SELECT {_COLUMNS} FROM people WHERE name_key = ?", (name_key,)).fetchone()  # noqa: S608 - columns of this module
    return None if row is None else _person(row)


def by_id(db: sqlite3.Connection, person_id: str) -> StoredPerson | None:
    row = db.execute(f"SELECT {_COLUMNS} FROM people WHERE person_id = ?", (person_id,)).fetchone()  # noqa: S608 - as above
    return None if row is None else _person(row)


def everybody(db: sqlite3.Connection) -> list[StoredPerson]:
    rows = db.execute(f"SELECT {_COLUMNS} FROM people ORDER BY is_active DESC, name_key LIMIT 1000")  # noqa: S608 - as above
    return [_person(row) for row in rows]


def save_success(db: sqlite3.Connection, person_id: str, at_ms: int) -> None:
    db.execute(
        "UPDATE people SET failures = 0, locked_until_ms = 0, last_seen_ms = ? WHERE person_id = ?",
        (at_ms, person_id),
    )


def save_failures(db: sqlite3.Connection, person_id: str, failures: int, locked_until_ms: int) -> None:
    db.execute(
        "UPDATE people SET failures = ?, locked_until_ms = ? WHERE person_id = ?",
        (failures, locked_until_ms, person_id),
    )


def save_password(db: sqlite3.Connection, person_id: str, password: str) -> None:
    db.execute(
        "UPDATE people SET password = ?, failures = 0, locked_until_ms = 0 WHERE person_id = ?",
        (password, person_id),
    )


def save_active(db: sqlite3.Connection, person_id: str, *, is_active: bool) -> None:
    db.execute("UPDATE people SET is_active = ? WHERE person_id = ?", (is_active, person_id))


def _person(row: sqlite3.Row) -> StoredPerson:
    return StoredPerson(**{**dict(row), "is_active": bool(row["is_active"])})
