"""Gateways and channels: for people who manage them, and for a gateway about itself."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import connection

from collegium.imaging.connections.errors import ChannelNotFound, GatewayUnknown
from collegium.imaging.connections.models import Channel, Gateway
from collegium.kit import ids
from collegium.kit.principals import Principal
from collegium_wire import ChannelSetup

if TYPE_CHECKING:
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


def channels(actor: Actor, gateway_id: UUID) -> list[Channel]:
    """Live channels of a gateway in the actor's space."""
    rows = Channel.objects.filter(space_id=actor.space, gateway_id=gateway_id, is_on=True)
    return list(rows.order_by("called_ae"))


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


def setups(actor: Actor) -> tuple[ChannelSetup, ...]:
    """The channels of the gateway that acts, as it is told them."""
    return tuple(
        ChannelSetup(
            channel_id=str(row.id),
            name=row.name,
            called_ae=row.called_ae,
            project_name=row.project_name,
            site_name=row.site_name,
            site_code=row.site_code,
            recipe_yaml=row.recipe_text,
            recipe_digest=row.recipe_digest,
            quiet_time_s=row.quiet_time_s,
        )
        for row in channels(actor, actor.principal.behalf.id)
    )
