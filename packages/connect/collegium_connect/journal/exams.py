"""Exams whose quiet time has passed, and the objects that a new delivery would carry."""

import json
import sqlite3
from collections import Counter
from dataclasses import dataclass

from collegium_connect.journal.objects import State
from collegium_wire import ManifestObject


@dataclass(frozen=True)
class WaitingExam:
    exam_id: str
    channel_id: str
    last_ms: int


@dataclass(frozen=True)
class Batch:
    """What one manifest will name: objects of one exam, cleaned by one version of one recipe."""

    exam_id: str
    channel_id: str
    study_uid: str
    subject_code: str
    is_supplement: bool
    recipe_name: str
    recipe_version: str
    recipe_digest: str
    first_ms: int
    object_ids: tuple[str, ...]
    objects: tuple[ManifestObject, ...]
    counts: dict[str, int]
    seconds: float


def waiting_exams(db: sqlite3.Connection) -> list[WaitingExam]:
    """Exams with objects that no delivery carries yet, and none that nobody has inspected; oldest first."""
    rows = db.execute(
        "SELECT exam_id, channel_id, last_ms FROM exams JOIN"
        " (SELECT exam_id FROM objects INDEXED BY objects_open WHERE state IN ('received', 'waiting')"
        "  GROUP BY exam_id HAVING min(state) = 'waiting') USING (exam_id)"
        " WHERE is_held = 0 ORDER BY last_ms"
    )
    return [WaitingExam(**row) for row in rows]


def next_batch(db: sqlite3.Connection, exam_id: str) -> Batch | None:
    """The objects to deliver next, or None.

    A manifest names an instance once and one recipe: a second version of an instance, and what
    another recipe cleaned, waits for the delivery after this.
    """
    exam = db.execute("SELECT * FROM exams WHERE exam_id = ? AND is_held = 0", (exam_id,)).fetchone()
    rows = db.execute(
        "SELECT * FROM objects WHERE exam_id = ? AND state = ? ORDER BY received_ms, rowid",
        (exam_id, State.WAITING),
    ).fetchall()
    if exam is None or not rows:
        return None
    chosen: dict[str, sqlite3.Row] = {}
    for row in rows:
        if row["recipe_digest"] == rows[0]["recipe_digest"]:
            chosen.setdefault(row["sop_instance_uid"], row)
    counts: Counter[str] = Counter()
    for row in chosen.values():
        counts.update(json.loads(row["counts"]))
    earlier = db.execute("SELECT 1 FROM deliveries WHERE exam_id = ? LIMIT 1", (exam_id,)).fetchone()
    return Batch(
        exam_id=exam_id,
        channel_id=exam["channel_id"],
        study_uid=exam["study_uid"],
        subject_code=exam["subject_code"],
        is_supplement=earlier is not None,
        recipe_name=rows[0]["recipe_name"],
        recipe_version=rows[0]["recipe_version"],
        recipe_digest=rows[0]["recipe_digest"],
        first_ms=rows[0]["received_ms"],
        object_ids=tuple(row["object_id"] for row in chosen.values()),
        objects=tuple(_manifest_object(row) for row in chosen.values()),
        counts=dict(counts),
        seconds=sum(row["seconds"] for row in chosen.values()),
    )


def _manifest_object(row: sqlite3.Row) -> ManifestObject:
    return ManifestObject(
        sop_instance_uid=row["sop_instance_uid"],
        sop_class_uid=row["sop_class_uid"],
        transfer_syntax_uid=row["transfer_syntax_uid"],
        series_uid=row["series_uid"],
        size_bytes=row["size_bytes"],
        sha256=row["sha256"],
    )
