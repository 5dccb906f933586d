"""A gateway's pulse: queue, rates, alarms, what is in force; the answer carries the channels as they are now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime  # noqa: TC003 - `Message` reads the hints at run time
from typing import Final

from collegium_wire import forms
from collegium_wire.channel import ChannelSetup  # noqa: TC001 - `Message` reads the hints at run time
from collegium_wire.errors import WireError
from collegium_wire.message import Message, added
from collegium_wire.versions import NEWEST

TRAIL_ENTRIES: Final = 500
"""At most this many entries of the trail in one heartbeat; the rest follows with the next ones."""
ALARMS: Final = 50
NO_ENTRY: Final = "0" * 64
"""What stands before the first entry of a trail."""


@dataclass(frozen=True, kw_only=True)
class ChannelBeat(Message):
    channel_id: str
    queue_objects: int
    quarantined_objects: int
    last_received_at: datetime | None
    last_success_at: datetime | None
    failures: int = 0
    """Failed attempts of deliveries that still wait."""

    def __post_init__(self) -> None:
        forms.require_count(self.queue_objects, "queue_objects")
        forms.require_count(self.quarantined_objects, "quarantined_objects")
        forms.require_count(self.failures, "failures")


@dataclass(frozen=True, kw_only=True)
class ChannelConfiguration(Message):
    """How far a channel's configuration has come at the site."""

    channel_id: str
    setup_digest: str
    """Digest of the `ChannelSetup` that was received last."""
    recipe_in_force: str
    """SHA-256 of the recipe that is applied now."""
    recipe_waiting: str = ""
    """SHA-256 of a looser recipe that waits for the site's administrator; empty: none waits."""

    def __post_init__(self) -> None:
        forms.require_text(self.channel_id, "channel_id")
        forms.require_sha256(self.setup_digest, "setup_digest")
        forms.require_sha256(self.recipe_in_force, "recipe_in_force")
        if self.recipe_waiting:
            forms.require_sha256(self.recipe_waiting, "recipe_waiting")


@dataclass(frozen=True, kw_only=True)
class Alarm(Message):
    """Something at the site that a person should look at; it is told until it is over."""

    code: str
    message: str
    """One or two sentences for a person, without any identifier."""
    since: datetime
    channel_id: str = ""
    """Empty: the gateway as a whole."""

    def __post_init__(self) -> None:
        forms.require_code(self.code, "code")
        forms.require_words(self.message, "message", 500)


@dataclass(frozen=True, kw_only=True)
class TrailEntry(Message):
    """What may leave of one entry of the gateway's own trail: that it was done, never to whom or why."""

    seq: int
    """From 1, without a gap."""
    at: datetime
    action: str
    actor_role: str
    """`administrator`, `operator`, or `gateway` for what it did by itself."""
    channel_id: str
    """Empty: no single channel."""
    previous_hash: str
    """The hash of entry `seq` - 1; `NO_ENTRY` before the first."""
    hash: str

    def __post_init__(self) -> None:
        forms.require_count(self.seq - 1, "seq less one")
        forms.require_code(self.action, "action")
        forms.require_code(self.actor_role, "actor_role")
        forms.require_sha256(self.previous_hash, "previous_hash")
        forms.require_sha256(self.hash, "hash")


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
    rate_in_mbps: float = 0.0
    """Megabits a second from modalities and PACS, over the last minute."""
    rate_out_mbps: float = 0.0
    disk_free_bytes: int = 0
    alarms: tuple[Alarm, ...] = ()
    configuration: tuple[ChannelConfiguration, ...] = ()
    trail: tuple[TrailEntry, ...] = ()
    """Entries after the highest that the server said it keeps, in their order."""
    run: str = added(since=NEWEST, default="")
    """Drawn anew at each start of the gateway: two that take turns are two gateways with one enrolment."""

    def __post_init__(self) -> None:
        if self.run:
            forms.require_token(self.run, "run")
        forms.require_count(self.queue_objects, "queue_objects")
        forms.require_count(self.queue_bytes, "queue_bytes")
        forms.require_count(self.failures, "failures")
        forms.require_count(self.rate_in_mbps, "rate_in_mbps")
        forms.require_count(self.rate_out_mbps, "rate_out_mbps")
        forms.require_count(self.disk_free_bytes, "disk_free_bytes")
        forms.require_count(ALARMS - len(self.alarms), f"{ALARMS} less the number of alarms")
        forms.require_count(TRAIL_ENTRIES - len(self.trail), f"{TRAIL_ENTRIES} less the number of entries")
        for earlier, later in zip(self.trail, self.trail[1:], strict=False):
            if later.seq != earlier.seq + 1 or later.previous_hash != earlier.hash:
                raise WireError("wire.trail.broken", "The entries of the trail do not follow one another.")


@dataclass(frozen=True, kw_only=True)
class HeartbeatAnswer(Message):
    protocol: int
    channels: tuple[ChannelSetup, ...]
    trail_seq: int = 0
    """The highest entry of the trail that the server keeps; 0: none."""
    pinned_software: str = added(since=NEWEST, default="")
    """The version that the gateway shall not be updated beyond, such as `1.2.3`; empty: none."""
    is_shared: bool = added(since=NEWEST, default=False)
    """Another gateway uses the same enrolment: nothing is sent and no subject is new until only one is left."""

    def __post_init__(self) -> None:
        forms.require_count(self.trail_seq, "trail_seq")
        if self.pinned_software:
            forms.require_version(self.pinned_software, "pinned_software")
