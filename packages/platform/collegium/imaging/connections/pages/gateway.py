"""One gateway: how it does, its alarms, channels and trail; a pinned version, a new code, or no access any more."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from collegium.imaging.connections import queries, services
from collegium.imaging.connections.pages.standing import alarm_lines, channel_line, state_of
from collegium.imaging.connections.words import done
from collegium.kit.errors import CollegiumError, NotFound
from collegium.kit.pages.lists import PAGE_SIZE, Asked, Page
from collegium.kit.texts import storable
from collegium.settings.installation import installation
from collegium.trust.access.pages import member
from collegium.trust.access.permissions import Permission
from collegium.trust.audit import queries as audit
from collegium.trust.audit import words
from collegium.trust.identity.queries import names
from collegium_wire import NEWEST

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from collegium.imaging.connections.models import ChannelVersion, Gateway
    from collegium.imaging.connections.services import IssuedCode
    from collegium.kit.pages.http import PageRequest
    from collegium.kit.principals import Actor


@require_http_methods(["GET", "POST"])
def gateway(request: PageRequest, space_id: UUID, gateway_id: UUID) -> HttpResponse:
    """The page; posting pins a version, issues a new code, or shuts the gateway out."""
    actor = member(request, space_id, Permission.GATEWAY_MANAGE)
    found = queries.gateway(actor, gateway_id)
    refused, issued = "", None
    if request.method == "POST":
        try:
            with transaction.atomic():
                issued = _act(request, actor, found)
        except NotFound:
            raise
        except CollegiumError as error:
            refused = error.text
        else:
            if issued is None:
                return redirect("gateway", space_id, gateway_id)
    context = {
        **_context(request, actor, found),
        "issued": issued,
        "refused": refused,
        "address": installation().address,
    }
    return render(request, "imaging_connections/gateway.html", context, status=422 if refused else 200)


def _act(request: PageRequest, actor: Actor, found: Gateway) -> IssuedCode | None:
    """A code to show once; None when there is nothing to show."""
    act, reason = request.POST.get("act", ""), storable(request.POST.get("reason", ""))[:400]
    if act == "code":
        return services.issue_code(actor=actor, gateway_id=found.id)
    if act == "pin":
        version = storable(request.POST.get("version", "")).strip()
        services.pin_gateway(actor=actor, gateway_id=found.id, version=version, reason=reason)
        messages.success(request, _("The gateway hears of it within a minute."))
        return None
    if act != "revoke":
        raise NotFound
    services.revoke_gateway(actor=actor, gateway_id=found.id, reason=reason)
    messages.success(request, _("The gateway is shut out. What it delivered stays."))
    return None


def _context(request: PageRequest, actor: Actor, found: Gateway) -> dict[str, object]:
    alarms = [one for one in queries.alarms(actor) if one.gateway_id == found.id]
    rows = [one for one in queries.all_channels(actor) if one.gateway_id == found.id]
    versions: dict[UUID, list[ChannelVersion]] = defaultdict(list)
    for one in queries.versions_there(actor, [row.id for row in rows]):
        versions[one.channel_id].append(one)
    asked = Asked.of(request)
    entries = queries.trail(actor, found.id)
    if asked.after:
        entries = entries.filter(id__lt=asked.after)
    trail = Page.cut(asked, entries[: PAGE_SIZE + 1])
    titles: dict[UUID | None, str] = {row.id: row.called_ae for row in rows}
    lines = audit.history(actor, "connections.gateway", found.id)
    return {
        "gateway": found,
        "newest": NEWEST,
        "state": state_of(found, alarms),
        "alarms": alarm_lines(alarms),
        "past": alarm_lines(queries.past_alarms(actor, found.id)),
        "lines": [channel_line(row, versions[row.id]) for row in rows],
        "trail": trail,
        "entries": [(one, done(one.action), titles.get(one.channel_id, "")) for one in trail.items],
        "history": words.tell(lines, names(words.people_in(lines))),
    }
