"""Tell a site's people, and who manages gateways, that something is wrong with one. Connected in `wiring`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse

from collegium.imaging.connections import queries as connections
from collegium.kit.database import acting_as
from collegium.kit.principals import Principal
from collegium.notifications.services import NotificationKind, tell, withdraw
from collegium.research.projects.people import queries as people
from collegium.trust.access.permissions import Permission
from collegium.trust.access.queries import actor_in
from collegium.trust.tenancy.queries import members_who_may

if TYPE_CHECKING:
    from collegium.imaging.connections.events import GatewayAlarmEnded, GatewayAlarmRaised
    from collegium.imaging.connections.models import GatewayAlarm
    from collegium.kit.principals import Actor


def on_gateway_alarm_raised(principal: Principal, event: GatewayAlarmRaised) -> None:
    """Tell everybody who can do something about it; nothing if it is over by now."""
    with acting_as(principal, [event.space_id]):
        actor = actor_in(principal, event.space_id)
        alarm = connections.alarm(actor, event.alarm_id)
        if alarm is not None:
            _tell(actor, alarm)


def on_gateway_alarm_ended(principal: Principal, event: GatewayAlarmEnded) -> None:
    """What was told waits no more."""
    with acting_as(principal, [event.space_id]):
        actor = actor_in(principal, event.space_id)
        withdraw(actor, about=event.alarm_id, kinds=[NotificationKind.GATEWAY_ALARM])


def _tell(actor: Actor, alarm: GatewayAlarm) -> None:
    managers = members_who_may(actor, Permission.GATEWAY_MANAGE)
    at_site = members_who_may(actor, Permission.SITE_VIEW) & _people_of(actor, alarm)
    addresses = {
        **dict.fromkeys(at_site, reverse("site", args=[actor.space])),
        **dict.fromkeys(managers, reverse("gateway", args=[actor.space, alarm.gateway_id])),
    }
    for person, address in sorted(addresses.items()):
        tell(
            actor,
            to=Principal.parse(person),
            kind=NotificationKind.GATEWAY_ALARM,
            address=address,
            about=alarm.id,
        )


def _people_of(actor: Actor, alarm: GatewayAlarm) -> set[str]:
    """Who belongs to a site that the alarm concerns: that of its channel, or of any channel of the gateway."""
    channels = [alarm.channel] if alarm.channel else connections.channels(actor, alarm.gateway_id)
    codes = {channel.site_code for channel in channels}
    return {row.principal for row in people.site_members(actor) if row.site.code in codes}
