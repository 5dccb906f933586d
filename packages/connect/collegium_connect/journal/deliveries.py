"""Deliveries: made with their manifest, tried until a receipt ends them or a person has to look."""

import json
import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from enum import Enum, StrEnum
from typing import Final

from collegium_connect.journal import answers
from collegium_connect.journal.exams import HAS_DOUBT
from collegium_connect.journal.objects import IN_DOUBT, State, hold
from collegium_connect.spool import Place
from collegium_wire import Manifest, Outcome, Receipt

# Twice what `send.backoff` waits at most.
_LONGEST_WAIT_MS: Final = 240_000


class DeliveryState(StrEnum):
    QUEUED = "queued"  # with `stopped_ms`: given up until a person says so
    DELIVERED = "delivered"
    REFUSED = "refused"  # a receipt came and refuses at least one object


class Beginning(Enum):
    """Of what leaves of a delivery."""

    FIRST = "first"
    AGAIN = "again"  # something of it may have left with an earlier attempt
    GONE = "gone"  # the delivery was taken back meanwhile, or something of its exam still identifies


@dataclass(frozen=True)
class DueDelivery:
    delivery_id: str
    channel_id: str
    manifest: Manifest
    attempts: int
    own_failures: int
    """Failed attempts that no fault of the line or of the whole server explains."""


@dataclass(frozen=True)
class ObjectFile:
    """One object of a delivery, by digest, and where its record is."""

    object_id: str
    sha256: str
    size_bytes: int
    state: State
    place: Place


def add(
    db: sqlite3.Connection, exam_id: str, manifest: Manifest, object_ids: Sequence[str], at_ms: int
) -> None:
    """Queue a delivery; its objects belong to it from now on."""
    db.execute(
        "INSERT INTO deliveries (delivery_id, exam_id, manifest, manifest_digest, state, next_attempt_ms,"
        " created_ms) VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            manifest.delivery_id, exam_id, manifest.to_json(), manifest.digest(), DeliveryState.QUEUED,
            at_ms, at_ms,
        ),
    )  # fmt: skip
    db.executemany(
        "UPDATE objects SET state = ?, delivery_id = ? WHERE object_id = ?",
        [(State.QUEUED, manifest.delivery_id, object_id) for object_id in object_ids],
    )


def next_due(
    db: sqlite3.Connection, now_ms: int, busy: Collection[str] = (), closed: Collection[str] = ()
) -> DueDelivery | None:
    """The oldest delivery whose time has come; a supplement never goes before what it supplements.

    Nothing of an exam begins while something of it still identifies.

    `busy` are deliveries that are being tried already, `closed` channels that may not send now. A next
    attempt further away than any wait is long was written before the clock was set back: it is due.
    """
    row = db.execute(
        "SELECT delivery_id, channel_id, manifest, attempts, own_failures"  # noqa: S608 - a condition of this package
        " FROM deliveries d JOIN exams USING (exam_id)"
        " WHERE state = ? AND NOT next_attempt_ms BETWEEN ? AND ? AND stopped_ms IS NULL"
        " AND delivery_id NOT IN (SELECT value FROM json_each(?))"
        " AND channel_id NOT IN (SELECT value FROM json_each(?))"
        f" AND (began_ms IS NOT NULL OR NOT {HAS_DOUBT})"
        " AND NOT EXISTS (SELECT 1 FROM deliveries earlier WHERE earlier.exam_id = d.exam_id"
        " AND earlier.state = d.state AND earlier.rowid < d.rowid) ORDER BY d.rowid LIMIT 1",
        (
            DeliveryState.QUEUED, now_ms + 1, now_ms + _LONGEST_WAIT_MS, json.dumps(list(busy)),
            json.dumps(list(closed)), *IN_DOUBT,
        ),
    ).fetchone()  # fmt: skip
    return row and DueDelivery(
        row["delivery_id"],
        row["channel_id"],
        Manifest.from_json(row["manifest"]),
        row["attempts"],
        row["own_failures"],
    )


def begin(db: sqlite3.Connection, delivery_id: str, at_ms: int) -> Beginning:
    """Note that something of it may leave from now on."""
    row = db.execute(
        f"SELECT began_ms, {HAS_DOUBT} AS has_doubt FROM deliveries JOIN exams USING (exam_id)"  # noqa: S608 - as above
        " WHERE delivery_id = ? AND deliveries.state = ?",
        (*IN_DOUBT, delivery_id, DeliveryState.QUEUED),
    ).fetchone()
    if row is None:
        return Beginning.GONE
    if row["began_ms"] is not None:
        return Beginning.AGAIN
    if row["has_doubt"]:
        return Beginning.GONE
    db.execute("UPDATE deliveries SET began_ms = ? WHERE delivery_id = ?", (at_ms, delivery_id))
    return Beginning.FIRST


def is_held(db: sqlite3.Connection, delivery_id: str) -> bool:
    """Whether its exam waits for somebody to say whose it is."""
    return _held_exam(db, delivery_id) is not None


def take_beginning_back(db: sqlite3.Connection, delivery_id: str) -> None:
    """No object left after all; the delivery goes where its exam is held since."""
    db.execute("UPDATE deliveries SET began_ms = NULL WHERE delivery_id = ?", (delivery_id,))
    exam_id = _held_exam(db, delivery_id)
    if exam_id is not None:
        hold(db, exam_id)


def _held_exam(db: sqlite3.Connection, delivery_id: str) -> str | None:
    row = db.execute(
        "SELECT exam_id FROM exams JOIN deliveries USING (exam_id) WHERE delivery_id = ? AND is_held",
        (delivery_id,),
    ).fetchone()
    return None if row is None else str(row["exam_id"])


def object_files(db: sqlite3.Connection, delivery_id: str) -> list[ObjectFile]:
    rows = db.execute(
        "SELECT object_id, sha256, size_bytes, state, segment, offset FROM objects"
        " WHERE delivery_id = ? ORDER BY rowid",
        (delivery_id,),
    )
    return [
        ObjectFile(
            row["object_id"],
            row["sha256"],
            row["size_bytes"],
            State(row["state"]),
            Place(row["segment"], row["offset"]),
        )
        for row in rows
    ]


def postpone(  # noqa: PLR0913 - the columns of one failed attempt
    db: sqlite3.Connection, delivery_id: str, code: str, message: str, until_ms: int, *, is_own: bool
) -> None:
    """Note a failed attempt and when to try again. `is_own`: nothing but this delivery explains it."""
    db.execute(
        "UPDATE deliveries SET attempts = attempts + 1, own_failures = own_failures + ?, problem_code = ?,"
        " problem = ?, next_attempt_ms = ? WHERE delivery_id = ? AND state = ?",
        (is_own, code, message, until_ms, delivery_id, DeliveryState.QUEUED),
    )


def stop(db: sqlite3.Connection, delivery_id: str, at_ms: int) -> None:
    """Give a delivery up until a person asks for it again; nothing of it is lost."""
    db.execute(
        "UPDATE deliveries SET stopped_ms = ? WHERE delivery_id = ? AND state = ?",
        (at_ms, delivery_id, DeliveryState.QUEUED),
    )


def retry_exam(db: sqlite3.Connection, exam_id: str, at_ms: int) -> int:
    """Make what waits of an exam due now, and what was given up queued again; how many deliveries."""
    return db.execute(
        "UPDATE deliveries SET stopped_ms = NULL, own_failures = 0, next_attempt_ms = ?"
        " WHERE exam_id = ? AND state = ?",
        (at_ms, exam_id, DeliveryState.QUEUED),
    ).rowcount


def finish(
    db: sqlite3.Connection, delivery_id: str, receipt: Receipt, at_ms: int, keep_until_ms: int | None = None
) -> list[Place]:
    """Write the receipt and what it says of each object; the records that nobody needs any more.

    `keep_until_ms` says how long the records of delivered objects stay; None: not at all.
    """
    state = DeliveryState.DELIVERED if receipt.delivered else DeliveryState.REFUSED
    refused = [item for item in receipt.items if item.outcome is Outcome.REFUSED]
    db.execute(
        "UPDATE deliveries SET state = ?, receipt = ?, finished_ms = ?, problem_code = ?, problem = ?,"
        " stopped_ms = NULL, keep_until_ms = ? WHERE delivery_id = ?",
        (
            state, receipt.to_json(), at_ms, "connect.delivery.refused" if refused else "",
            f"The server refused {len(refused)} of {len(receipt.items)} objects." if refused else "",
            keep_until_ms, delivery_id,
        ),
    )  # fmt: skip
    db.executemany(
        "UPDATE objects SET state = ?, reason_code = 'connect.delivery.refused', reason = ?"
        " WHERE delivery_id = ? AND sha256 = ?",
        [(State.REFUSED, item.reason, delivery_id, item.sha256) for item in refused],
    )
    db.execute(
        "UPDATE objects INDEXED BY objects_of_delivery SET state = ? WHERE delivery_id = ? AND state = ?",
        (State.DELIVERED, delivery_id, State.QUEUED),
    )
    db.execute(  # the server had them before the disk lost them
        "UPDATE objects INDEXED BY objects_of_delivery"
        " SET state = ?, segment = NULL, offset = NULL, reason_code = '', reason = ''"
        " WHERE delivery_id = ? AND state = ?",
        (State.DELIVERED, delivery_id, State.MISSING),
    )
    answers.note(db, delivery_id, receipt.items)
    is_test = any(item.outcome is Outcome.PROVEN for item in receipt.items)
    if state is DeliveryState.DELIVERED and not is_test:
        db.execute(
            "UPDATE channels SET last_success_ms = ? WHERE channel_id ="
            " (SELECT channel_id FROM deliveries JOIN exams USING (exam_id) WHERE delivery_id = ?)",
            (at_ms, delivery_id),
        )
    return _let_go(db, delivery_id) if keep_until_ms is None else []


def let_go_of_expired(db: sqlite3.Connection, now_ms: int, limit: int = 20) -> list[Place]:
    """Records of delivered objects whose days at the site are over; nobody needs them any more."""
    rows = db.execute(
        "SELECT delivery_id FROM deliveries WHERE keep_until_ms <= ? ORDER BY keep_until_ms LIMIT ?",
        (now_ms, limit),
    ).fetchall()
    places = []
    for row in rows:
        db.execute("UPDATE deliveries SET keep_until_ms = NULL WHERE delivery_id = ?", (row["delivery_id"],))
        places += _let_go(db, row["delivery_id"])
    return places


def _let_go(db: sqlite3.Connection, delivery_id: str) -> list[Place]:
    """Forget where the delivered objects of a delivery are; the places."""
    rows = db.execute(
        "SELECT segment, offset FROM objects INDEXED BY objects_of_delivery"
        " WHERE delivery_id = ? AND state = ? AND segment IS NOT NULL",
        (delivery_id, State.DELIVERED),
    )
    places = [Place(row["segment"], row["offset"]) for row in rows]
    db.execute(
        "UPDATE objects INDEXED BY objects_of_delivery SET segment = NULL, offset = NULL"
        " WHERE delivery_id = ? AND state = ?",
        (delivery_id, State.DELIVERED),
    )
    return places
