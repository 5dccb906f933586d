"""What Prometheus reads at /metrics: counts, sizes and times; channels by their called AE title.

Made from one snapshot of the journal at each look, so nothing is counted twice and a restart resets
nothing. No label holds an identifier.
"""

import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from collegium_connect import machine
from collegium_connect.journal.database import Journal
from collegium_connect.local_ui.status import ChannelLine, GatewayStatus

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Room:
    """The disk, as the gateway counts it."""

    used_bytes: int
    limit_bytes: int
    free_bytes: int


@dataclass(frozen=True)
class _Family:
    name: str
    words: str
    samples: tuple[tuple[Labels, float], ...]

    def text(self) -> str:
        lines = [f"# HELP {self.name} {self.words}", f"# TYPE {self.name} gauge"]
        lines += [f"{self.name}{_labels(labels)} {value:.17g}" for labels, value in self.samples]
        return "\n".join(lines) + "\n"


def metrics(status: GatewayStatus, journal: Journal, room: Room) -> str:
    """The whole page."""
    with journal.look() as db:
        states = _states(db)
    return "".join(family.text() for family in _families(status, states, room) if family.samples)


def _families(status: GatewayStatus, states: list[tuple[str, str, int]], room: Room) -> Iterator[_Family]:
    titles = {line.setup.channel_id: line.setup.called_ae for line in status.channels}
    yield _one("info", "What runs here.", 1, (("software", status.software),))
    yield _one("server_reached", "1 if the last heartbeat reached the server.", int(not status.problem))
    yield _Family(
        "collegium_connect_objects", "Objects by channel and state.",
        tuple(((("channel", titles.get(channel, "")), ("state", state)), count) for channel, state, count in states),
    )  # fmt: skip
    yield _one("queue_objects", "Objects on their way.", status.totals.queue_objects)
    yield _one("queue_bytes", "Bytes on their way.", status.totals.queue_bytes)
    yield _one("failed_attempts", "Failed attempts of deliveries that still wait.", status.totals.failures)
    yield _per_channel(
        "channel_open", "1 if a PACS can send to it.", status, lambda line: int(_is_open(line))
    )
    yield _per_channel(
        "channel_rate_in_mbps", "Megabits a second that came over the last minute.", status,
        lambda line: line.rate_in_mbps,
    )  # fmt: skip
    yield _per_channel(
        "channel_last_received_timestamp_seconds", "When an object last came.", status,
        lambda line: _seconds(line.counts.last_received_at),
    )  # fmt: skip
    yield _per_channel(
        "channel_last_success_timestamp_seconds", "When a receipt last came.", status,
        lambda line: _seconds(line.counts.last_success_at),
    )  # fmt: skip
    yield _one("spool_bytes", "Bytes that the spool holds, quarantine included.", room.used_bytes)
    yield _one("spool_limit_bytes", "Bytes that it may hold.", room.limit_bytes)
    yield _one("disk_free_bytes", "Bytes free on its disk.", room.free_bytes)
    yield _one("resident_bytes", "Main memory of the gateway's own process.", machine.HERE.resident_bytes())


def _one(name: str, words: str, value: float, labels: Labels = ()) -> _Family:
    return _Family(f"collegium_connect_{name}", words, ((labels, value),))


def _per_channel(
    name: str, words: str, status: GatewayStatus, value_of: Callable[[ChannelLine], float | None]
) -> _Family:
    values = ((line.setup.called_ae, value_of(line)) for line in status.channels)
    samples = tuple(((("channel", title),), value) for title, value in values if value is not None)
    return _Family(f"collegium_connect_{name}", words, samples)


def _states(db: sqlite3.Connection) -> list[tuple[str, str, int]]:
    rows = db.execute(
        "SELECT channel_id, state, count(*) AS n FROM objects GROUP BY channel_id, state ORDER BY channel_id, state"
    )
    return [(row["channel_id"], row["state"], row["n"]) for row in rows]


def _is_open(line: ChannelLine) -> bool:
    return line.is_active and not line.problem


def _seconds(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()


def _labels(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
