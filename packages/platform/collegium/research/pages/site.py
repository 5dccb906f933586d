"""A site's own page: its subjects, what has arrived, what is asked of it. Nothing of other sites, nothing of reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from collegium.imaging.connections import queries as connections
from collegium.imaging.connections.words import said
from collegium.kit import ids
from collegium.kit.errors import CollegiumError, NotFound
from collegium.kit.pages.lists import PAGE_SIZE, Asked, Page, ordered
from collegium.kit.principals import Principal
from collegium.kit.texts import storable
from collegium.research.data_queries import queries as data_queries
from collegium.research.data_queries.view import all_shown
from collegium.research.pipeline.sites import queries, services
from collegium.research.projects import queries as projects
from collegium.research.projects.people import queries as people
from collegium.trust.access.pages import member
from collegium.trust.access.permissions import Permission
from collegium.trust.access.queries import may
from collegium.trust.identity.queries import names

if TYPE_CHECKING:
    from datetime import date
    from uuid import UUID

    from django.http import HttpResponse

    from collegium.kit.pages.http import PageRequest
    from collegium.kit.principals import Actor
    from collegium.research.pipeline.models import ExamPlacement
    from collegium.research.projects.models import Site, Subject


_SORTS = {"code": "code", "listed": "id"}


@dataclass(frozen=True, slots=True)
class Cell:
    """A planned visit of one subject: the exams that arrived for it, and its date."""

    exams: int
    on: date | None
    is_here: bool


@dataclass(frozen=True, slots=True)
class Line:
    """A subject of the site."""

    subject: Subject
    cells: tuple[Cell, ...]
    unplaced: tuple[ExamPlacement, ...]
    asked: int


@require_http_methods(["GET", "POST"])
def site(request: PageRequest, space_id: UUID) -> HttpResponse:
    """The subjects of the person's own sites and what waits there; posting adds a subject."""
    actor = member(request, space_id, Permission.SITE_VIEW)
    code, refused = "", ""
    if request.method == "POST":
        code, site_id = (
            storable(request.POST.get("code", "")).strip(),
            ids.parse(request.POST.get("site", "")),
        )
        if site_id is None:
            raise NotFound
        try:
            with transaction.atomic():
                services.add_subject(actor=actor, code=code, site_id=site_id)
        except NotFound:
            raise
        except CollegiumError as error:
            refused = error.text
        else:
            messages.success(request, _("Subject %(code)s is listed.") % {"code": code})
            return redirect("site", space_id)
    context = {**_context(request, actor, people.own_sites(actor)), "code": code, "refused": refused}
    return render(request, "research_pages/site.html", context, status=422 if refused else 200)


def _context(request: PageRequest, actor: Actor, sites: list[Site]) -> dict[str, object]:
    language = request.LANGUAGE_CODE
    site_ids = [one.id for one in sites]
    asked = Asked.of(request, sorts=_SORTS)
    rows = queries.subjects_of(actor, site_ids)
    if asked.text:
        rows = rows.filter(code__icontains=asked.text)
    page = Page.cut(asked, ordered(asked, rows, _SORTS)[: PAGE_SIZE + 1])
    planned = projects.visit_names(actor, language)
    tasks = queries.form_tasks(actor, site_ids, language)
    open_queries = data_queries.waiting_at_site(actor, site_ids)
    asked_already = {(one.subject_id, one.text) for one in open_queries}
    corrections = [
        one
        for one in queries.corrections(actor, site_ids, language)
        if (one.subject_id, " ".join(text for _label, text in one.words)) not in asked_already
    ]
    waiting = [one.subject_id for one in corrections] + [one.subject_id for one in tasks]
    waiting += [one.subject_id for one in open_queries]
    exams = queries.exams_of(actor, page.items)
    return {
        "asked": asked,
        "page": page,
        "sites": sites,
        "visits": planned.values(),
        "lines": [
            _line(subject, list(planned), exams.get(subject.id, []), waiting) for subject in page.items
        ],
        "alarms": [
            (said(one), one.since) for one in connections.site_alarms(actor, [site.code for site in sites])
        ],
        "corrections": corrections,
        "tasks": tasks,
        "people": _names(tasks),
        "queries": all_shown(actor, open_queries, language),
        "may_add": may(actor, Permission.SUBJECT_ADD) and bool(planned),
        "is_published": bool(planned),
    }


def _line(subject: Subject, planned: list[str], exams: list[ExamPlacement], waiting: list[UUID]) -> Line:
    taken = {visit.code: visit for visit in subject.visits.all()}
    here = [one.visit.code for one in exams if one.visit]
    cells = tuple(
        Cell(here.count(code), taken[code].exam_date if code in taken else None, code in taken)
        for code in planned
    )
    unplaced = tuple(one for one in exams if not one.visit)
    return Line(subject, cells, unplaced, waiting.count(subject.id))


def _names(tasks: list[queries.FormTask]) -> dict[str, str]:
    """Full names of the site's people, by principal text."""
    people_of = {one.assignee: Principal.parse(one.assignee).id for one in tasks if one.assignee}
    known = names(people_of.values())
    return {text: known.get(one, "") for text, one in people_of.items()}
