"""What the server said of objects that it has: that one is held there for a decision, or kept as it came first."""

import sqlite3
from collections.abc import Iterable
from typing import Final

from collegium_connect.journal.objects import State
from collegium_wire import Outcome, ReceiptItem

HELD: Final = "connect.delivery.held_there"
"""The reason code of a delivered object that the server holds beside the one it had."""
KEPT: Final = "connect.delivery.kept_there"
"""The reason code of a delivered object in whose place the server kept the one it had, and says why."""
_CODES: Final = {Outcome.HELD: HELD, Outcome.DUPLICATE: KEPT}


def note(db: sqlite3.Connection, delivery_id: str, items: Iterable[ReceiptItem]) -> None:
    """Keep what a receipt says of objects that count as delivered."""
    db.executemany(
        "UPDATE objects INDEXED BY objects_by_uid SET reason_code = ?, reason = ?"
        " WHERE delivery_id = ?3 AND sop_instance_uid = ? AND sha256 = ? AND state = ? AND channel_id ="
        " (SELECT channel_id FROM deliveries JOIN exams USING (exam_id) WHERE delivery_id = ?3)",
        [
            (
                _CODES[item.outcome], item.reason, delivery_id, item.sop_instance_uid, item.sha256,
                State.DELIVERED,
            )
            for item in items
            if item.outcome is Outcome.HELD or (item.outcome is Outcome.DUPLICATE and item.reason)
        ],
    )  # fmt: skip


def held(db: sqlite3.Connection, after_ms: int) -> dict[str, int]:
    """By channel id, how many objects the server holds since a given time."""
    rows = db.execute(
        "SELECT o.channel_id, count(*) AS n FROM objects o INDEXED BY objects_answered JOIN deliveries"
        " USING (delivery_id) WHERE o.state = 'delivered' AND o.reason_code != '' AND o.reason_code = ?"
        " AND finished_ms > ? GROUP BY o.channel_id",
        (HELD, after_ms),
    )
    return {row["channel_id"]: row["n"] for row in rows}


def of_exam(db: sqlite3.Connection, exam_id: str) -> list[str]:
    """What the server said of objects of an exam, in words, each with how many."""
    rows = db.execute(
        "SELECT reason_code, count(*) AS n, count(DISTINCT reason) AS reasons, max(reason) AS words"
        " FROM objects INDEXED BY objects_answered"
        " WHERE exam_id = ? AND state = 'delivered' AND reason_code != '' AND reason_code IN (?, ?)"
        " GROUP BY reason_code ORDER BY reason_code",
        (exam_id, HELD, KEPT),
    )
    told = {HELD: "Held by the server until the project decides", KEPT: "Kept by the server as it came first"}
    return [
        f"{told[row['reason_code']]}: {row['n']}. {'For one: ' if row['reasons'] > 1 else ''}{row['words']}".strip()
        for row in rows
    ]
