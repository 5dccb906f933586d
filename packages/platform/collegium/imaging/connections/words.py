"""Alarms in words: a gateway says its own, the server says these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, gettext_noop

if TYPE_CHECKING:
    from collegium.imaging.connections.models import GatewayAlarm

SILENT: Final = "server.gateway.silent"
TRAIL_BROKEN: Final = "server.gateway.trail_broken"
SHARED: Final = "server.gateway.shared"
WORDS: Final = {
    SILENT: gettext_noop("Nothing has been heard of this gateway. Exams may be waiting at the site."),
    TRAIL_BROKEN: gettext_noop(
        "The gateway's trail does not follow the one that is kept here. It was changed, restored from a backup, or "
        "two gateways use one enrolment. Ask the site, then enrol the gateway anew."
    ),
    SHARED: gettext_noop(
        "Two gateways use this enrolment at the same time, most likely a copy of the machine. Both hold what they "
        "have. Ask the site to switch one of them off; minutes later the other goes on by itself."
    ),
}
"""What the server itself says, by code. Kept in English, shown in the person's language."""

DONE: Final = {
    "channels.configuration.received": gettext_lazy("a configuration was received"),
    "channels.configuration.confirmed": gettext_lazy("a looser configuration was confirmed"),
    "channels.channel.withdrawn": gettext_lazy("a channel was withdrawn"),
    "links.list.imported": gettext_lazy("an allocation list was imported"),
    "links.list.exported": gettext_lazy("the link table was exported"),
    "people.person.added": gettext_lazy("a person was added"),
    "people.person.closed": gettext_lazy("a person's access was closed"),
    "people.person.locked": gettext_lazy("a person was locked out"),
    "people.person.unlocked": gettext_lazy("a person was let in again"),
    "people.person.signed_in": gettext_lazy("a person signed in"),
    "people.password.changed": gettext_lazy("a password was changed"),
    "people.sign_in.failed": gettext_lazy("a sign-in failed"),
    "quarantine.object.seen": gettext_lazy("an object in quarantine was looked at"),
    "quarantine.object.released": gettext_lazy("an object was released from quarantine"),
    "quarantine.object.deleted": gettext_lazy("an object in quarantine was deleted"),
    "quarantine.release.taken_back": gettext_lazy("a release was taken back"),
    "quarantine.exam.confirmed": gettext_lazy("an exam of two patients was confirmed as one"),
    "quarantine.exam.let_go": gettext_lazy("an exam that lacks something was let go"),
    "quarantine.exam.split": gettext_lazy("an exam of two patients was split"),
    "send.exam.retried": gettext_lazy("a delivery was tried again"),
    "updates.pin.received": gettext_lazy("a pinned version was received"),
}
"""What gateways do, by the code of their trail's entry; a code that only a later gateway knows is shown itself."""


def done(action: str) -> str:
    """An entry of a gateway's trail as a person reads it."""
    return str(DONE.get(action, action))


def said(alarm: GatewayAlarm) -> str:
    """An alarm as a person reads it."""
    return _(WORDS[alarm.code]) if alarm.code in WORDS else alarm.message
