"""What pages, `status` and heartbeats show: counts and states, no identifier and no original UID."""

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from collegium_connect.clock import from_ms, to_ms
from collegium_connect.journal import answers, selected
from collegium_connect.journal.deliveries import DeliveryState
from collegium_connect.journal.exams import Acquisition
from collegium_connect.journal.objects import IN_DOUBT, UNMET, State

_ON_THE_WAY = (State.RECEIVED, State.WAITING, State.QUEUED)
_SET_ASIDE = (State.HELD, State.QUARANTINED, State.REFUSED, State.MISSING)


@dataclass(frozen=True)
class ChannelCounts:
    queue_objects: int
    set_aside_objects: int
    failures: int
    """Failed attempts of deliveries that still wait."""
    last_received_at: datetime | None
    last_success_at: datetime | None

    @property
    def held_objects(self) -> int:
        """Everything of the channel that is still here because it did not leave."""
        return self.queue_objects + self.set_aside_objects


@dataclass(frozen=True)
class Totals:
    queue_objects: int
    queue_bytes: int
    failures: int
    last_success_at: datetime | None


@dataclass(frozen=True)
class ExamLine:
    """One exam as the site's people see it. `state` is one of those in docs/operate/connect/sending.md."""

    exam_id: str
    channel_name: str
    subject_code: str
    objects: int
    delivered: int
    state: str
    reason: str
    last_received_at: datetime
    next_attempt_at: datetime | None
    unmet: tuple[str, ...] = ()
    """What it lacks of the acquisition requirements, each in words."""
    can_be_let_go: bool = False
    """Whether it is held for that or for want of an export manifest, and a person may let it leave as it is; or what
    manifests left out of it, since its channel asks for none any more."""


@dataclass(frozen=True)
class UnmetCounts:
    """Exams of one channel that do not meet the acquisition requirements."""

    held: int
    told: int
    """Sent on, judged after a given time."""


@dataclass(frozen=True)
class QuarantineLine:
    reason_code: str
    reason: str
    objects: int


def channel_counts(db: sqlite3.Connection, channel_id: str) -> ChannelCounts:
    """Counts of what is under way or set aside; what was delivered is never counted through."""
    marks = ", ".join("?" * len(_ON_THE_WAY + _SET_ASIDE))
    states = {
        State(row["state"]): row["n"]
        for row in db.execute(
            f"SELECT state, count(*) AS n FROM objects WHERE state IN ({marks}) AND channel_id = ?"  # noqa: S608 - question marks
            " GROUP BY state",
            (*_ON_THE_WAY, *_SET_ASIDE, channel_id),
        )
    }
    (failures,) = db.execute(
        "SELECT coalesce(sum(attempts), 0) FROM deliveries JOIN exams USING (exam_id)"
        " WHERE state = ? AND channel_id = ?",
        (DeliveryState.QUEUED, channel_id),
    ).fetchone()
    (last_received,) = db.execute(
        "SELECT max(last_ms) FROM exams WHERE channel_id = ?", (channel_id,)
    ).fetchone()
    last_success = db.execute(
        "SELECT last_success_ms FROM channels WHERE channel_id = ?", (channel_id,)
    ).fetchone()
    return ChannelCounts(
        queue_objects=sum(states.get(state, 0) for state in _ON_THE_WAY),
        set_aside_objects=sum(states.get(state, 0) for state in _SET_ASIDE),
        failures=failures,
        last_received_at=_time(last_received),
        last_success_at=_time(last_success and last_success["last_success_ms"]),
    )


def totals(db: sqlite3.Connection) -> Totals:
    count, size = db.execute(
        "SELECT count(*), coalesce(sum(size_bytes), 0) FROM objects WHERE state IN (?, ?, ?)", _ON_THE_WAY
    ).fetchone()
    (failures,) = db.execute(
        "SELECT coalesce(sum(attempts), 0) FROM deliveries WHERE state = ?", (DeliveryState.QUEUED,)
    ).fetchone()
    (last_success,) = db.execute("SELECT max(last_success_ms) FROM channels").fetchone()
    return Totals(count, size, failures, _time(last_success))


def given_up(db: sqlite3.Connection) -> dict[str, int]:
    """By channel id, deliveries that wait for a person after too many failed attempts."""
    rows = db.execute(
        "SELECT channel_id, count(*) AS n FROM deliveries JOIN exams USING (exam_id)"
        " WHERE state = ? AND stopped_ms IS NOT NULL GROUP BY channel_id",
        (DeliveryState.QUEUED,),
    )
    return {row["channel_id"]: row["n"] for row in rows}


def unmet(db: sqlite3.Connection, after_ms: int) -> dict[str, UnmetCounts]:
    """By channel id, exams that are held for what they lack, and those told of since."""
    rows = db.execute(
        "SELECT channel_id, sum(acquisition = 'unmet' AND judged_ms > ?) AS told, sum(acquisition = 'held' AND"
        " EXISTS (SELECT 1 FROM objects o WHERE o.exam_id = exams.exam_id AND o.reason_code = ?)) AS held"
        " FROM exams INDEXED BY exams_unmet WHERE acquisition IN ('unmet', 'held') GROUP BY channel_id",
        (after_ms, UNMET),
    )
    return {
        row["channel_id"]: UnmetCounts(row["held"], row["told"]) for row in rows if row["held"] or row["told"]
    }


def received_after(db: sqlite3.Connection, row_id: int) -> tuple[int, dict[str, int]]:
    """Of the objects that came after one: the last one's row id, and by channel id their bytes on the disk."""
    rows = db.execute(
        "SELECT channel_id, max(rowid) AS last, sum(record_bytes) AS size FROM objects WHERE rowid > ?"
        " GROUP BY channel_id",
        (row_id,),
    ).fetchall()
    return max((row["last"] for row in rows), default=row_id), {
        row["channel_id"]: row["size"] for row in rows
    }


def last_row(db: sqlite3.Connection) -> int:
    """The row id of the object that came last; 0 if none did."""
    (last,) = db.execute("SELECT coalesce(max(rowid), 0) FROM objects").fetchone()
    return int(last)


# What export manifests name of an exam `e` and what is not here.
_NOT_COME: Final = (
    "FROM selected s WHERE s.channel_id = e.channel_id AND s.study_uid = e.study_uid"
    " AND s.subject_code = e.subject_code AND e.forgotten = 0 AND e.sent_whole = 0 AND NOT EXISTS"
    " (SELECT 1 FROM objects o WHERE o.channel_id = s.channel_id AND o.sop_instance_uid = s.sop_instance_uid)"
)


def exams(db: sqlite3.Connection, at: datetime, limit: int = 100) -> list[ExamLine]:
    """The exams that moved last, newest first, as they are `at` this time."""
    rows = db.execute(
        "SELECT exam_id, channel_id, subject_code, is_held, last_ms, setup, acquisition, unmet,"  # noqa: S608 - a part of this module
        " (SELECT count(*) FROM objects o WHERE o.exam_id = e.exam_id AND o.state != 'quarantined')"
        " + forgotten AS objects,"
        " (SELECT count(*) FROM objects o WHERE o.exam_id = e.exam_id AND o.state = 'quarantined')"
        " AS quarantined,"
        " (SELECT count(*) FROM objects o WHERE o.exam_id = e.exam_id AND o.state = 'delivered')"
        " + forgotten AS delivered,"
        " (SELECT count(*) FROM objects o WHERE o.exam_id = e.exam_id AND "
        " o.state IN ('received', 'waiting')) AS waiting,"
        " (SELECT count(*) FROM objects o WHERE o.exam_id = e.exam_id AND o.state IN ('refused', 'missing'))"
        " AS failed,"
        " (SELECT count(*) FROM objects o WHERE o.exam_id = e.exam_id AND o.delivery_id IS NOT NULL)"
        " + forgotten AS sent,"
        " (SELECT count(*) FROM objects o WHERE o.exam_id = e.exam_id AND o.state = 'held'"
        " AND o.reason_code = ?) AS unselected,"
        " (SELECT count(*) FROM objects o WHERE o.exam_id = e.exam_id AND o.state = 'held'"
        " AND o.reason_code = ?) AS left_out,"
        " (SELECT count(*) FROM objects o WHERE o.exam_id = e.exam_id AND o.state = 'quarantined'"
        " AND o.reason_code IN (?, ?)) AS in_doubt,"
        f" (SELECT count(*) {_NOT_COME}) AS not_come, (SELECT max(at_ms) {_NOT_COME}) AS named_ms,"
        " EXISTS (SELECT 1 FROM test_exams t WHERE t.code = e.subject_code) AS is_test"
        " FROM exams e JOIN channels USING (channel_id) ORDER BY last_ms DESC LIMIT ?",
        (selected.NONE, selected.NOT_NAMED, *IN_DOUBT, limit),
    ).fetchall()
    not_obeyed, over_ms = selected.not_obeyed(db), to_ms(at - selected.TOLD_FOR)
    return [_exam_line(db, row, over_ms, not_obeyed.get(row["channel_id"], 0)) for row in rows]


def quarantine(db: sqlite3.Connection) -> list[QuarantineLine]:
    """Everything set aside, by reason."""
    rows = db.execute(
        "SELECT reason_code, reason, count(*) AS objects FROM objects WHERE state IN (?, ?, ?, ?)"
        " GROUP BY reason_code, reason ORDER BY objects DESC LIMIT 100",
        _SET_ASIDE,
    )
    return [QuarantineLine(**row) for row in rows]


def _exam_line(db: sqlite3.Connection, row: sqlite3.Row, over_ms: int, not_obeyed: int) -> ExamLine:
    queued = db.execute(
        "SELECT attempts, problem, next_attempt_ms, stopped_ms FROM deliveries WHERE exam_id = ? AND state = ?"
        " ORDER BY created_ms LIMIT 1",
        (row["exam_id"], DeliveryState.QUEUED),
    ).fetchone()
    setup = json.loads(row["setup"])
    state, reason = _state(row, queued, setup.get("send_window", ""))
    if row["acquisition"] in (Acquisition.UNMET, Acquisition.LET_GO):
        reason = f"{reason} Does not meet the acquisition requirements.".strip()
    if row["unselected"] and not_obeyed:
        reason += (
            f" Export manifests of its channel that were not obeyed: {not_obeyed}. The quarantine says why."
        )
    reason = " ".join(filter(None, (reason, *_left(row, over_ms), *answers.of_exam(db, row["exam_id"]))))
    if row["quarantined"] and not reason:
        reason = f"In quarantine: {row['quarantined']}."
    next_attempt = _time(queued["next_attempt_ms"]) if queued is not None and state == "retrying" else None
    return ExamLine(
        exam_id=row["exam_id"],
        channel_name=setup["name"],
        subject_code=row["subject_code"],
        objects=row["objects"],
        delivered=row["delivered"],
        state=state,
        reason=reason,
        last_received_at=from_ms(row["last_ms"]),
        next_attempt_at=next_attempt,
        unmet=tuple(json.loads(row["unmet"])),
        can_be_let_go=not row["is_held"]
        and (
            row["acquisition"] == Acquisition.HELD
            or bool(row["unselected"])
            or (bool(row["left_out"]) and not setup.get("selected_only", False))
        ),
    )


def _left(row: sqlite3.Row, over_ms: int) -> Iterator[str]:
    """What is not on its way because of what a selection says; and that an exam is a test.

    What was named at `over_ms` or before is not expected any more.
    """
    if row["is_test"]:
        yield "A test exam of the doctor: the server proves and forgets it."
    if row["not_come"]:
        when = " within a week" if row["named_ms"] <= over_ms else ""
        yield f"Named by the export manifest and not come{when}: {row['not_come']}."
    if row["left_out"]:
        yield f"Not named by the export manifest and kept here: {row['left_out']}."


def _state(row: sqlite3.Row, queued: sqlite3.Row | None, window: str) -> tuple[str, str]:
    """Where an exam stands, and why."""
    if held := _held(row):
        return "held", held
    if row["failed"]:
        return "refused", f"{row['failed']} objects were refused or are missing."
    if queued is not None:
        return _state_queued(queued, window)
    if row["waiting"]:
        is_short = row["acquisition"] == Acquisition.SHORT
        return "receiving", "Waits for more of it to come." if is_short else ""
    return ("delivered" if row["delivered"] else "held"), ""


def _held(row: sqlite3.Row) -> str:
    """Why nothing more of it leaves until somebody decides; empty where that is not so."""
    if row["is_held"]:
        there = f" {row['sent']} of its objects were on their way already, or there." if row["sent"] else ""
        return "The exam came with two patient ids." + there
    if row["in_doubt"]:
        return f"Something that identifies is still in {row['in_doubt']} of its objects. Look at it in the quarantine."
    if row["unselected"]:
        return "No export manifest has come that names objects of it."
    return "Does not meet the acquisition requirements." if row["acquisition"] == Acquisition.HELD else ""


def _state_queued(queued: sqlite3.Row, window: str) -> tuple[str, str]:
    if queued["stopped_ms"]:
        return "given up", f"{queued['problem']} Given up after {queued['attempts']} attempts."
    if queued["attempts"]:
        return "retrying", queued["problem"]
    return "queued", f"Its channel sends at {window}." if window else ""


def _time(ms: int | None) -> datetime | None:
    return None if ms is None else from_ms(ms)
