"""Alarms in words: a gateway says its own, the server says these."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

if TYPE_CHECKING:
    from collegium.imaging.connections.models import GatewayAlarm

SILENT: Final = "server.gateway.silent"
TRAIL_BROKEN: Final = "server.gateway.trail_broken"
WORDS: Final = {
    SILENT: gettext_noop("Nothing has been heard of this gateway. Exams may be waiting at the site."),
    TRAIL_BROKEN: gettext_noop(
        "The gateway's trail does not follow the one that is kept here. It was changed, restored from a backup, or "
        "two gateways use one enrolment. Ask the site, then enrol the gateway anew."
    ),
}
"""What the server itself says, by code. Kept in English, shown in the person's language."""


def said(alarm: GatewayAlarm) -> str:
    """An alarm as a person reads it."""
    return _(WORDS[alarm.code]) if alarm.code in WORDS else alarm.message
