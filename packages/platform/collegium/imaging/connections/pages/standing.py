"""How gateways, channels and alarms stand, in words and rows that templates show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from collegium.imaging.connections.pulse import SILENT_AFTER
from collegium.imaging.connections.words import said
from collegium.kit import clock

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from collegium.imaging.connections.models import Channel, ChannelVersion, Gateway, GatewayAlarm


@dataclass(frozen=True, slots=True)
class State:
    """One word with its icon and colour."""

    kind: str
    icon: str
    word: str


@dataclass(frozen=True, slots=True)
class AlarmLine:
    """An alarm as a person reads it."""

    alarm: GatewayAlarm
    words: str


@dataclass(frozen=True, slots=True)
class ChannelLine:
    """A channel and how far its configuration has come at the site."""

    channel: Channel
    state: State
    version_there: int | None
    """The version the gateway received last; None: it has said nothing, or something else."""


def state_of(gateway: Gateway, alarms: Sequence[object]) -> State:
    if gateway.revoked_at:
        return State("stopped", "ban", _("Shut out"))
    if not gateway.enrolled_at:
        return State("waiting", "clock", _("Waits for its code"))
    if gateway.last_seen_at is None or gateway.last_seen_at < clock.now() - SILENT_AFTER:
        return State("stopped", "plug-connected-x", _("Silent"))
    if alarms:
        return State("attention", "alert-triangle", _("Needs a look"))
    return State("done", "circle-check", _("Connected"))


def alarm_lines(alarms: Iterable[GatewayAlarm]) -> list[AlarmLine]:
    """The server's own alarms in the person's language, a gateway's in its own words."""
    return [AlarmLine(one, said(one)) for one in alarms]


def channel_line(channel: Channel, versions: Iterable[ChannelVersion]) -> ChannelLine:
    told = channel.told_setup_digest
    there = next(
        (one.version for one in versions if told and told in (one.setup_digest, one.first_digest)), None
    )
    return ChannelLine(channel, _channel_state(channel, there), there)


def _channel_state(channel: Channel, there: int | None) -> State:
    if not channel.is_on:
        return State("stopped", "ban", _("Switched off"))
    if not channel.told_setup_digest:
        return State("waiting", "clock", _("Not taken over yet"))
    if channel.told_waiting:
        return State("attention", "hourglass", _("Waits for the site"))
    if there != channel.version:
        return State("waiting", "clock", _("On its way"))
    if channel.told_recipe != channel.recipe_digest:
        return State("attention", "alert-triangle", _("Another recipe is applied"))
    return State("done", "circle-check", _("In force"))
