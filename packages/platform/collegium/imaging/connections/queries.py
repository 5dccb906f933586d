"""Gateways and channels: for people who manage them, and for a gateway about itself."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import connection
from django.db.models import F, Q

from collegium.imaging.connections.errors import ChannelNotFound, GatewayNotFound, GatewayUnknown
from collegium.imaging.connections.models import (
    Channel,
    ChannelVersion,
    Gateway,
    GatewayAlarm,
    GatewayTrailEntry,
    ProjectRequirements,
)
from collegium.kit import ids
from collegium.kit.principals import Principal
from collegium_wire import NEWEST, AcquisitionRequirements, Allocation, ChannelSetup, Unmet

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from django.db.models import QuerySet

    from collegium.kit.principals import Actor


@dataclass(frozen=True, slots=True)
class KnownGateway:
    """Who stands behind a token, and the space it belongs to."""

    principal: Principal
    space_id: UUID


def digest_of(secret: str) -> bytes:
    """How codes and tokens are kept: both are 256 random bits, so a plain digest is enough."""
    return hashlib.sha256(secret.encode()).digest()


def gateway_of(token: str) -> KnownGateway:
    """The gateway behind a bearer token; asked before anyone is known.

    Raises:
        GatewayUnknown: no live gateway has this token.
    """
    with connection.cursor() as cursor:
        cursor.execute("select gateway, space from imaging_gateway_of(%s)", [digest_of(token)])
        row = cursor.fetchone()
    if row is None:
        raise GatewayUnknown
    return KnownGateway(Principal.gateway(row[0]), row[1])


def gateways(actor: Actor) -> QuerySet[Gateway]:
    """Gateways of the actor's space, by name."""
    return Gateway.objects.filter(space_id=actor.space).order_by("name")


def gateway(actor: Actor, gateway_id: UUID) -> Gateway:
    """One gateway of the actor's space. Raises GatewayNotFound."""
    found = gateways(actor).filter(id=gateway_id).first()
    if found is None:
        raise GatewayNotFound
    return found


def channels(actor: Actor, gateway_id: UUID) -> list[Channel]:
    """Live channels of a gateway in the actor's space."""
    return [row for row in all_channels(actor).filter(gateway_id=gateway_id) if row.is_on]


def all_channels(actor: Actor) -> QuerySet[Channel]:
    """Channels of the actor's space, those that are switched off too, by AE title."""
    return Channel.objects.filter(space_id=actor.space).order_by("called_ae", "id")


def versions(actor: Actor, channel_id: UUID) -> list[ChannelVersion]:
    """What a channel was told, newest first."""
    rows = ChannelVersion.objects.filter(space_id=actor.space, channel_id=channel_id)
    return list(rows.order_by("-version")[:200])


def versions_there(actor: Actor, channel_ids: Iterable[UUID]) -> list[ChannelVersion]:
    """Of each channel the versions that are what its gateway received last, the newest first; without the texts."""
    rows = ChannelVersion.objects.filter(space_id=actor.space, channel_id__in=list(channel_ids))
    same = rows.filter(
        Q(setup_digest=F("channel__told_setup_digest")) | Q(first_digest=F("channel__told_setup_digest"))
    ).exclude(channel__told_setup_digest="")
    return list(same.defer("setup_text").order_by("channel_id", "-version"))


def requirements(space_id: UUID) -> AcquisitionRequirements:
    """What the project of a space asks of the acquisition of exams; nothing until it is published."""
    found = ProjectRequirements.objects.filter(space_id=space_id).first()
    return AcquisitionRequirements.from_json(found.text.encode()) if found else AcquisitionRequirements()


def alarms(actor: Actor) -> QuerySet[GatewayAlarm]:
    """What is wrong now at the gateways of the actor's space, the oldest first."""
    rows = GatewayAlarm.objects.filter(space_id=actor.space, ended_at=None)
    return rows.select_related("gateway", "channel").order_by("since", "id")


def site_alarms(actor: Actor, site_codes: Iterable[str]) -> list[GatewayAlarm]:
    """What is wrong now with gateways that serve these sites: with the site's own channels, or the whole gateway."""
    codes = set(site_codes)
    served = {row.gateway_id for row in all_channels(actor) if row.is_on and row.site_code in codes}
    found = alarms(actor).filter(gateway_id__in=served)
    return [one for one in found if one.channel is None or one.channel.site_code in codes]


def alarm(actor: Actor, alarm_id: UUID) -> GatewayAlarm | None:
    """An alarm of the actor's space, if it is not over."""
    return alarms(actor).filter(id=alarm_id).first()


def past_alarms(actor: Actor, gateway_id: UUID, *, limit: int = 20) -> list[GatewayAlarm]:
    """Alarms of a gateway that are over, the last first."""
    rows = GatewayAlarm.objects.filter(space_id=actor.space, gateway_id=gateway_id, ended_at__isnull=False)
    return list(rows.select_related("channel").order_by("-ended_at", "-id")[:limit])


def trail(actor: Actor, gateway_id: UUID) -> QuerySet[GatewayTrailEntry]:
    """What a gateway told of its own trail, newest first."""
    rows = GatewayTrailEntry.objects.filter(space_id=actor.space, gateway_id=gateway_id)
    return rows.order_by("-id")


def channel(actor: Actor, channel_id: UUID) -> Channel:
    """One channel of the actor's space. Raises ChannelNotFound."""
    found = Channel.objects.filter(space_id=actor.space, id=channel_id).first()
    if found is None:
        raise ChannelNotFound
    return found


def own_channel(actor: Actor, channel_id: str) -> Channel:
    """A live channel of the gateway that acts.

    Raises:
        ChannelNotFound: not one of its own, or switched off.
    """
    known = ids.parse(channel_id)
    found = (
        known
        and Channel.objects.filter(
            space_id=actor.space, id=known, gateway_id=actor.principal.behalf.id, is_on=True
        ).first()
    )
    if not found:
        raise ChannelNotFound
    return found


def cleaning_recipe(channel: Channel, digest: str) -> str | None:
    """The text of the recipe with this digest, if what was cleaned with it may still come in by this channel.

    A gateway learns of a new recipe with a heartbeat, a looser one waits at the site, and what is cleaned is not
    cleaned again: so what a channel was told before holds until somebody says otherwise.
    """
    if digest == channel.recipe_digest:
        return channel.recipe_text
    rows = ChannelVersion.objects.filter(space_id=channel.space_id, channel=channel, recipe_digest=digest)
    found = rows.filter(version__gte=channel.accepts_from).order_by("-version").first()
    return ChannelSetup.from_json(found.setup_text.encode()).recipe_yaml if found else None


def setups(actor: Actor, protocol: int) -> tuple[ChannelSetup, ...]:
    """The channels of the gateway that acts, as it is told them.

    A channel that sends what is selected only is not for a gateway that would send everything.
    """
    asked = requirements(actor.space)
    return tuple(
        setup_of(row, asked).as_of(protocol)
        for row in channels(actor, actor.principal.behalf.id)
        if protocol >= NEWEST or not row.selected_only
    )


def setup_of(row: Channel, asked: AcquisitionRequirements | None = None) -> ChannelSetup:
    """A channel as its gateway is told it; `asked` are its project's requirements, should they be known already.

    Raises:
        WireError: the protocol cannot say it.
    """
    return ChannelSetup(
        channel_id=str(row.id),
        name=row.name,
        called_ae=row.called_ae,
        project_name=row.project_name,
        site_name=row.site_name,
        site_code=row.site_code,
        recipe_yaml=row.recipe_text,
        recipe_digest=row.recipe_digest,
        quiet_time_s=row.quiet_time_s,
        allocation=Allocation(row.allocation),
        storage_classes=tuple(row.storage_classes),
        send_window=row.send_window,
        max_mbps=row.max_mbps,
        compress=row.compress,
        storage_commitment=row.storage_commitment,
        retention_days=row.retention_days,
        attempts_limit=row.attempts_limit,
        requirements=requirements(row.space_id) if asked is None else asked,
        when_unmet=Unmet(row.when_unmet),
        selected_only=row.selected_only,
    )
