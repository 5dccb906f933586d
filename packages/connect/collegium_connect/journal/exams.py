"""Exams whose quiet time has passed, the objects that a new delivery would carry, and how they were acquired."""

import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from collegium_connect.journal.facts import Facts
from collegium_connect.journal.objects import IN_DOUBT, UNMET, State
from collegium_wire import ManifestObject

HAS_DOUBT: Final = (
    "EXISTS (SELECT 1 FROM objects o WHERE o.exam_id = exams.exam_id AND o.state = 'quarantined'"
    " AND o.reason_code IN (?, ?))"
)
"""Whether something of a row of `exams` still identifies; the two marks are for `IN_DOUBT`."""


@dataclass(frozen=True)
class WaitingExam:
    exam_id: str
    channel_id: str
    last_ms: int
    open_objects: int
    is_test: bool = False
    """Whether it is of the patient of a test exam."""


class Acquisition(StrEnum):
    """Where an exam stands with the acquisition requirements of its project."""

    UNASKED = "unasked"
    SHORT = "short"  # quiet, but images that were announced by the trial may still come
    MET = "met"
    UNMET = "unmet"  # told, and on its way
    HELD = "held"
    LET_GO = "let_go"  # a person lets it leave as it is


@dataclass(frozen=True)
class Acquired:
    """One image object of an exam."""

    series_uid: str
    facts: Facts


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
    """Exams with objects that no delivery carries yet, none uninspected, and none in doubt; oldest first."""
    rows = db.execute(
        "SELECT exam_id, channel_id, last_ms, open_objects,"  # noqa: S608 - a condition of this module
        " EXISTS (SELECT 1 FROM test_exams t WHERE t.code = exams.subject_code) AS is_test FROM exams JOIN"
        " (SELECT exam_id, count(*) AS open_objects FROM objects INDEXED BY objects_open"
        "  WHERE state IN ('received', 'waiting') GROUP BY exam_id HAVING min(state) = 'waiting') USING (exam_id)"
        f" WHERE is_held = 0 AND NOT {HAS_DOUBT} ORDER BY last_ms",
        IN_DOUBT,
    )
    return [
        WaitingExam(
            row["exam_id"], row["channel_id"], row["last_ms"], row["open_objects"], bool(row["is_test"])
        )
        for row in rows
    ]


def unplaced_since(db: sqlite3.Connection) -> dict[str, int]:
    """By channel id, when the first object came that waits to be inspected and whose exam nobody knows."""
    rows = db.execute(
        "SELECT channel_id, min(received_ms) AS first_ms FROM objects INDEXED BY objects_unplaced"
        " WHERE exam_id IS NULL AND state = 'received' GROUP BY channel_id"
    )
    return {row["channel_id"]: row["first_ms"] for row in rows}


def next_batch(db: sqlite3.Connection, exam_id: str) -> Batch | None:
    """The objects to deliver next, or None.

    A manifest names an instance once and one recipe: a second version of an instance, and what
    another recipe cleaned, waits for the delivery after this.
    """
    exam = db.execute(
        f"SELECT * FROM exams WHERE exam_id = ? AND is_held = 0 AND NOT {HAS_DOUBT}",  # noqa: S608 - as above
        (exam_id, *IN_DOUBT),
    ).fetchone()
    rows = db.execute(
        "SELECT * FROM objects WHERE exam_id = ? AND state = ? ORDER BY received_ms, rowid",
        (exam_id, State.WAITING),
    ).fetchall()
    if exam is None or not rows:
        return None
    chosen = _of_one_recipe(rows)
    counts: Counter[str] = Counter()
    for row in chosen:
        counts.update(json.loads(row["counts"]))
    return Batch(
        exam_id=exam_id,
        channel_id=exam["channel_id"],
        study_uid=exam["study_uid"],
        subject_code=exam["subject_code"],
        is_supplement=_has_delivery(db, exam_id),
        recipe_name=rows[0]["recipe_name"],
        recipe_version=rows[0]["recipe_version"],
        recipe_digest=rows[0]["recipe_digest"],
        first_ms=rows[0]["received_ms"],
        object_ids=tuple(row["object_id"] for row in chosen),
        objects=tuple(_manifest_object(row) for row in chosen),
        counts=dict(counts),
        seconds=sum(row["seconds"] for row in chosen),
    )


def _of_one_recipe(rows: Sequence[sqlite3.Row]) -> list[sqlite3.Row]:
    """Those that the first one's recipe cleaned, each instance once."""
    chosen: dict[str, sqlite3.Row] = {}
    for row in rows:
        if row["recipe_digest"] == rows[0]["recipe_digest"]:
            chosen.setdefault(row["sop_instance_uid"], row)
    return list(chosen.values())


def _has_delivery(db: sqlite3.Connection, exam_id: str) -> bool:
    """Whether the exam had a delivery before, though it may be forgotten here."""
    row = db.execute(
        "SELECT 1 FROM deliveries WHERE exam_id = ?1 UNION ALL"
        " SELECT 1 FROM exams WHERE exam_id = ?1 AND forgotten > 0 LIMIT 1",
        (exam_id,),
    ).fetchone()
    return row is not None


def acquired(db: sqlite3.Connection, exam_id: str) -> list[Acquired] | None:
    """How all of an exam was acquired, sent or not; None where that of some of it is not known (any more).

    What is set aside for another reason than this is not part of it; a second version of an instance is no
    second image.
    """
    rows = db.execute(
        "SELECT series_uid, facts FROM objects WHERE exam_id = ? AND (state IN (?, ?, ?) OR state = ? AND"
        " reason_code = ?) GROUP BY sop_instance_uid ORDER BY rowid",
        (exam_id, State.WAITING, State.QUEUED, State.DELIVERED, State.HELD, UNMET),
    ).fetchall()
    (forgotten,) = db.execute("SELECT forgotten FROM exams WHERE exam_id = ?", (exam_id,)).fetchone()
    if forgotten or any(row["facts"] is None for row in rows):
        return None
    return [Acquired(row["series_uid"], Facts.from_text(row["facts"])) for row in rows]


def acquisition_of(db: sqlite3.Connection, exam_id: str) -> Acquisition:
    row = db.execute("SELECT acquisition FROM exams WHERE exam_id = ?", (exam_id,)).fetchone()
    return Acquisition(row["acquisition"]) if row else Acquisition.UNASKED


def judge(
    db: sqlite3.Connection, exam_id: str, acquisition: Acquisition, unmet: Sequence[str], at_ms: int
) -> None:
    """Write down where an exam stands; its objects that waited here go on, or are held with those to come."""
    db.execute(
        "UPDATE exams SET acquisition = ?, unmet = ?, judged_ms = ? WHERE exam_id = ?",
        (acquisition, json.dumps(list(unmet)), at_ms, exam_id),
    )
    if acquisition is Acquisition.HELD:
        db.execute(
            "UPDATE objects SET state = ?, reason_code = ?,"
            " reason = 'Its exam does not meet the acquisition requirements.' WHERE exam_id = ? AND state = ?",
            (State.HELD, UNMET, exam_id, State.WAITING),
        )
    elif acquisition is not Acquisition.SHORT:
        db.execute(
            "UPDATE objects SET state = ?, reason_code = '', reason = ''"
            " WHERE exam_id = ? AND state = ? AND reason_code = ?",
            (State.WAITING, exam_id, State.HELD, UNMET),
        )


def channel_of(db: sqlite3.Connection, exam_id: str) -> str:
    row = db.execute("SELECT channel_id FROM exams WHERE exam_id = ?", (exam_id,)).fetchone()
    return str(row["channel_id"]) if row else ""


def unmet_of(db: sqlite3.Connection, exam_id: str) -> tuple[str, ...]:
    row = db.execute("SELECT unmet FROM exams WHERE exam_id = ?", (exam_id,)).fetchone()
    return tuple(json.loads(row["unmet"])) if row else ()


def _manifest_object(row: sqlite3.Row) -> ManifestObject:
    return ManifestObject(
        sop_instance_uid=row["sop_instance_uid"],
        sop_class_uid=row["sop_class_uid"],
        transfer_syntax_uid=row["transfer_syntax_uid"],
        series_uid=row["series_uid"],
        size_bytes=row["size_bytes"],
        sha256=row["sha256"],
    )
