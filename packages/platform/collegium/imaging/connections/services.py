"""Add gateways and channels, let a gateway in once, take its pulse, shut it out."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import connection

from collegium.imaging.connections.errors import (
    ChannelTaken,
    CodeUnknown,
    CodeUsed,
    GatewayNameTaken,
    GatewayNotFound,
)
from collegium.imaging.connections.models import Channel, EnrolmentCode, Gateway
from collegium.imaging.connections.queries import KnownGateway, digest_of
from collegium.kit import clock, ids
from collegium.kit.principals import Principal
from collegium.trust.access.policies import Permission, require
from collegium.trust.audit.actions import Action
from collegium.trust.audit.services import record
from collegium.trust.tenancy import services as tenancy

if TYPE_CHECKING:
    from uuid import UUID

    from collegium.kit.principals import Actor
    from collegium_wire import Heartbeat

CODE_LIFETIME = timedelta(days=7)
GATEWAY_ROLE = "Gateway"


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """A one-time code. It is shown once: only its digest is kept."""

    code: str
    gateway_id: UUID
    expires_at: datetime


def add_gateway(*, actor: Actor, name: str) -> Gateway:
    """A gateway that may join the actor's space, once it has enrolled.

    Raises:
        GatewayNameTaken: the space has one of this name.
    """
    require(actor, Permission.GATEWAY_MANAGE)
    if Gateway.objects.filter(space_id=actor.space, name=name).exists():
        raise GatewayNameTaken
    gateway = Gateway.objects.create(id=ids.uuid7(), space_id=actor.space, name=name)
    tenancy.add_member(actor=actor, principal=Principal.gateway(gateway.id), role=GATEWAY_ROLE)
    record(actor, Action.GATEWAY_ADDED, "connections.gateway", gateway.id, new={"name": name})
    return gateway


def add_channel(  # noqa: PLR0913 - a channel binds this many things
    *,
    actor: Actor,
    gateway_id: UUID,
    name: str,
    called_ae: str,
    project_name: str,
    site_code: str,
    site_name: str,
    recipe_text: str,
    quiet_time_s: int = 60,
) -> Channel:
    """Bind a called AE title of a gateway to a site and a recipe.

    Raises:
        GatewayNotFound: the space has no such gateway.
        ChannelTaken: the gateway has a channel of this AE title.
    """
    require(actor, Permission.GATEWAY_MANAGE)
    gateway = _locked(actor, gateway_id)
    if Channel.objects.filter(space_id=actor.space, gateway=gateway, called_ae=called_ae).exists():
        raise ChannelTaken
    channel = Channel.objects.create(
        space_id=actor.space,
        gateway=gateway,
        name=name,
        called_ae=called_ae,
        project_name=project_name,
        site_code=site_code,
        site_name=site_name,
        recipe_text=recipe_text,
        recipe_digest=hashlib.sha256(recipe_text.encode()).hexdigest(),
        quiet_time_s=quiet_time_s,
    )
    record(
        actor,
        Action.CHANNEL_ADDED,
        "connections.channel",
        channel.id,
        new={
            "gateway": str(gateway_id),
            "ae": called_ae,
            "site": site_code,
            "recipe": channel.recipe_digest,
        },
    )
    return channel


def issue_code(*, actor: Actor, gateway_id: UUID, lifetime: timedelta = CODE_LIFETIME) -> IssuedCode:
    """A one-time code with which the gateway enrols."""
    require(actor, Permission.GATEWAY_MANAGE)
    gateway = _locked(actor, gateway_id)
    code = secrets.token_hex(32)  # hexadecimal: no command line takes it for an option
    expires_at = clock.now() + lifetime
    EnrolmentCode.objects.create(
        space_id=actor.space, gateway=gateway, digest=digest_of(code), expires_at=expires_at
    )
    record(
        actor,
        Action.GATEWAY_CODE_ISSUED,
        "connections.gateway",
        gateway.id,
        new={"expires_at": expires_at.isoformat()},
    )
    return IssuedCode(code, gateway.id, expires_at)


def redeem_code(*, code: str, software: str) -> tuple[KnownGateway, str]:
    """Trade a code for a lasting token; nobody acts yet, the code is the right to do so.

    Returns:
        The gateway, and its token, which is kept as a digest only.

    Raises:
        CodeUsed, CodeUnknown: nothing was changed.
    """
    token = secrets.token_urlsafe(32)
    with connection.cursor() as cursor:
        cursor.execute(
            "select outcome, gateway, space from imaging_redeem_code(%s, %s, %s)",
            [digest_of(code), digest_of(token), software[:100]],
        )
        outcome, gateway_id, space_id = cursor.fetchone() or ("unknown", None, None)
    if outcome == "used":
        raise CodeUsed
    if outcome != "enrolled" or gateway_id is None or space_id is None:
        raise CodeUnknown
    return KnownGateway(Principal.gateway(gateway_id), space_id), token


def record_enrolment(*, actor: Actor, software: str) -> None:
    """The gateway's own first entry in the trail."""
    record(
        actor,
        Action.GATEWAY_ENROLLED,
        "connections.gateway",
        actor.principal.behalf.id,
        new={"software": software[:100]},
    )


def take_pulse(*, actor: Actor, beat: Heartbeat) -> None:
    """Keep what the acting gateway tells of itself. Facts it reports, so no entry in the trail."""
    Gateway.objects.filter(space_id=actor.space, id=actor.principal.behalf.id).update(
        software=beat.software[:100],
        last_seen_at=clock.now(),
        last_success_at=beat.last_success_at,
        queue_objects=min(beat.queue_objects, 1 << 62),
        queue_bytes=min(beat.queue_bytes, 1 << 62),
        failures=min(beat.failures, 1 << 62),
    )


def revoke_gateway(*, actor: Actor, gateway_id: UUID, reason: str) -> None:
    """Shut a gateway out; its token stops within seconds, its history stays."""
    require(actor, Permission.GATEWAY_MANAGE)
    gateway = _locked(actor, gateway_id)
    gateway.revoked_at = clock.now()
    gateway.save(update_fields=["revoked_at"])
    record(actor, Action.GATEWAY_REVOKED, "connections.gateway", gateway.id, reason=reason)


def _locked(actor: Actor, gateway_id: UUID) -> Gateway:
    found = (
        Gateway.objects.select_for_update()
        .filter(space_id=actor.space, id=gateway_id, revoked_at=None)
        .first()
    )
    if found is None:
        raise GatewayNotFound
    return found
