"""Home, the list of projects, a project's own page, errors and health."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from allauth.account import views as account
from django.db import connection
from django.http import HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET

from collegium.kit.errors import NotFound
from collegium.kit.pages.http import open_to_all, problem
from collegium.kit.pages.lists import PAGE_SIZE, Asked, Page, ordered
from collegium.research.oversight.board.pages import figures
from collegium.research.oversight.board.queries import progress
from collegium.research.pages.telling import told
from collegium.research.pipeline import queries as pipeline
from collegium.trust.access.api import forget
from collegium.trust.access.pages import member
from collegium.trust.access.permissions import Permission
from collegium.trust.access.queries import may
from collegium.trust.audit import queries as audit
from collegium.trust.tenancy import queries as tenancy
from collegium.trust.tenancy.models import SpaceKind
from collegium.web.frame import landing

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpRequest

    from collegium.kit.pages.http import PageRequest


@require_GET
def home(request: PageRequest) -> HttpResponse:
    """Where to go on: what waits, and the projects a person belongs to."""
    context = {
        "projects": tenancy.spaces_of(request.principal, SpaceKind.PROJECT)[:8],
        "waiting": pipeline.my_tasks(request.principal).count(),
        "name": request.person_name,
    }
    return render(request, "web/home.html", context)


_SORTS = {"name": "name", "organisation": "organisation__name", "founded": "id"}


@require_GET
def projects(request: PageRequest) -> HttpResponse:
    """All projects of the person, searchable."""
    asked = Asked.of(request, sorts=_SORTS)
    rows = tenancy.spaces_of(request.principal, SpaceKind.PROJECT)
    if asked.text:
        rows = rows.filter(name__icontains=asked.text)
    page = Page.cut(asked, ordered(asked, rows, _SORTS)[: PAGE_SIZE + 1])
    return render(request, "web/projects.html", {"asked": asked, "page": page})


@require_GET
def de_identify(request: PageRequest) -> HttpResponse:
    """The page that de-identifies files in the browser. The server gives it code and learns nothing of its files."""
    return render(request, "web/de_identify.html")


_RECENT, _SHOWN = 60, 8
"""Entries that the overview looks at, and lines of it that it shows: most fold."""


@require_GET
def project(request: PageRequest, space_id: UUID) -> HttpResponse:
    """A project at a glance: facts, people, what happened."""
    actor = member(request, space_id)
    first = landing(actor)
    if first != "project":
        return redirect(first, space_id)
    lines = audit.space_history(actor, limit=_RECENT) if may(actor, Permission.AUDIT_VIEW) else []
    shows_board = may(actor, Permission.BOARD_VIEW)
    context = {
        "actor": actor,
        "waiting": pipeline.my_tasks(request.principal).filter(space_id=space_id).count(),
        "reads": may(actor, Permission.READ_WRITE),
        "figures": figures(actor, progress(actor, request.LANGUAGE_CODE)) if shows_board else [],
        "members": tenancy.members(actor) if may(actor, Permission.MEMBERS_VIEW) else [],
        "history": told(actor, lines, request.LANGUAGE_CODE)[:_SHOWN],
    }
    return render(request, "web/project.html", context)


@require_GET
def project_history(request: PageRequest, space_id: UUID) -> HttpResponse:
    """The project's whole trail, newest first."""
    actor = member(request, space_id, Permission.AUDIT_VIEW)
    asked = Asked.of(request)
    lines = audit.space_history(actor, before=asked.after, limit=PAGE_SIZE + 1)
    page = Page.cut(asked, lines)
    context = {
        "actor": actor,
        "page": page,
        "history": told(actor, page.items, request.LANGUAGE_CODE),
    }
    return render(request, "web/project_history.html", context)


@open_to_all
def sign_out(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere at once: the byte paths forget the session too."""
    key = request.session.session_key
    response = account.logout(request)
    if key and not request.user.is_authenticated:
        forget(key)
    return cast("HttpResponse", response)


@open_to_all
@require_GET
def health(request: HttpRequest) -> HttpResponse:  # noqa: ARG001  Django's signature
    """Whether the server and its database answer; says nothing else."""
    with connection.cursor() as cursor:
        cursor.execute("select 1")
    return JsonResponse({"ok": True})


@open_to_all
def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:  # noqa: ARG001  Django's
    """An address that does not exist looks like one that may not be known."""
    return problem(request, NotFound())
