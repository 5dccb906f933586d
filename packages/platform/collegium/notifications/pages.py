"""The list behind the bell, and whether a person wants e-mail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from collegium.kit import ids
from collegium.kit.pages.lists import PAGE_SIZE, Asked, Page
from collegium.notifications import queries, services, words
from collegium.notifications.models import NotificationKind
from collegium.settings.installation import installation
from collegium.trust.identity.queries import mail_address
from collegium.trust.tenancy.models import SpaceKind
from collegium.trust.tenancy.queries import spaces_of

if TYPE_CHECKING:
    from django.http import HttpResponse

    from collegium.kit.pages.http import PageRequest


@require_GET
def notifications(request: PageRequest) -> HttpResponse:
    """What the person was told, newest first, the same kind in the same project as one line."""
    asked = Asked.of(request)
    page = Page.cut(asked, queries.lines(request.principal, after=asked.after, limit=PAGE_SIZE + 1))
    names = {space.id: space.name for space in spaces_of(request.principal, SpaceKind.PROJECT)}
    context = {
        "page": page,
        "lines": [
            (line, words.what(line.kind, line.count), words.ICONS[line.kind], names.get(line.space_id, ""))
            for line in page.items
        ],
        "unseen": queries.unseen_count(request.principal),
        "sends_mail": bool(installation().mail_host),
        "wants_mail": queries.wants_mail(request.principal),
        "mail_address": mail_address(request.principal.id),
    }
    return render(request, "notifications/list.html", context)


@require_GET
def bell(request: PageRequest) -> HttpResponse:
    """The bell alone, for pages that are open."""
    return render(request, "notifications/bell.html", {"unseen": queries.unseen_count(request.principal)})


@require_POST
def seen(request: PageRequest) -> HttpResponse:
    """Note one line, or everything, as seen; `go` then leads to where it waits."""
    space_id = ids.parse(request.POST.get("space", ""))
    kind = request.POST.get("kind", "")
    if space_id is None or kind not in set(NotificationKind):
        if not request.POST.get("space"):
            services.mark_seen(request.principal)
        return redirect("notifications")
    line = queries.waiting(request.principal, space_id, NotificationKind(kind))
    services.mark_seen(request.principal, space_id=space_id, kind=kind)
    if line and request.POST.get("go"):
        return redirect(line.address or words.where(line.kind, space_id))
    return redirect("notifications")


@require_POST
def mail(request: PageRequest) -> HttpResponse:
    """Turn e-mail on or off."""
    wants_mail = request.POST.get("wants") == "yes"
    services.choose_mail(request.principal, wants_mail=wants_mail)
    messages.success(request, _("E-mail is on.") if wants_mail else _("E-mail is off."))
    return redirect("notifications")


urlpatterns = [
    path("notifications/", notifications, name="notifications"),
    path("notifications/bell", bell, name="notifications-bell"),
    path("notifications/seen", seen, name="notifications-seen"),
    path("notifications/mail", mail, name="notifications-mail"),
]
