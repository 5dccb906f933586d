"""One look at the whole gateway, for the page, its JSON and the `status` command."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from collegium_connect.journal import channels, overview
from collegium_connect.journal.database import Journal
from collegium_connect.journal.overview import ChannelCounts, ExamLine, QuarantineLine, Totals
from collegium_wire import Alarm, ChannelSetup


@dataclass(frozen=True)
class ChannelLine:
    setup: ChannelSetup
    is_active: bool
    counts: ChannelCounts
    problem: str
    rate_in_mbps: float = 0.0


@dataclass(frozen=True)
class GatewayStatus:
    """Everything that is shown; subject codes, counts and states, never an identifier."""

    name: str
    software: str
    at: datetime
    is_enrolled: bool
    server_url: str
    problem: str
    """Why the server was not reached last time; empty while all is well."""
    problem_since: datetime | None
    totals: Totals
    channels: tuple[ChannelLine, ...]
    exams: tuple[ExamLine, ...]
    quarantine: tuple[QuarantineLine, ...]
    alarms: tuple[Alarm, ...] = ()
    rate_in_mbps: float = 0.0
    rate_out_mbps: float = 0.0

    @property
    def set_aside_objects(self) -> int:
        return sum(line.objects for line in self.quarantine)


def gateway_status(  # noqa: PLR0913 - one argument a fact that is not in the journal
    journal: Journal,
    *,
    name: str,
    software: str,
    at: datetime,
    problem: str = "",
    problem_since: datetime | None = None,
    idle: dict[str, str] | None = None,
    alarms: tuple[Alarm, ...] = (),
    rates_mbps: tuple[float, float] = (0.0, 0.0),
    received_mbps: Mapping[str, float] = MappingProxyType({}),
) -> GatewayStatus:
    """Read one snapshot of the journal; `idle` maps a channel's id to why it is not served."""
    with journal.look() as db:
        enrolled = channels.enrolment(db)
        lines = tuple(
            ChannelLine(
                item.setup,
                item.is_active,
                overview.channel_counts(db, item.setup.channel_id),
                (idle or {}).get(item.setup.channel_id, ""),
                received_mbps.get(item.setup.channel_id, 0.0),
            )
            for item in channels.channels(db)
        )
        return GatewayStatus(
            name=name,
            software=software,
            at=at,
            is_enrolled=enrolled is not None,
            server_url=enrolled.server_url if enrolled else "",
            problem=problem,
            problem_since=problem_since,
            totals=overview.totals(db),
            channels=lines,
            exams=tuple(overview.exams(db, at)),
            quarantine=tuple(overview.quarantine(db)),
            alarms=alarms,
            rate_in_mbps=rates_mbps[0],
            rate_out_mbps=rates_mbps[1],
        )


def as_json(status: GatewayStatus) -> dict[str, object]:
    """The same for programs: monitoring, scripts."""
    totals = status.totals
    return {
        "name": status.name,
        "software": status.software,
        "enrolled": status.is_enrolled,
        "server": status.server_url,
        "problem": status.problem,
        "problem_since": _text(status.problem_since),
        "queue_objects": totals.queue_objects,
        "queue_bytes": totals.queue_bytes,
        "failures": totals.failures,
        "last_success_at": _text(totals.last_success_at),
        "quarantined_objects": status.set_aside_objects,
        "rate_in_mbps": round(status.rate_in_mbps, 1),
        "rate_out_mbps": round(status.rate_out_mbps, 1),
        "alarms": [
            {"code": alarm.code, "message": alarm.message, "since": _text(alarm.since)}
            for alarm in status.alarms
        ],
        "channels": [_channel_json(line) for line in status.channels],
        "exams": [_exam_json(line) for line in status.exams],
        "quarantine": [
            {"code": line.reason_code, "reason": line.reason, "objects": line.objects}
            for line in status.quarantine
        ],
    }


def _channel_json(line: ChannelLine) -> dict[str, object]:
    return {
        "name": line.setup.name,
        "called_ae": line.setup.called_ae,
        "project": line.setup.project_name,
        "site": line.setup.site_name,
        "active": line.is_active and not line.problem,
        "problem": line.problem,
        "rate_in_mbps": round(line.rate_in_mbps, 1),
        "queue_objects": line.counts.queue_objects,
        "quarantined_objects": line.counts.set_aside_objects,
        "last_received_at": _text(line.counts.last_received_at),
        "last_success_at": _text(line.counts.last_success_at),
    }


def _exam_json(line: ExamLine) -> dict[str, object]:
    return {
        "subject": line.subject_code,
        "channel": line.channel_name,
        "objects": line.objects,
        "delivered": line.delivered,
        "state": line.state,
        "reason": line.reason,
        "unmet": list(line.unmet),
        "next_attempt_at": _text(line.next_attempt_at),
    }


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds")
