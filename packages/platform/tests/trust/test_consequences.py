"""What followed by itself is told as that, after the act that it followed from; what a person did stays theirs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from collegium.trust.audit.consequences import causes
from collegium.trust.audit.queries import HistoryLine
from collegium.trust.audit.words import tell

ADA = UUID("0197a1c0-0000-7000-8000-000000000001")
BEGIN = datetime(2026, 11, 22, 9, 15, tzinfo=UTC)


def trail(*actions: str, gap_s: float = 0.01, reason: str = "", job: str = "") -> list[HistoryLine]:
    """Entries of one person, newest first."""
    lines = []
    for number, action in enumerate(actions):
        at = BEGIN + timedelta(seconds=number * gap_s)
        ordered = UUID(int=(int(at.timestamp() * 1000) << 80) + number)
        lines.append(
            HistoryLine(
                ordered,
                at,
                f"{job}person:{ADA}",
                "Reader",
                action,
                "x.thing",
                str(number),
                None,
                None,
                reason,
            )
        )
    return lines[::-1]


def told(lines: list[HistoryLine]) -> list[tuple[str, str, str]]:
    return [(one.who, one.what, one.after) for one in tell(lines, {ADA: "Ada Lovelace"})]


def test_a_task_that_a_signature_opened_was_opened_by_nobody() -> None:
    lines = trail(
        "research.read.submitted", "signatures.record.signed", "research.task.opened", "research.read.signed"
    )

    assert told(lines) == [
        ("Ada Lovelace", "signed the read", ""),
        ("", "the signature was recorded, a task opened", "Ada Lovelace signed the read"),
        ("Ada Lovelace", "submitted the read", ""),
    ]


def test_what_a_manager_did_with_a_reason_is_theirs_and_the_rest_followed() -> None:
    revoked, cancelled = trail("research.task.cancelled", "grants.grant.revoked")
    lines = [revoked, replace(cancelled, reason="Holiday.")]

    (first,) = tell(lines[1:], {ADA: "Ada Lovelace"}, nearby=lines)

    assert (first.who, first.what) == ("Ada Lovelace", "cancelled a task")
    assert set(causes(lines)) == {revoked.id}


def test_acts_that_are_far_apart_have_nothing_to_do_with_each_other() -> None:
    lines = trail("research.read.signed", "research.task.opened", gap_s=5)

    assert told(lines)[0] == ("Ada Lovelace", "opened a task for its reader", "")


def test_what_a_job_does_is_automatic_after_what_began_it() -> None:
    lines = trail("research.subject.listed", "research.task.created", job="job:research.place|")

    assert told(lines) == [
        ("", "a task was made", "a subject was listed"),
        ("", "a subject was listed", ""),
    ]


def test_one_thing_done_many_times_is_one_line_that_holds_them() -> None:
    lines = trail(*["forms.entry.flushed"] * 4, gap_s=60)

    (line,) = tell(lines, {ADA: "Ada Lovelace"})

    assert (line.what, len(line.folded)) == ("changed answers, 4 times", 4)


def test_codes_and_digests_are_for_machines() -> None:
    (line,) = trail("research.read.signed")
    new = {"digest": "6c5fb8b1" * 8, "signature": str(ADA), "version": 2}
    signed = HistoryLine(line.id, line.at, line.principal, "", line.action, "x", "1", None, new, "")

    (one,) = tell([signed], {ADA: "Ada Lovelace"})

    assert one.detail == "version: 2"
