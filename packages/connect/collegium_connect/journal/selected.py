"""What selections name, and which objects of an exam may leave because of it."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from collegium_connect.journal.objects import UNMET, State
from collegium_wire import ChannelSetup

READ: Final = "connect.selection.read"
"""The reason code of a selection itself: it was obeyed, and is kept here."""
NONE: Final = "connect.selection.none"
"""The reason code of what is held because no selection names anything of its exam."""
NOT_NAMED: Final = "connect.selection.not_named"
"""The reason code of what is held because the selections of its exam name other objects."""

TOLD_FOR: Final = timedelta(days=7)
"""What is named and does not come is an alarm for so long; it is sent whenever it comes."""
UNREADABLE: Final = "connect.selection.unreadable"
DELAYED: Final = "connect.selection.delayed"
TOO_LARGE: Final = "connect.selection.too_large"
NOT_OBEYED: Final = (UNREADABLE, DELAYED, TOO_LARGE)
"""The reason codes of selections that are in quarantine: what they name is not known, or may not leave yet."""

_WORDS: Final = {
    NONE: "No export manifest has come that names objects of its exam.",
    NOT_NAMED: "The export manifest of its exam does not name it.",
}
_IS_NAMED: Final = (
    "EXISTS (SELECT 1 FROM selected s JOIN exams e ON e.exam_id = objects.exam_id"
    " WHERE s.channel_id = e.channel_id AND s.study_uid = e.study_uid AND s.subject_code = e.subject_code"
    " AND s.sop_instance_uid = objects.sop_instance_uid)"
)


@dataclass(frozen=True)
class Sorted:
    """How an exam stands with its selections."""

    waiting: int
    """Objects that may leave and did not yet."""
    missing: int
    """Objects that are named and have not come."""


def note(
    db: sqlite3.Connection,
    object_id: str,
    *,
    subject_code: str,
    named: Iterable[tuple[str, str]],
    at_ms: int,
) -> None:
    """Write down what a selection names, each as (study UID, SOP instance UID); what waited for it goes on.

    What it does not name of those exams is not let go by a person any more, who would not know of the selection.
    Should somebody have decided otherwise about the selection meanwhile, it is not obeyed.
    """
    row = db.execute(
        "UPDATE objects SET state = ?, reason_code = ?, reason = 'An export manifest. It was read and is not sent.'"
        " WHERE object_id = ? AND state = ? RETURNING channel_id",
        (State.HELD, READ, object_id, State.RECEIVED),
    ).fetchone()
    if row is None:
        return
    db.executemany(
        "INSERT INTO selected (channel_id, study_uid, subject_code, sop_instance_uid, at_ms)"
        " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET at_ms = max(at_ms, excluded.at_ms)",
        [(row["channel_id"], study_uid, subject_code, uid, at_ms) for study_uid, uid in named],
    )
    db.execute(
        f"UPDATE objects SET state = ?, reason_code = '', reason = '' WHERE channel_id = ? AND state = ?"  # noqa: S608 - a condition of this module
        f" AND reason_code IN (?, ?) AND {_IS_NAMED}",
        (State.WAITING, row["channel_id"], State.HELD, NONE, NOT_NAMED),
    )
    db.execute(
        "UPDATE objects SET reason_code = ?, reason = ? WHERE channel_id = ? AND state = ? AND reason_code = ?"
        " AND EXISTS (SELECT 1 FROM selected s JOIN exams e USING (channel_id, study_uid, subject_code)"
        " WHERE e.exam_id = objects.exam_id)",
        (NOT_NAMED, _WORDS[NOT_NAMED], row["channel_id"], State.HELD, NONE),
    )


def sort_out(db: sqlite3.Connection, exam_id: str) -> Sorted:
    """Hold what of an exam may not leave; how it stands. An exam that a person let go leaves as it is."""
    exam = db.execute(
        "SELECT sent_whole, forgotten, (SELECT count(*) FROM selected s WHERE s.channel_id = e.channel_id"
        " AND s.study_uid = e.study_uid AND s.subject_code = e.subject_code) AS named,"
        " (SELECT count(*) FROM selected s WHERE s.channel_id = e.channel_id AND s.study_uid = e.study_uid"
        " AND s.subject_code = e.subject_code AND NOT EXISTS (SELECT 1 FROM objects o"
        " WHERE o.channel_id = s.channel_id AND o.sop_instance_uid = s.sop_instance_uid)) AS missing"
        " FROM exams e WHERE exam_id = ?",
        (exam_id,),
    ).fetchone()
    if not exam["sent_whole"]:
        code = NOT_NAMED if exam["named"] else NONE
        # What is held for what its exam lacks would go on with it.
        db.execute(
            f"UPDATE objects SET state = ?, reason_code = ?, reason = ? WHERE exam_id = ? AND (state = ?"  # noqa: S608 - as above
            f" OR state = ? AND reason_code IN (?, ?)) AND NOT {_IS_NAMED}",
            (State.HELD, code, _WORDS[code], exam_id, State.WAITING, State.HELD, UNMET, NONE),
        )
    (waiting,) = db.execute(
        "SELECT count(*) FROM objects WHERE exam_id = ? AND state = ?", (exam_id, State.WAITING)
    ).fetchone()
    return Sorted(waiting, 0 if exam["forgotten"] or exam["sent_whole"] else exam["missing"])


def let_go(db: sqlite3.Connection, exam_id: str) -> int:
    """An exam leaves as it is, with what still comes of it; how many objects go on.

    Only one that no selection names, or whose channel asks for no selection any more.
    """
    row = db.execute(
        "SELECT setup FROM channels JOIN exams USING (channel_id) WHERE exam_id = ?", (exam_id,)
    ).fetchone()
    is_asked = row is None or ChannelSetup.from_json(row["setup"]).selected_only
    count = db.execute(
        "UPDATE objects SET state = ?, reason_code = '', reason = '' WHERE exam_id = ? AND state = ?"
        " AND reason_code IN (?, ?)",
        (State.WAITING, exam_id, State.HELD, NONE, NONE if is_asked else NOT_NAMED),
    ).rowcount
    if count:
        db.execute("UPDATE exams SET sent_whole = 1 WHERE exam_id = ?", (exam_id,))
    return count


@dataclass(frozen=True)
class Waiting:
    """What of one channel waits for a selection, or for what one names."""

    exams: int
    """Of which no selection names anything."""
    missing: int
    """Objects that were named in a given time and have not come."""
    not_obeyed: int = 0
    """Selections that are in quarantine."""


def waiting(db: sqlite3.Connection, *, after_ms: int, before_ms: int) -> dict[str, Waiting]:
    """By channel id, where anything waits; of what was named, only after the one time and before the other."""
    held = dict(
        db.execute(
            "SELECT channel_id, count(DISTINCT exam_id) FROM objects WHERE state = ? AND reason_code = ?"
            " GROUP BY channel_id",
            (State.HELD, NONE),
        ).fetchall()
    )
    missing = dict(
        db.execute(
            "SELECT s.channel_id, count(*) FROM selected s LEFT JOIN exams e USING (channel_id, study_uid)"
            " WHERE s.at_ms > ? AND s.at_ms < ? AND coalesce(e.forgotten, 0) = 0 AND coalesce(e.sent_whole, 0) = 0"
            " AND NOT EXISTS (SELECT 1 FROM objects o WHERE o.channel_id = s.channel_id"
            " AND o.sop_instance_uid = s.sop_instance_uid) GROUP BY s.channel_id",
            (after_ms, before_ms),
        ).fetchall()
    )
    unread = not_obeyed(db)
    return {
        one: Waiting(held.get(one, 0), missing.get(one, 0), unread.get(one, 0))
        for one in held.keys() | missing.keys() | unread.keys()
    }


def not_obeyed(db: sqlite3.Connection) -> dict[str, int]:
    """By channel id, how many selections are in quarantine."""
    return dict(
        db.execute(
            "SELECT channel_id, count(*) FROM objects WHERE state = ? AND reason_code IN (?, ?, ?)"
            " GROUP BY channel_id",
            (State.QUARANTINED, *NOT_OBEYED),
        ).fetchall()
    )
