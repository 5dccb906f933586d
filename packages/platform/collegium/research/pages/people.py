"""The people of a project: who they are, where they belong, what they may not read, what waits for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib import messages
from django.db import transaction
from django.db.models import Count
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from collegium.kit import ids
from collegium.kit.errors import CollegiumError, NotFound
from collegium.kit.pages.lists import Asked
from collegium.kit.principals import Principal
from collegium.kit.texts import storable
from collegium.research.pages.role_words import explained
from collegium.research.pages.telling import told
from collegium.research.pipeline import leaving
from collegium.research.pipeline import queries as pipeline
from collegium.research.pipeline.states import TO_DO
from collegium.research.projects import queries as projects
from collegium.research.projects.people import members as admission
from collegium.research.projects.people import queries as people
from collegium.research.projects.people import services
from collegium.trust.access.pages import member as member_page
from collegium.trust.access.policies import Permission, require
from collegium.trust.access.queries import may
from collegium.trust.audit import queries as audit
from collegium.trust.identity.queries import addresses, names
from collegium.trust.tenancy import queries as tenancy

if TYPE_CHECKING:
    from collections.abc import Callable
    from uuid import UUID

    from django.http import HttpResponse

    from collegium.kit.pages.http import PageRequest
    from collegium.kit.principals import Actor
    from collegium.research.projects.models import Conflict, Site
    from collegium.trust.tenancy.queries import Member

_SORTS: dict[str, Callable[[Line], object]] = {
    "name": lambda line: line.member.name,
    "role": lambda line: line.member.role,
    "site": lambda line: ", ".join(site.name for site in line.sites),
    "tasks": lambda line: line.to_do,
    "since": lambda line: line.member.since,
}
MOST = 5000
"""Members on the page: more than any project has."""
BARRED = "Its reader has a conflict of interest."
LEFT = "Its person left the project, or has another role."


@dataclass(frozen=True, slots=True)
class Line:
    """A member in the list."""

    member: Member
    email: str
    sites: tuple[Site, ...]
    conflicts: tuple[Conflict, ...]
    to_do: int
    is_own: bool


@require_http_methods(["GET", "POST"])
def listing(request: PageRequest, space_id: UUID) -> HttpResponse:
    """Everybody who belongs to the project; posting adds somebody who has an account."""
    actor = member_page(request, space_id, Permission.MEMBERS_VIEW)
    email, role, refused = "", "", ""
    if request.method == "POST":
        require(actor, Permission.MEMBERS_MANAGE)
        email, role = storable(request.POST.get("email", "")), storable(request.POST.get("role", ""))
        try:
            added = admission.admit(actor=actor, email=email, role=role)
        except CollegiumError as error:
            refused = error.text
        else:
            messages.success(request, _("Added. Give them a site if they belong to one."))
            return redirect("person", space_id, added.id)
    asked = Asked.of(request, "role", sorts=_SORTS)
    manages = may(actor, Permission.MEMBERS_MANAGE)
    found = _lines(actor, with_private=manages)
    roles = sorted({line.member.role for line in found})
    context = {
        "asked": asked,
        "lines": asked.arrange((line for line in found if _matches(line, asked)), _SORTS),
        "roles": [
            (one, asked.address(role="" if asked.filters.get("role") == one else one),
             asked.filters.get("role") == one, sum(line.member.role == one for line in found))
            for one in roles
        ],
        "manages": manages,
        "choices": explained(admission.roles_for_people(actor)) if manages else [],
        "explained": explained(roles),
        "email": email,
        "role": role,
        "refused": refused,
    }  # fmt: skip
    return render(request, "research_pages/people.html", context, status=422 if refused else 200)


@require_http_methods(["GET", "POST"])
def person(request: PageRequest, space_id: UUID, membership_id: UUID) -> HttpResponse:
    """One member: role, sites, conflicts, tasks, and how it came to be; posting changes one of them."""
    actor = member_page(request, space_id, Permission.MEMBERS_MANAGE)
    member = tenancy.member(actor, membership_id)
    if member.principal.kind != "person":
        raise NotFound
    refused, about = "", storable(request.POST.get("act", ""))
    if request.method == "POST":
        try:
            with transaction.atomic():
                return _act(request, actor, member, about)
        except NotFound:
            raise
        except CollegiumError as error:
            refused = error.text
    (line,) = [one for one in _lines(actor, with_private=True) if one.member.id == membership_id]
    context = {
        "line": line,
        "member": member,
        "refused": refused,
        "about": about,
        "said": storable(request.POST.get("reason", "")),
        "choices": explained(admission.roles_for_people(actor)),
        "role_says": explained([member.role])[0][1],
        "conflicts": _conflicts(line),
        "other_sites": [site for site in projects.sites(actor) if site not in line.sites],
        "subjects": projects.subjects(actor)[:500],
        "sites": projects.sites(actor),
        "barred": len(leaving.barred(actor, member.principal)),
        "in_hand": len(leaving.in_hand(actor, member.principal)),
        "history": told(actor, _history(actor, line), request.LANGUAGE_CODE, here={str(membership_id)}),
    }
    return render(request, "research_pages/person.html", context, status=422 if refused else 200)


def _act(request: PageRequest, actor: Actor, member: Member, act: str) -> HttpResponse:
    """Do one thing to a member, and say that it is done."""
    given = request.POST
    reason = storable(given.get("reason", ""))
    about_id = ids.parse(given.get("id", ""))
    here = member.id
    if act == "role":
        here = admission.change_role(
            actor=actor, membership_id=member.id, role=storable(given.get("role", "")), reason=reason
        ).id
        if here != member.id:
            leaving.give_away(actor=actor, tasks=leaving.in_hand(actor, member.principal), reason=LEFT)
        says = _("The role is changed from now on.")
    elif act == "end":
        admission.let_go(actor=actor, membership_id=member.id, reason=reason)
        leaving.give_away(actor=actor, tasks=leaving.in_hand(actor, member.principal), reason=LEFT)
        messages.success(request, _("%(name)s is a member no more.") % {"name": member.name})
        return redirect("people", actor.space)
    elif act == "declare":
        services.declare_conflict(
            actor=actor, principal=member.principal, reason=reason, **_object_of(given.get("about", ""))
        )
        _take_barred(actor, member)
        says = _("The conflict is declared. They are given nothing of it any more.")
    elif act == "take-back":
        number = leaving.take_barred(actor=actor, principal=member.principal, reason=BARRED)
        says = _taken(number)
    elif about_id is None:
        raise NotFound
    elif act == "join":
        services.join_site(actor=actor, principal=member.principal, site_id=about_id)
        _take_barred(actor, member)
        says = _("They belong to the site.")
    elif act == "leave":
        services.leave_site(actor=actor, principal=member.principal, site_id=about_id, reason=reason)
        says = _("They belong to the site no more.")
    elif act == "withdraw":
        services.withdraw_conflict(actor=actor, conflict_id=about_id, reason=reason)
        says = _("The conflict is withdrawn.")
    else:
        raise NotFound
    messages.success(request, says)
    return redirect("person", actor.space, here)


def _take_barred(actor: Actor, member: Member) -> None:
    """What they may not read any more leaves them at once, where the actor manages tasks; else it cannot be opened."""
    if may(actor, Permission.TASK_MANAGE):
        leaving.take_barred(actor=actor, principal=member.principal, reason=BARRED)


def _taken(number: int) -> str:
    return ngettext("%(n)d task was taken back.", "%(n)d tasks were taken back.", number) % {"n": number}


def _object_of(text: str) -> dict[str, UUID | None]:
    """`site:<id>` or `subject:<id>`, as the page's one choice of what a conflict is about."""
    kind, _colon, rest = text.partition(":")
    return {"site_id": ids.parse(rest) if kind == "site" else None,
            "subject_id": ids.parse(rest) if kind == "subject" else None}  # fmt: skip


def _lines(actor: Actor, *, with_private: bool) -> list[Line]:
    """The people of the project in order of joining; conflicts, tasks and addresses for who manages them alone."""
    found = [one for one in tenancy.members(actor, limit=MOST) if one.principal.kind == "person"]
    sites: dict[str, list[Site]] = {}
    for place in people.site_members(actor):
        sites.setdefault(place.principal, []).append(place.site)
    conflicts: dict[str, list[Conflict]] = {}
    to_do: dict[str, int] = {}
    emails: dict[UUID, str] = {}
    if with_private:
        for conflict in people.live_conflicts(actor):
            conflicts.setdefault(conflict.principal, []).append(conflict)
        waiting = pipeline.tasks(actor).filter(state__in=TO_DO).values_list("assignee")
        to_do = dict(waiting.annotate(Count("id")).order_by())
        emails = addresses(one.principal.id for one in found)
    return [
        Line(
            one,
            emails.get(one.principal.id, ""),
            tuple(sites.get(one.principal.text, ())),
            tuple(conflicts.get(one.principal.text, ())),
            to_do.get(one.principal.text, 0),
            one.principal == actor.principal,
        )
        for one in found
    ]


def _conflicts(line: Line) -> list[tuple[Conflict, str]]:
    """Each declared conflict with the name of who declared it."""
    declared = {one.declared_by: Principal.parse(one.declared_by).id for one in line.conflicts}
    known = names(declared.values())
    return [(one, known.get(declared[one.declared_by], "")) for one in line.conflicts]


def _matches(line: Line, asked: Asked) -> bool:
    has_role = asked.filters.get("role", line.member.role) == line.member.role
    return has_role and asked.text.casefold() in f"{line.member.name} {line.email}".casefold()


def _history(actor: Actor, line: Line) -> list[audit.HistoryLine]:
    """What happened to the membership and to what is declared, newest first."""
    found = audit.history(actor, "tenancy.membership", line.member.id)
    for conflict in line.conflicts:
        found += audit.history(actor, "research.conflict", conflict.id)
    return sorted(found, key=lambda one: one.at, reverse=True)
