"""Gateways of a project: which there are, how they do, a new one with its one-time code."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from django import forms
from django.db import transaction
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods

from collegium.imaging.connections import queries, services
from collegium.imaging.connections.pages.standing import channel_line, state_of
from collegium.kit.errors import CollegiumError
from collegium.settings.installation import installation
from collegium.trust.access.pages import member
from collegium.trust.access.permissions import Permission
from collegium.trust.tenancy.queries import space
from collegium_deid import load_recipe

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from collegium.imaging.connections.models import ChannelVersion, GatewayAlarm
    from collegium.imaging.connections.pages.standing import ChannelLine
    from collegium.imaging.connections.services import IssuedCode
    from collegium.kit.pages.http import PageRequest
    from collegium.kit.principals import Actor


class NewGateway(forms.Form):
    """What a new gateway and its first channel need."""

    name = forms.CharField(max_length=100, label=_("Name of the gateway"))
    site_name = forms.CharField(max_length=100, label=_("Site"))
    site_code = forms.RegexField(
        r"[A-Za-z0-9]{1,16}", label=_("Site code"), help_text=_("Begins every subject code, such as S01.")
    )
    called_ae = forms.RegexField(
        r"[A-Z0-9_-]{1,16}",
        label=_("Called AE title"),
        help_text=_("What the PACS sends to: capitals, digits, _ and -."),
    )
    quiet_time_s = forms.IntegerField(min_value=5, max_value=3600, initial=60, label=_("Quiet time (s)"))


@require_http_methods(["GET", "POST"])
def gateways(request: PageRequest, space_id: UUID) -> HttpResponse:
    """The list; posting adds a gateway and shows its code, once."""
    actor = member(request, space_id, Permission.GATEWAY_MANAGE)
    form = NewGateway(request.POST or None)
    issued: IssuedCode | None = None
    if request.method == "POST" and form.is_valid():
        try:
            with transaction.atomic():
                issued = _add(actor, form.cleaned_data)
            form = NewGateway()
        except CollegiumError as error:
            form.add_error(None, error.text)
    context = {"rows": _rows(actor), "form": form, "issued": issued, "address": installation().address}
    return render(request, "imaging_connections/gateways.html", context)


def _rows(actor: Actor) -> list[dict[str, object]]:
    """Four queries, however many gateways."""
    rows = [channel for channel in queries.all_channels(actor) if channel.is_on]
    versions: dict[UUID, list[ChannelVersion]] = defaultdict(list)
    for version in queries.versions_there(actor, [channel.id for channel in rows]):
        versions[version.channel_id].append(version)
    channels: dict[UUID, list[ChannelLine]] = defaultdict(list)
    for channel in rows:
        channels[channel.gateway_id].append(channel_line(channel, versions[channel.id]))
    alarms: dict[UUID, list[GatewayAlarm]] = defaultdict(list)
    for alarm in queries.alarms(actor):
        alarms[alarm.gateway_id].append(alarm)
    return [
        {
            "gateway": row,
            "state": state_of(row, alarms[row.id]),
            "channels": channels[row.id],
            "alarms": len(alarms[row.id]),
        }
        for row in queries.gateways(actor)
    ]


def _add(actor: Actor, asked: dict[str, object]) -> IssuedCode:
    gateway = services.add_gateway(actor=actor, name=str(asked["name"]))
    services.add_channel(
        actor=actor,
        gateway_id=gateway.id,
        name=str(asked["site_name"]),
        called_ae=str(asked["called_ae"]),
        project_name=space(actor).name,
        site_code=str(asked["site_code"]),
        site_name=str(asked["site_name"]),
        recipe_text=load_recipe("trial").text,
        quiet_time_s=int(str(asked["quiet_time_s"])),
    )
    return services.issue_code(actor=actor, gateway_id=gateway.id)
