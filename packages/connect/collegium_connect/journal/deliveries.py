"""Deliveries: made with their manifest, tried until a receipt ends them."""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from collegium_connect.journal.objects import State
from collegium_connect.spool import Place
from collegium_wire import Manifest, Outcome, Receipt


class DeliveryState(StrEnum):
    QUEUED = "queued"
    DELIVERED = "delivered"
    REFUSED = "refused"  # a receipt came and refuses at least one object


@dataclass(frozen=True)
class DueDelivery:
    delivery_id: str
    manifest: Manifest
    attempts: int


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


def next_due(db: sqlite3.Connection, now_ms: int) -> DueDelivery | None:
    """The oldest delivery whose time has come; a supplement never goes before what it supplements."""
    row = db.execute(
        "SELECT delivery_id, manifest, attempts FROM deliveries d WHERE state = ? AND next_attempt_ms <= ?"
        " AND NOT EXISTS (SELECT 1 FROM deliveries earlier WHERE earlier.exam_id = d.exam_id"
        " AND earlier.state = d.state AND earlier.rowid < d.rowid) ORDER BY rowid LIMIT 1",
        (DeliveryState.QUEUED, now_ms),
    ).fetchone()
    return row and DueDelivery(row["delivery_id"], Manifest.from_json(row["manifest"]), row["attempts"])


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


def postpone(db: sqlite3.Connection, delivery_id: str, code: str, message: str, until_ms: int) -> None:
    """Note a failed attempt and when to try again."""
    db.execute(
        "UPDATE deliveries SET attempts = attempts + 1, problem_code = ?, problem = ?, next_attempt_ms = ?"
        " WHERE delivery_id = ? AND state = ?",
        (code, message, until_ms, delivery_id, DeliveryState.QUEUED),
    )


def finish(db: sqlite3.Connection, delivery_id: str, receipt: Receipt, at_ms: int) -> list[Place]:
    """Write the receipt and what it says of each object; the records that nobody needs any more."""
    state = DeliveryState.DELIVERED if receipt.delivered else DeliveryState.REFUSED
    refused = [item for item in receipt.items if item.outcome is Outcome.REFUSED]
    db.execute(
        "UPDATE deliveries SET state = ?, receipt = ?, finished_ms = ?, problem_code = ?, problem = ?"
        " WHERE delivery_id = ?",
        (
            state, receipt.to_json(), at_ms, "connect.delivery.refused" if refused else "",
            f"The server refused {len(refused)} of {len(receipt.items)} objects." if refused else "",
            delivery_id,
        ),
    )  # fmt: skip
    db.executemany(
        "UPDATE objects SET state = ?, reason_code = 'connect.delivery.refused', reason = ?"
        " WHERE delivery_id = ? AND sha256 = ?",
        [(State.REFUSED, item.reason, delivery_id, item.sha256) for item in refused],
    )
    db.execute(
        "UPDATE objects SET state = ? WHERE delivery_id = ? AND state = ?",
        (State.DELIVERED, delivery_id, State.QUEUED),
    )
    rows = db.execute(
        "SELECT segment, offset FROM objects WHERE delivery_id = ? AND state = ?",
        (delivery_id, State.DELIVERED),
    )
    return [Place(row["segment"], row["offset"]) for row in rows]
