"""What a gateway tells of itself with each heartbeat: state, alarms, the trail. Facts it reports, judged nowhere else.

Everything here runs as the gateway and touches the rows of that gateway alone. What it says of channels that are not
its own is dropped, and so is an alarm under the server's own names.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from django.db import connection

from collegium.imaging.connections.errors import GatewayNotFound
from collegium.imaging.connections.events import GatewayAlarmEnded, GatewayAlarmRaised
from collegium.imaging.connections.models import Channel, Gateway, GatewayAlarm, GatewayTrailEntry
from collegium.imaging.connections.words import SHARED, SILENT, TRAIL_BROKEN, WORDS
from collegium.kit import clock, ids, live
from collegium.kit.events import announce
from collegium.trust.audit.actions import Action
from collegium.trust.audit.services import record
from collegium_wire import Alarm

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime
    from uuid import UUID

    from collegium.kit.principals import Actor
    from collegium_wire import Heartbeat, TrailEntry

SILENT_AFTER: Final = timedelta(minutes=1)
"""A gateway that has not been heard for this long, three of its heartbeats, is silent."""
OWN_NAMES: Final = "server."
SHARED_FOR: Final = timedelta(minutes=5)
"""So long after two starts last took turns, they still count as two gateways."""
_TOLD_AGAIN_AFTER: Final = timedelta(minutes=15)
_MOST_CODES: Final = 200
_MOST_RUNS: Final = 8
_MOST: Final = 1 << 62


@dataclass(frozen=True, slots=True)
class Kept:
    """What the gateway is told of itself."""

    trail_seq: int
    """The highest entry of its trail that is kept."""
    is_shared: bool
    """Another gateway uses its enrolment."""
    pinned_software: str
    """The version it shall not be updated beyond; empty: none."""


def take_pulse(*, actor: Actor, beat: Heartbeat) -> Kept:
    """Keep what the acting gateway tells of itself.

    Raises:
        GatewayNotFound: the actor is no live gateway of its space.
    """
    gateway = _own(actor)
    gateway.software, gateway.protocol = beat.software[:100], beat.protocol
    gateway.last_seen_at = clock.now()
    gateway.last_success_at = beat.last_success_at
    gateway.queue_objects = min(beat.queue_objects, _MOST)
    gateway.queue_bytes = min(beat.queue_bytes, _MOST)
    gateway.failures = min(beat.failures, _MOST)
    gateway.rate_in_mbps, gateway.rate_out_mbps = beat.rate_in_mbps, beat.rate_out_mbps
    gateway.disk_free_bytes = min(beat.disk_free_bytes, _MOST)
    _keep_trail(actor, gateway, beat.trail)
    _note_run(gateway, beat.run)
    gateway.save()
    own = {str(row.id): row for row in Channel.objects.filter(space_id=actor.space, gateway=gateway)}
    _keep_channels(own, beat)
    told = [alarm for alarm in beat.alarms if not alarm.code.startswith(OWN_NAMES)]
    if gateway.trail_broken_at:
        told.append(own_alarm(TRAIL_BROKEN, gateway.trail_broken_at))
    is_shared = _is_shared(gateway)
    if is_shared and gateway.shared_since:
        told.append(own_alarm(SHARED, gateway.shared_since))
    _keep_alarms(actor, gateway, own, told)
    live.changed(space=actor.space, thing="gateways")
    return Kept(gateway.trail_seq, is_shared and bool(beat.run), gateway.pinned_software)


def silent_gateways() -> list[tuple[UUID, UUID]]:
    """Gateways that were heard once and are silent now, with their spaces; asked by the installation."""
    with connection.cursor() as cursor:
        cursor.execute("select gateway, space from imaging_silent_gateways(%s)", [clock.now() - SILENT_AFTER])
        return [(row[0], row[1]) for row in cursor.fetchall()]


def note_silence(*, actor: Actor) -> bool:
    """Raise the alarm that the acting gateway is silent; the next heartbeat ends it. False if it was heard by now."""
    gateway = _own(actor)
    if gateway.last_seen_at is None or gateway.last_seen_at > clock.now() - SILENT_AFTER:
        return False
    _raise(actor, gateway, None, own_alarm(SILENT, gateway.last_seen_at))
    live.changed(space=actor.space, thing="gateways")
    return True


def end_alarms(actor: Actor, alarms: Iterable[GatewayAlarm]) -> None:
    """These are told no more."""
    for alarm in alarms:
        was_announced, alarm.is_announced, alarm.ended_at = alarm.is_announced, False, clock.now()
        alarm.save(update_fields=["is_announced", "ended_at"])
        if was_announced:
            announce(actor.principal, GatewayAlarmEnded(actor.space, alarm.id))


def own_alarm(code: str, since: datetime) -> Alarm:
    """An alarm of the server's own."""
    return Alarm(code=code, message=WORDS[code], since=since)


def _own(actor: Actor) -> Gateway:
    rows = Gateway.objects.select_for_update().filter(space_id=actor.space, revoked_at=None)
    who = actor.principal.behalf
    found = rows.filter(id=who.id).first() if who.kind == "gateway" else None
    if found is None:
        raise GatewayNotFound
    return found


def _note_run(gateway: Gateway, run: str) -> None:
    """A gateway that starts anew is another run, and none of before is heard again. If one is, there are several."""
    if not run or run in gateway.runs[:1]:
        return
    if run in gateway.runs:
        if not _is_shared(gateway):
            gateway.shared_since = clock.now()
        gateway.shared_at = clock.now()
    gateway.runs = [run, *(one for one in gateway.runs if one != run)][:_MOST_RUNS]


def _is_shared(gateway: Gateway) -> bool:
    return gateway.shared_at is not None and clock.now() - gateway.shared_at < SHARED_FOR


def _keep_channels(own: dict[str, Channel], beat: Heartbeat) -> None:
    for told in beat.channels:
        row = own.get(told.channel_id)
        if row is not None:
            row.queue_objects = min(told.queue_objects, _MOST)
            row.quarantined_objects = min(told.quarantined_objects, _MOST)
            row.told_failures = min(told.failures, _MOST)
            row.last_received_at, row.last_success_at = told.last_received_at, told.last_success_at
    for stand in beat.configuration:
        row = own.get(stand.channel_id)
        if row is not None:
            row.told_setup_digest = stand.setup_digest
            row.told_recipe, row.told_waiting = stand.recipe_in_force, stand.recipe_waiting
    Channel.objects.bulk_update(
        own.values(),
        ["queue_objects", "quarantined_objects", "told_failures", "last_received_at", "last_success_at",
         "told_setup_digest", "told_recipe", "told_waiting"],
    )  # fmt: skip


def _keep_alarms(actor: Actor, gateway: Gateway, own: dict[str, Channel], told: Sequence[Alarm]) -> None:
    """Raise what is told for the first time, end what is told no more."""
    kept = {_raise(actor, gateway, own.get(alarm.channel_id), alarm) for alarm in told}
    live_ones = GatewayAlarm.objects.filter(space_id=actor.space, gateway=gateway, ended_at=None)
    end_alarms(actor, live_ones.exclude(id__in=[one for one in kept if one]))


def _raise(actor: Actor, gateway: Gateway, channel: Channel | None, alarm: Alarm) -> UUID | None:
    """The id of the alarm, which is live now; None beyond all measure.

    One that comes and goes is announced once in a while, one that stays always.
    """
    now = clock.now()
    rows = GatewayAlarm.objects.filter(space_id=actor.space, gateway=gateway)
    row = rows.filter(channel=channel, code=alarm.code).first()
    if row is None:
        if rows.count() >= _MOST_CODES:
            return None
        row = GatewayAlarm(
            id=ids.uuid7(), space_id=actor.space, gateway=gateway, channel=channel, code=alarm.code
        )
    row.message, row.since, row.told_at, row.ended_at = alarm.message, alarm.since, now, None
    is_due = row.announced_at is None or now - row.announced_at > _TOLD_AGAIN_AFTER
    tells = is_due and not row.is_announced
    if tells:
        row.is_announced, row.announced_at = True, now
    row.save()
    if tells:
        announce(actor.principal, GatewayAlarmRaised(actor.space, row.id))
    return row.id


def _keep_trail(actor: Actor, gateway: Gateway, entries: Sequence[TrailEntry]) -> None:
    """Add what follows the entries that are kept. What does not follow them is not kept, and is told to people."""
    if not entries or gateway.trail_broken_at:
        return
    fresh = [entry for entry in entries if entry.seq > gateway.trail_seq]
    if not _is_as_kept(gateway, entries[: len(entries) - len(fresh)]) or not _follows(gateway, fresh):
        gateway.trail_broken_at = clock.now()
        new = {"after": gateway.trail_seq}
        record(actor, Action.GATEWAY_TRAIL_BROKEN, "connections.gateway", gateway.id, new=new)
        return
    GatewayTrailEntry.objects.bulk_create(
        GatewayTrailEntry(
            id=ids.uuid7(),
            space_id=actor.space,
            gateway=gateway,
            part=gateway.trail_part,
            seq=entry.seq,
            at=entry.at,
            action=entry.action,
            actor_role=entry.actor_role,
            channel_id=ids.parse(entry.channel_id),
            hash=entry.hash,
        )
        for entry in fresh
    )
    if fresh:
        gateway.trail_seq, gateway.trail_hash = fresh[-1].seq, fresh[-1].hash


def _follows(gateway: Gateway, fresh: Sequence[TrailEntry]) -> bool:
    if not fresh:
        return True
    return (fresh[0].seq, fresh[0].previous_hash) == (gateway.trail_seq + 1, gateway.trail_hash)


def _is_as_kept(gateway: Gateway, again: Sequence[TrailEntry]) -> bool:
    """Whether entries that were sent before are still the same."""
    rows = GatewayTrailEntry.objects.filter(
        space_id=gateway.space_id,
        gateway=gateway,
        part=gateway.trail_part,
        seq__in=[one.seq for one in again],
    )
    kept = dict(rows.values_list("seq", "hash"))
    return all(kept.get(one.seq) == one.hash for one in again)
