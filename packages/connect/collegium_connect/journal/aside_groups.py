"""Groups of what is set aside: objects of one channel, one exam and one reason."""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from collegium_connect.journal.aside import SET_ASIDE

_IN: Final = ", ".join(f"'{state}'" for state in SET_ASIDE)
_LINES: Final = (
    "SELECT channel_id, exam_id, reason_code, min(reason) AS reason, max(reason) AS other_words,"
    " min(coalesce(subject_code, '')) AS subject_code, max(coalesce(subject_code, '')) AS other_subject,"
    " count(*) AS objects, sum(record_bytes) AS size_bytes, max(received_ms) AS last_ms FROM objects"
)
_BY_GROUP: Final = " GROUP BY channel_id, exam_id, reason_code"
_IS_MEMBER: Final = f"state IN ({_IN}) AND channel_id = ? AND exam_id IS ? AND reason_code = ?"


@dataclass(frozen=True)
class GroupKey:
    channel_id: str
    exam_id: str
    """Empty for what no exam is known of."""
    reason_code: str


@dataclass(frozen=True, kw_only=True)
class GroupLine:
    key: GroupKey
    reason: str
    """The words of one of them."""
    is_worded_alike: bool
    """Whether those are the words of all of them."""
    subject_code: str
    """Empty where none was found yet, or of several."""
    objects: int
    size_bytes: int
    last_ms: int


@dataclass(frozen=True)
class Member:
    object_id: str
    record_bytes: int


def listed(db: sqlite3.Connection, reason_code: str, limit: int) -> list[GroupLine]:
    """Groups of two objects and more, the largest first; of one reason where it is given."""
    rows = db.execute(
        f"{_LINES} WHERE state IN ({_IN}) AND (? = '' OR reason_code = ?){_BY_GROUP} HAVING count(*) > 1"
        " ORDER BY objects DESC, last_ms DESC LIMIT ?",
        (reason_code, reason_code, limit),
    )
    return [_line(row) for row in rows]


def one(db: sqlite3.Connection, key: GroupKey) -> GroupLine | None:
    row = db.execute(f"{_LINES} WHERE {_IS_MEMBER}{_BY_GROUP}", _named(key)).fetchone()
    return None if row is None else _line(row)


def members(db: sqlite3.Connection, key: GroupKey, limit: int) -> list[Member]:
    """Its objects in the order they came, at most so many."""
    rows = db.execute(
        f"SELECT object_id, record_bytes FROM objects WHERE {_IS_MEMBER} ORDER BY rowid LIMIT ?",  # noqa: S608 - as above
        (*_named(key), limit),
    )
    return [Member(**row) for row in rows]


def delete(db: sqlite3.Connection, found: Iterable[Member]) -> None:
    """The objects are gone; their records are to be erased."""
    ids = (json.dumps([member.object_id for member in found]),)
    db.execute(
        "INSERT INTO erasures (object_id, segment, offset, record_bytes)"
        " SELECT object_id, segment, offset, record_bytes FROM objects"
        " WHERE object_id IN (SELECT value FROM json_each(?)) AND segment IS NOT NULL ORDER BY rowid",
        ids,
    )
    db.execute("DELETE FROM objects WHERE object_id IN (SELECT value FROM json_each(?))", ids)


def _named(key: GroupKey) -> tuple[str, str | None, str]:
    return key.channel_id, key.exam_id or None, key.reason_code


def _line(row: sqlite3.Row) -> GroupLine:
    return GroupLine(
        key=GroupKey(row["channel_id"], row["exam_id"] or "", row["reason_code"]),
        reason=row["reason"],
        is_worded_alike=row["reason"] == row["other_words"],
        subject_code=row["subject_code"] if row["subject_code"] == row["other_subject"] else "",
        objects=row["objects"],
        size_bytes=row["size_bytes"],
        last_ms=row["last_ms"],
    )
