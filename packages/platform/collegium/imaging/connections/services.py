"""Add gateways and channels, change what a channel is told, let a gateway in once, shut it out."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db import connection

from collegium.imaging.connections.errors import (
    ChannelInvalid,
    ChannelMoved,
    ChannelNotFound,
    ChannelTaken,
    CodeUnknown,
    CodeUsed,
    GatewayNameTaken,
    GatewayNotFound,
    ReasonMissing,
    RecipeInvalid,
    VersionInvalid,
)
from collegium.imaging.connections.models import (
    Channel,
    ChannelVersion,
    EnrolmentCode,
    Gateway,
    GatewayAlarm,
    ProjectRequirements,
)
from collegium.imaging.connections.pulse import end_alarms
from collegium.imaging.connections.queries import KnownGateway, digest_of, setup_of
from collegium.kit import clock, ids
from collegium.kit.principals import Principal
from collegium.trust.access.policies import Permission, require
from collegium.trust.audit.actions import Action
from collegium.trust.audit.services import record
from collegium.trust.tenancy import services as tenancy
from collegium_deid import DeidError, parse_recipe
from collegium_wire import (
    NEWEST,
    NO_ENTRY,
    PROTOCOL,
    AcquisitionRequirements,
    Allocation,
    HeartbeatAnswer,
    Unmet,
    WireError,
)

if TYPE_CHECKING:
    from uuid import UUID

    from collegium.kit.principals import Actor
    from collegium_wire import ChannelSetup

CODE_LIFETIME = timedelta(days=7)
GATEWAY_ROLE = "Gateway"
MOST_RECIPE_BYTES = 256 << 10


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """A one-time code. It is shown once: only its digest is kept."""

    code: str
    gateway_id: UUID
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a channel may take and how it may send; what each means stands at the wire's `ChannelSetup`."""

    allocation: Allocation = Allocation.AUTOMATIC
    storage_classes: tuple[str, ...] = ()
    send_window: str = ""
    max_mbps: int = 0
    compress: bool = False
    storage_commitment: bool = False
    retention_days: int = 0
    attempts_limit: int = 100
    when_unmet: Unmet = Unmet.TELL
    selected_only: bool = False


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
    limits: Limits | None = None,
) -> Channel:
    """Bind a called AE title of a gateway to a site and a recipe.

    Raises:
        GatewayNotFound: the space has no such gateway.
        ChannelTaken: the gateway has a channel of this AE title.
        RecipeInvalid, ChannelInvalid: it could not be followed.
    """
    require(actor, Permission.GATEWAY_MANAGE)
    gateway = _locked(actor, gateway_id)
    channel = Channel(
        id=ids.uuid7(),
        space_id=actor.space,
        gateway=gateway,
        name=name,
        called_ae=called_ae,
        project_name=project_name,
        site_code=site_code,
        site_name=site_name,
        quiet_time_s=quiet_time_s,
    )
    _set_recipe(channel, recipe_text)
    _set_limits(channel, limits or Limits())
    setup = _checked(channel)
    channel.save(force_insert=True)
    _keep_version(channel, setup)
    record(
        actor,
        Action.CHANNEL_ADDED,
        "connections.channel",
        channel.id,
        new={"gateway": str(gateway_id), "site": site_code, **_settings(channel)},
    )
    return channel


def change_channel(  # noqa: PLR0913 - everything of a channel that may change
    *,
    actor: Actor,
    channel_id: UUID,
    expected_version: int,
    name: str,
    called_ae: str,
    recipe_text: str,
    quiet_time_s: int,
    limits: Limits,
    refuses_earlier: bool,
    reason: str,
) -> Channel:
    """Tell a channel anew; the gateway hears it with its next heartbeat. The same again is no change.

    Site and project stay what they are: codes of subjects hang on them.

    Args:
        actor: who changes it.
        channel_id: which.
        expected_version: what the actor looked at.
        name: for people.
        called_ae: what the PACS sends to.
        recipe_text: the recipe from now on. A looser one waits at the site for its administrator.
        quiet_time_s: seconds without an image after which an exam is sent.
        limits: what it may take and how it may send.
        refuses_earlier: refuse what was cleaned with the recipes before, even if it is on its way.
        reason: why.

    Raises:
        ChannelNotFound, ChannelMoved, ChannelTaken, RecipeInvalid, ChannelInvalid, ReasonMissing: nothing was changed.
    """
    require(actor, Permission.GATEWAY_MANAGE)
    channel = _locked_channel(actor, channel_id)
    if channel.version != expected_version:
        raise ChannelMoved
    before, setup_before = _settings(channel), _checked(channel)
    channel.name, channel.called_ae, channel.quiet_time_s = name, called_ae, quiet_time_s
    if recipe_text != channel.recipe_text:
        _set_recipe(channel, recipe_text)
    _set_limits(channel, limits)
    setup, after = _checked(channel), _settings(channel)
    if setup == setup_before and not (refuses_earlier and channel.accepts_from < channel.version):
        return channel
    if not reason.strip():
        raise ReasonMissing
    _keep_version(channel, setup_before)
    channel.version += 1
    if refuses_earlier:
        channel.accepts_from = channel.version
    channel.save()
    _keep_version(channel, setup)
    changed = {key for key in after if before[key] != after[key]}
    record(
        actor,
        Action.CHANNEL_CHANGED,
        "connections.channel",
        channel.id,
        old={"version": channel.version - 1, **{key: before[key] for key in changed}},
        new={
            "version": channel.version,
            **{key: after[key] for key in changed},
            **({"refuses_earlier": True} if refuses_earlier else {}),
        },
        reason=reason,
    )
    return channel


def switch_channel(*, actor: Actor, channel_id: UUID, is_on: bool, reason: str) -> Channel:
    """Let a channel take exams again, or no more. Switched off, it is no channel of the gateway any more.

    Raises:
        ChannelNotFound, ReasonMissing: nothing was changed.
    """
    require(actor, Permission.GATEWAY_MANAGE)
    channel = _locked_channel(actor, channel_id)
    if channel.is_on == is_on:
        return channel
    if not reason.strip():
        raise ReasonMissing
    channel.is_on = is_on
    channel.save(update_fields=["is_on"])
    action = Action.CHANNEL_SWITCHED_ON if is_on else Action.CHANNEL_SWITCHED_OFF
    record(actor, action, "connections.channel", channel.id, reason=reason)
    return channel


def ask_of_exams(*, actor: Actor, asked: AcquisitionRequirements, reason: str) -> None:
    """Tell all channels of the project what it asks of an exam's acquisition; the same again is no change.

    Who may publish the project's file may do so; whoever calls this has asked.
    """
    row, _ = ProjectRequirements.objects.select_for_update().get_or_create(
        space_id=actor.space, defaults={"text": AcquisitionRequirements().to_json().decode()}
    )
    before = AcquisitionRequirements.from_json(row.text.encode())
    if before == asked:
        return
    row.text = asked.to_json().decode()
    row.save(update_fields=["text"])
    for channel in Channel.objects.select_for_update().filter(space_id=actor.space).order_by("id"):
        _keep_version(channel, setup_of(channel, before))
        channel.version += 1
        channel.save(update_fields=["version"])
        _keep_version(channel, setup_of(channel, asked))
        record(
            actor,
            Action.CHANNEL_CHANGED,
            "connections.channel",
            channel.id,
            old={"version": channel.version - 1, "acquisition": len(before.items)},
            new={"version": channel.version, "acquisition": len(asked.items)},
            reason=reason,
        )


def pin_gateway(*, actor: Actor, gateway_id: UUID, version: str, reason: str) -> Gateway:
    """Say which version a gateway shall not be updated beyond; it hears it with its next heartbeat.

    Args:
        actor: who says so.
        gateway_id: which.
        version: such as `1.2.3`; empty: the newest may be installed.
        reason: why.

    Raises:
        GatewayNotFound, VersionInvalid, ReasonMissing: nothing was changed.
    """
    require(actor, Permission.GATEWAY_MANAGE)
    gateway = _locked(actor, gateway_id)
    try:
        HeartbeatAnswer(protocol=NEWEST, channels=(), pinned_software=version)
    except WireError:
        raise VersionInvalid from None
    before = gateway.pinned_software
    if before == version:
        return gateway
    if not reason.strip():
        raise ReasonMissing
    gateway.pinned_software = version
    gateway.save(update_fields=["pinned_software"])
    record(
        actor,
        Action.GATEWAY_PINNED,
        "connections.gateway",
        gateway.id,
        old={"version": before},
        new={"version": version},
        reason=reason,
    )
    return gateway


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


def redeem_code(*, code: str, software: str, token: str = "") -> tuple[KnownGateway, str]:
    """Trade a code for a lasting token; nobody acts yet, the code is the right to do so.

    With a token that the gateway made itself, the same code and the same token again are the same trade, as
    long as the code lives: its answer may have been lost. Another token is refused.

    Returns:
        The gateway, and its token, which is kept as a digest only.

    Raises:
        CodeUsed, CodeUnknown: nothing was changed.
    """
    token = token or secrets.token_urlsafe(32)
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


def record_enrolment(*, actor: Actor, code: str, software: str) -> None:
    """The gateway's own first entry in the trail. It tells its own trail from the beginning again.

    Once for each code: whoever asks for the same enrolment again neither begins a trail anew, nor takes back
    that it was broken.
    """
    codes = EnrolmentCode.objects.filter(
        space_id=actor.space, gateway_id=actor.principal.behalf.id, digest=digest_of(code), recorded_at=None
    )
    if not codes.update(recorded_at=clock.now()):
        return
    rows = Gateway.objects.select_for_update().filter(space_id=actor.space, id=actor.principal.behalf.id)
    gateway = rows.first()
    if gateway is None:
        raise GatewayNotFound
    if gateway.trail_seq or gateway.trail_broken_at:
        gateway.trail_part += 1
        gateway.trail_seq, gateway.trail_hash, gateway.trail_broken_at = 0, NO_ENTRY, None
        gateway.save()
    record(
        actor,
        Action.GATEWAY_ENROLLED,
        "connections.gateway",
        gateway.id,
        new={"software": software[:100]},
    )


def revoke_gateway(*, actor: Actor, gateway_id: UUID, reason: str) -> None:
    """Shut a gateway out; its token stops within seconds, its history stays.

    Raises:
        GatewayNotFound, ReasonMissing: nothing was changed.
    """
    require(actor, Permission.GATEWAY_MANAGE)
    gateway = _locked(actor, gateway_id)
    if not reason.strip():
        raise ReasonMissing
    end_alarms(actor, GatewayAlarm.objects.filter(space_id=actor.space, gateway=gateway, ended_at=None))
    gateway.revoked_at = clock.now()
    gateway.save(update_fields=["revoked_at"])
    record(actor, Action.GATEWAY_REVOKED, "connections.gateway", gateway.id, reason=reason)


def note_test(*, actor: Actor, channel_id: UUID, at: datetime, seconds: float) -> None:
    """The gateway that acts has sent its invented picture the whole way; nothing else is kept of it."""
    require(actor, Permission.EXAM_UPLOAD)
    rows = Channel.objects.filter(space_id=actor.space, id=channel_id, gateway_id=actor.principal.behalf.id)
    rows.update(tested_at=at, tested_s=seconds)


def _locked(actor: Actor, gateway_id: UUID) -> Gateway:
    found = (
        Gateway.objects.select_for_update()
        .filter(space_id=actor.space, id=gateway_id, revoked_at=None)
        .first()
    )
    if found is None:
        raise GatewayNotFound
    return found


def _locked_channel(actor: Actor, channel_id: UUID) -> Channel:
    rows = Channel.objects.select_for_update(of=("self",)).select_related("gateway")
    found = rows.filter(space_id=actor.space, id=channel_id, gateway__revoked_at=None).first()
    if found is None:
        raise ChannelNotFound
    return found


def _set_recipe(channel: Channel, text: str) -> None:
    if len(text.encode()) > MOST_RECIPE_BYTES:
        raise RecipeInvalid(f"It is longer than {MOST_RECIPE_BYTES >> 10} kB.")
    try:
        parse_recipe(text, "recipe")
    except DeidError as error:
        raise RecipeInvalid(str(error)) from None
    channel.recipe_text, channel.recipe_digest = text, hashlib.sha256(text.encode()).hexdigest()


def _set_limits(channel: Channel, limits: Limits) -> None:
    for name, value in asdict(limits).items():
        setattr(channel, name, list(value) if isinstance(value, tuple) else value)


def _checked(channel: Channel) -> ChannelSetup:
    """The channel as it would be told, if the protocol can say it and its AE title is free."""
    others = Channel.objects.filter(
        space_id=channel.space_id, gateway_id=channel.gateway_id, called_ae=channel.called_ae
    )
    if others.exclude(id=channel.id).exists():
        raise ChannelTaken
    try:
        return setup_of(channel)
    except WireError as error:
        raise ChannelInvalid(error.message) from None


def _settings(channel: Channel) -> dict[str, object]:
    """What the trail says of a channel: everything that may change, the recipe by its digest."""
    return {
        "ae": channel.called_ae,
        "name": channel.name,
        "quiet_time_s": channel.quiet_time_s,
        "recipe": channel.recipe_digest,
        "allocation": str(channel.allocation),
        "storage_classes": list(channel.storage_classes),
        "send_window": channel.send_window,
        "max_mbps": channel.max_mbps,
        "compress": channel.compress,
        "storage_commitment": channel.storage_commitment,
        "retention_days": channel.retention_days,
        "attempts_limit": channel.attempts_limit,
        "when_unmet": str(channel.when_unmet),
        "selected_only": channel.selected_only,
    }


def _keep_version(channel: Channel, setup: ChannelSetup) -> None:
    """Keep what the channel is told as its present version, unless it is kept already."""
    ChannelVersion.objects.get_or_create(
        space_id=channel.space_id,
        channel=channel,
        version=channel.version,
        defaults={
            "setup_text": setup.to_json().decode(),
            "setup_digest": setup.digest(),
            "first_digest": setup.as_of(PROTOCOL).digest(),
            "recipe_digest": setup.recipe_digest,
        },
    )
