"""Storage commitment requests that wait for their report. What they name is the sender's, so it is sealed."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Commitment:
    commitment_id: str
    channel_id: str
    sealed: bytes
    asked_ms: int
    attempts: int


def add(db: sqlite3.Connection, given: Commitment) -> None:
    db.execute(
        "INSERT INTO commitments (commitment_id, channel_id, sealed, asked_ms, next_attempt_ms)"
        " VALUES (?, ?, ?, ?, ?)",
        (given.commitment_id, given.channel_id, given.sealed, given.asked_ms, given.asked_ms),
    )


def waiting(db: sqlite3.Connection) -> int:
    """How many there are."""
    (count,) = db.execute("SELECT count(*) FROM commitments").fetchone()
    return int(count)


def due(db: sqlite3.Connection, at_ms: int, limit: int) -> list[Commitment]:
    """Those to look at now, the longest waiting first."""
    rows = db.execute(
        "SELECT commitment_id, channel_id, sealed, asked_ms, attempts FROM commitments"
        " WHERE next_attempt_ms <= ? ORDER BY next_attempt_ms LIMIT ?",
        (at_ms, limit),
    )
    return [Commitment(*row) for row in rows]


def states(db: sqlite3.Connection, channel_id: str, sop_instance_uids: Sequence[str]) -> set[str]:
    """The states of a channel's objects that have one of these (new) UIDs."""
    marks = ", ".join("?" * len(sop_instance_uids))
    rows = db.execute(
        f"SELECT state FROM objects WHERE channel_id = ? AND sop_instance_uid IN ({marks})",  # noqa: S608 - question marks only
        (channel_id, *sop_instance_uids),
    )
    return {str(row["state"]) for row in rows}


def look_again(db: sqlite3.Connection, commitment_id: str, at_ms: int, attempts: int) -> None:
    db.execute(
        "UPDATE commitments SET next_attempt_ms = ?, attempts = ? WHERE commitment_id = ?",
        (at_ms, attempts, commitment_id),
    )


def remove(db: sqlite3.Connection, commitment_id: str) -> None:
    """Reported, or given up."""
    db.execute("DELETE FROM commitments WHERE commitment_id = ?", (commitment_id,))
