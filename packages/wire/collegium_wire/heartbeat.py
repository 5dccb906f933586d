"""A gateway's pulse: queue, failures, last success; the answer carries the channels as they are now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - `Message` reads the hints at run time

from collegium_wire import forms
from collegium_wire.channel import ChannelSetup  # noqa: TC001 - `Message` reads the hints at run time
from collegium_wire.message import Message


@dataclass(frozen=True, kw_only=True)
class ChannelBeat(Message):
    channel_id: str
    queue_objects: int
    quarantined_objects: int
    last_received_at: datetime | None
    last_success_at: datetime | None

    def __post_init__(self) -> None:
        forms.require_count(self.queue_objects, "queue_objects")
        forms.require_count(self.quarantined_objects, "quarantined_objects")


@dataclass(frozen=True, kw_only=True)
class Heartbeat(Message):
    protocol: int
    software: str
    queue_objects: int
    queue_bytes: int
    failures: int
    """Failed attempts since the last success."""
    last_success_at: datetime | None
    channels: tuple[ChannelBeat, ...]

    def __post_init__(self) -> None:
        forms.require_count(self.queue_objects, "queue_objects")
        forms.require_count(self.queue_bytes, "queue_bytes")
        forms.require_count(self.failures, "failures")


@dataclass(frozen=True, kw_only=True)
class HeartbeatAnswer(Message):
    protocol: int
    channels: tuple[ChannelSetup, ...]
