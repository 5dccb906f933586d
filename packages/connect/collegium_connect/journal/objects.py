"""Objects on their way: received, checked, waiting in an exam, queued, delivered; or set aside."""

import json
import sqlite3
from dataclasses import dataclass
from enum import StrEnum

from collegium_connect.spool import Place, Stored


class State(StrEnum):
    """Where one object stands. `delivered` is written only together with a receipt."""

    RECEIVED = "received"  # safe on the disk, not yet inspected
    WAITING = "waiting"  # clean and inspected, in an exam that is still open
    QUEUED = "queued"  # named by a manifest
    DELIVERED = "delivered"
    REFUSED = "refused"  # the server's receipt says no; kept here
    HELD = "held"  # its exam shows two patients
    QUARANTINED = "quarantined"  # sealed whole: must not leave
    MISSING = "missing"  # the journal knows it, the disk does not


UNKNOWN_ID = "connect.links.unknown_id"
"""The reason code of what is held because its patient id is not on the site's list."""
TWO_PATIENTS = "connect.quarantine.two_patients"
"""The reason code of what is held because its exam came with two patient ids."""
UNMET = "connect.requirements.unmet"
"""The reason code of what is held because its exam does not meet the acquisition requirements."""

IN_DOUBT = ("deid.verify.identifier_left", "deid.pixels.left")
"""The reason codes of what was found to identify after it was cleaned: its whole exam waits for a person (C12)."""


def aside_as(reason_code: str) -> State:
    """How an object is set aside: held where somebody's answer lets it go on as it is, else quarantined."""
    return State.HELD if reason_code == UNKNOWN_ID else State.QUARANTINED


class Kept(StrEnum):
    """What became of an arrival."""

    STORED = "stored"
    DUPLICATE = "duplicate"
    HELD = "held"


@dataclass(frozen=True, kw_only=True)
class Product:
    """What cleaning made of an object. All UIDs are the new ones; nothing tells who it is.

    `sha256` is of the object as it will leave; empty while its pixels are still to be looked at.
    """

    study_uid: str
    series_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    subject_code: str
    sha256: str
    size_bytes: int
    recipe_name: str
    recipe_version: str
    recipe_digest: str
    counts: dict[str, int]
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Arrival:
    """An object whose record is written: with its product, or why there is none."""

    object_id: str
    new_exam_id: str  # the exam's id, should this be its first object
    channel_id: str
    received_ms: int
    is_clean: bool
    """Whether the record holds the cleaned object; else the original, sealed whole."""
    product: Product | None
    input_mac: bytes | None
    """Keyed digest of what was received, for what is sealed whole."""
    reason_code: str = ""
    reason: str = ""


def is_known(
    db: sqlite3.Connection, channel_id: str, sop_instance_uid: str, sha256: str, *, but: str = ""
) -> bool:
    """Whether this very object came before, whatever became of it; what the disk lost may come again.

    `but` is the object itself, which may have come out the same before.
    """
    return (
        db.execute(
            "SELECT 1 FROM objects WHERE channel_id = ? AND sop_instance_uid = ? AND sha256 = ?"
            " AND state != ? AND object_id != ?",
            (channel_id, sop_instance_uid, sha256, State.MISSING, but),
        ).fetchone()
        is not None
    )


def is_known_input(db: sqlite3.Connection, channel_id: str, input_mac: bytes) -> bool:
    return (
        db.execute(
            "SELECT 1 FROM objects WHERE channel_id = ? AND input_mac = ? AND state != ?",
            (channel_id, input_mac, State.MISSING),
        ).fetchone()
        is not None
    )


def record(db: sqlite3.Connection, arrival: Arrival, stored: Stored) -> Kept:
    """Write an arrival: into its exam, or into quarantine.

    An exam with two subject codes is held as a whole (C18): which of them is right, only a person
    can say, so nothing more of it is sent until one has.
    """
    product, channel_id = arrival.product, arrival.channel_id
    if arrival.input_mac is not None:
        if is_known_input(db, channel_id, arrival.input_mac):
            return Kept.DUPLICATE
        # A row that lost its record keeps its place in a delivery until its object is clean again.
        db.execute(
            "UPDATE objects SET input_mac = NULL WHERE channel_id = ? AND input_mac = ?",
            (channel_id, arrival.input_mac),
        )
    known = _state_of(db, channel_id, product) if product and product.sha256 else None
    if known not in (None, State.MISSING):
        return Kept.DUPLICATE
    if product is None:
        # Without a reason it could not be read as it came, which inspection makes up for.
        state = aside_as(arrival.reason_code) if arrival.reason_code else State.RECEIVED
        _insert(db, arrival, stored, None, state)
        return Kept.STORED
    exam_id, is_held = exam_of(db, arrival.new_exam_id, channel_id, arrival.received_ms, product)
    if arrival.reason_code:
        # Whose it is matters once a person lets it go on.
        _insert(db, arrival, stored, exam_id, aside_as(arrival.reason_code))
        return Kept.STORED
    delivery_id = replace_missing(db, channel_id, product) if known else None
    _insert(db, arrival, stored, exam_id, State.HELD if is_held else State.RECEIVED)
    if delivery_id:
        mend(db, arrival.object_id, delivery_id)
    elif is_held:
        hold(db, exam_id)
    return Kept.HELD if is_held else Kept.STORED


def replace_missing(db: sqlite3.Connection, channel_id: str, product: Product) -> str | None:
    """Let the row of this very object go, if the disk lost its record; the delivery that waits for it."""
    row = db.execute(
        "DELETE FROM objects WHERE channel_id = ? AND sop_instance_uid = ? AND sha256 = ? AND state = ?"
        " RETURNING delivery_id",
        (channel_id, product.sop_instance_uid, product.sha256, State.MISSING),
    ).fetchone()
    return str(row["delivery_id"]) if row and row["delivery_id"] else None


def mend(db: sqlite3.Connection, object_id: str, delivery_id: str) -> None:
    """Put an object that came again into the delivery that waits for it; it is the same to the last byte."""
    db.execute(
        "UPDATE objects SET state = ?, delivery_id = ? WHERE object_id = ?",
        (State.QUEUED, delivery_id, object_id),
    )


def hold(db: sqlite3.Connection, exam_id: str) -> None:
    """Nothing more of an exam with two patients is sent; what a delivery names of which nothing left comes back."""
    db.execute("UPDATE exams SET is_held = 1 WHERE exam_id = ?", (exam_id,))
    unqueue(db, exam_id)
    db.execute(
        "UPDATE objects SET state = ?, reason_code = ?, reason = ? WHERE exam_id = ? AND state IN (?, ?, ?)",
        (
            State.HELD, TWO_PATIENTS, "The exam came with two patient ids.",
            exam_id, State.RECEIVED, State.WAITING, State.HELD,
        ),
    )  # fmt: skip


def unqueue(db: sqlite3.Connection, exam_id: str) -> None:
    """Take back the deliveries of an exam of which nothing left."""
    db.execute(
        "UPDATE objects SET delivery_id = NULL, state = CASE state WHEN ? THEN ? ELSE state END"
        " WHERE delivery_id IN (SELECT delivery_id FROM deliveries"
        " WHERE exam_id = ? AND state = 'queued' AND began_ms IS NULL)",
        (State.QUEUED, State.WAITING, exam_id),
    )
    db.execute(
        "DELETE FROM deliveries WHERE exam_id = ? AND state = 'queued' AND began_ms IS NULL", (exam_id,)
    )
    # The next delivery may get the number of one that went, and is later than every decision all the same.
    db.execute(
        "UPDATE patient_decisions SET last_delivery ="
        " min(last_delivery, (SELECT coalesce(max(rowid), 0) FROM deliveries))"
    )


@dataclass(frozen=True)
class LiveRecord:
    object_id: str
    place: Place
    record_bytes: int


def live_records(db: sqlite3.Connection, segment: str | None = None) -> list[LiveRecord]:
    """Objects whose record must be on the disk, all or a segment's; of the delivered ones those still kept."""
    rows = db.execute(
        "SELECT object_id, segment, offset, record_bytes FROM objects"
        " WHERE (?1 IS NULL OR segment = ?1) AND (state NOT IN (?2, ?3) OR delivery_id IN"
        " (SELECT delivery_id FROM deliveries WHERE keep_until_ms IS NOT NULL) AND state != ?3)",
        (segment, State.DELIVERED, State.MISSING),
    )
    return [
        LiveRecord(row["object_id"], Place(row["segment"], row["offset"]), row["record_bytes"])
        for row in rows
    ]


def mark_missing(db: sqlite3.Connection, object_id: str) -> None:
    """The disk has not what a row names. What was delivered before stays delivered."""
    db.execute(
        "UPDATE objects SET state = CASE state WHEN ? THEN state ELSE ? END,"
        " reason_code = 'connect.spool.damaged',"
        " reason = 'Its record is not on the disk as it was written.' WHERE object_id = ?",
        (State.DELIVERED, State.MISSING, object_id),
    )


def exam_of(
    db: sqlite3.Connection, new_exam_id: str, channel_id: str, received_ms: int, product: Product
) -> tuple[str, bool]:
    """The exam that an object belongs to, made if it is the first; and whether it must be held."""
    exam = db.execute(
        "UPDATE exams SET last_ms = max(last_ms, ?) WHERE channel_id = ? AND study_uid = ?"
        " RETURNING exam_id, subject_code, is_held",
        (received_ms, channel_id, product.study_uid),
    ).fetchone()
    if exam is None:
        db.execute(
            "INSERT INTO exams (exam_id, channel_id, study_uid, subject_code, first_ms, last_ms)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (new_exam_id, channel_id, product.study_uid, product.subject_code, received_ms, received_ms),
        )
        return new_exam_id, False
    return exam["exam_id"], bool(exam["is_held"]) or exam["subject_code"] != product.subject_code


def _state_of(db: sqlite3.Connection, channel_id: str, product: Product) -> str | None:
    row = db.execute(
        "SELECT state FROM objects WHERE channel_id = ? AND sop_instance_uid = ? AND sha256 = ?",
        (channel_id, product.sop_instance_uid, product.sha256),
    ).fetchone()
    return None if row is None else str(row["state"])


def _insert(
    db: sqlite3.Connection, arrival: Arrival, stored: Stored, exam_id: str | None, state: State
) -> None:
    product = arrival.product
    db.execute(
        "INSERT INTO objects (object_id, channel_id, exam_id, state, is_clean, segment, offset, record_bytes,"
        " subject_code, sop_instance_uid, sop_class_uid, series_uid, transfer_syntax_uid, sha256, size_bytes,"
        " recipe_name, recipe_version, recipe_digest, counts, seconds, input_mac, reason_code, reason,"
        " received_ms) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            arrival.object_id, arrival.channel_id, exam_id, state, arrival.is_clean,
            stored.place.segment, stored.place.offset, stored.record_bytes,
            *(columns(product) if product else (None,) * 6 + (0,) + (None,) * 5),
            arrival.input_mac, arrival.reason_code, arrival.reason, arrival.received_ms,
        ),
    )  # fmt: skip


def columns(product: Product) -> tuple[object, ...]:
    """A product's own columns of its object's row, in the order of the table."""
    return (
        product.subject_code, product.sop_instance_uid, product.sop_class_uid, product.series_uid,
        product.transfer_syntax_uid, product.sha256 or None, product.size_bytes, product.recipe_name,
        product.recipe_version, product.recipe_digest, json.dumps(product.counts), product.seconds,
    )  # fmt: skip
