"""Objects that wait to be inspected, and what inspection says of them."""

import json
import sqlite3
import uuid
from collections.abc import Iterable
from dataclasses import dataclass

from collegium_connect.journal import objects
from collegium_connect.journal.facts import Facts
from collegium_connect.journal.objects import Product, State
from collegium_connect.spool import Place, Stored


@dataclass(frozen=True)
class Looked:
    """A named person has looked at what would leave: it may, when these places are hidden."""

    places: tuple[tuple[int, int, int, int], ...] = ()
    """Left, top, right, bottom in pixels, on every frame; right and bottom excluded."""
    sha256: str = ""
    """Of the object as the person saw it; what is not that same object does not leave on this word."""


@dataclass(frozen=True)
class ReceivedObject:
    """An object that waits to be inspected."""

    object_id: str
    exam_id: str
    """Its exam's; one that is not taken where it has no exam yet."""
    channel_id: str
    is_clean: bool
    place: Place
    record_bytes: int
    received_ms: int
    input_mac: bytes | None = None
    looked: Looked | None = None
    """A person's word that it may leave, where it waited for that."""
    is_apart: bool = False
    """Whether it is the second patient's of an exam, and goes into an exam of its own."""
    is_joined: bool = False
    """Whether that was taken back, so that it is cleaned anew into the exam it came in."""


@dataclass(frozen=True)
class Backlog:
    """How much waits to be inspected."""

    objects: int
    size_bytes: int
    oldest_ms: int | None


def received(
    db: sqlite3.Connection, limit: int, *, but: Iterable[str] = (), idle: Iterable[str] = ()
) -> list[ReceivedObject]:
    """The oldest objects that nobody has inspected.

    Args:
        db: the journal.
        limit: at most so many.
        but: ids of objects to leave out.
        idle: ids of channels whose key or recipe cannot be used now: nothing of theirs is due.
    """
    rows = db.execute(
        "SELECT o.*, r.boxes, r.sha256 AS seen_sha256, a.is_over"
        " FROM objects o INDEXED BY objects_to_inspect"
        " LEFT JOIN releases r USING (object_id) LEFT JOIN apart a USING (object_id)"
        " WHERE o.state = 'received' AND o.object_id NOT IN (SELECT value FROM json_each(?))"
        " AND o.channel_id NOT IN (SELECT value FROM json_each(?))"
        " ORDER BY o.received_ms LIMIT ?",
        (json.dumps(list(but)), json.dumps(list(idle)), limit),
    )
    return [_received(row) for row in rows]


def backlog(db: sqlite3.Connection) -> Backlog:
    return Backlog(
        *db.execute(
            "SELECT count(*), coalesce(sum(record_bytes), 0), min(received_ms) FROM objects"
            " WHERE state = 'received'"
        ).fetchone()
    )


def pass_unchanged(db: sqlite3.Connection, found: Iterable[tuple[str, Facts | None]]) -> None:
    """Inspected and found clean as they are: ids of objects, each with how it was acquired."""
    db.executemany(
        "UPDATE objects SET state = ?, facts = ? WHERE object_id = ? AND state = ?",
        [(State.WAITING, facts and facts.to_text(), object_id, State.RECEIVED) for object_id, facts in found],
    )


def pass_cleaned(
    db: sqlite3.Connection,
    item: ReceivedObject,
    product: Product,
    stored: Stored,
    facts: Facts | None = None,
) -> list[Place]:
    """Inspected and cleaned into a new record; where records lie that are no longer needed.

    Should somebody have decided otherwise about its exam meanwhile, it is left to be inspected again. The
    same object may have come before under another form of its input: then neither record is needed,
    and this object is gone from the journal.
    """
    row = db.execute(
        "SELECT exam_id, segment, offset, state, is_over FROM objects LEFT JOIN apart USING (object_id)"
        " WHERE object_id = ?",
        (item.object_id,),
    ).fetchone()
    if row is None or row["state"] != State.RECEIVED or (row["is_over"] == 0) != item.is_apart:
        return [stored.place]
    old = Place(row["segment"], row["offset"])
    if objects.is_known(db, item.channel_id, product.sop_instance_uid, product.sha256, but=item.object_id):
        db.execute("DELETE FROM objects WHERE object_id = ?", (item.object_id,))
        return [old, stored.place]
    exam_id, is_held = objects.exam_of(db, item.exam_id, item.channel_id, item.received_ms, product)
    delivery_id = objects.replace_missing(db, item.channel_id, product)
    db.execute(
        "UPDATE objects SET state = ?, exam_id = ?, is_clean = 1, segment = ?, offset = ?, record_bytes = ?,"
        " subject_code = ?, sop_instance_uid = ?, sop_class_uid = ?, series_uid = ?, transfer_syntax_uid = ?,"
        " sha256 = ?, size_bytes = ?, recipe_name = ?, recipe_version = ?, recipe_digest = ?, counts = ?,"
        " seconds = ?, facts = ? WHERE object_id = ?",
        (
            State.WAITING, exam_id, stored.place.segment, stored.place.offset, stored.record_bytes,
            *objects.columns(product), facts and facts.to_text(), item.object_id,
        ),
    )  # fmt: skip
    if delivery_id:
        objects.mend(db, item.object_id, delivery_id)
    elif is_held:
        objects.hold(db, exam_id)
    return [old]


def set_aside(  # noqa: PLR0913, PLR0917 - what a finding says
    db: sqlite3.Connection,
    item: ReceivedObject,
    code: str,
    words: str,
    stored: Stored | None,
    product: Product | None,
) -> Place | None:
    """Into quarantine, with the reason; the place of a record that is no longer needed, if `stored` replaces it.

    By its `product` an object that was in no exam gets into its own, which waits with it where there is doubt.
    """
    object_id = item.object_id
    row = db.execute(
        "SELECT exam_id, segment, offset, state FROM objects WHERE object_id = ?", (object_id,)
    ).fetchone()
    if row is None or row["state"] != State.RECEIVED:
        return stored.place if stored else None
    db.execute(
        "UPDATE objects SET state = ?, reason_code = ?, reason = ? WHERE object_id = ?",
        (objects.aside_as(code), code, words, object_id),
    )
    if product is not None and row["exam_id"] is None:
        exam_id, _ = objects.exam_of(db, item.exam_id, item.channel_id, item.received_ms, product)
        db.execute(
            "UPDATE objects SET exam_id = ?, subject_code = ? WHERE object_id = ?",
            (exam_id, product.subject_code, object_id),
        )
    if stored is None:
        return None
    db.execute(
        "UPDATE objects SET is_clean = 0, segment = ?, offset = ?, record_bytes = ?, sha256 = NULL"
        " WHERE object_id = ?",
        (stored.place.segment, stored.place.offset, stored.record_bytes, object_id),
    )
    return Place(row["segment"], row["offset"])


def _received(row: sqlite3.Row) -> ReceivedObject:
    return ReceivedObject(
        object_id=row["object_id"],
        exam_id=row["exam_id"] or str(uuid.uuid4()),
        channel_id=row["channel_id"],
        is_clean=bool(row["is_clean"]),
        place=Place(row["segment"], row["offset"]),
        record_bytes=row["record_bytes"],
        received_ms=row["received_ms"],
        input_mac=row["input_mac"],
        looked=_looked(row["boxes"], row["seen_sha256"]),
        is_apart=row["is_over"] == 0,
        is_joined=row["is_over"] == 1,
    )


def _looked(boxes: str | None, sha256: str) -> Looked | None:
    if boxes is None:
        return None
    return Looked(tuple((left, top, right, bottom) for left, top, right, bottom in json.loads(boxes)), sha256)
