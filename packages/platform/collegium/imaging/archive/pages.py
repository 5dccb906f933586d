"""Exams of a project: the list, and one exam opened in the viewer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q
from django.shortcuts import render
from django.views.decorators.http import require_GET

from collegium.imaging.archive import queries
from collegium.kit.pages.lists import PAGE_SIZE, Asked, Page, ordered
from collegium.trust.access.pages import member
from collegium.trust.access.permissions import Permission
from collegium.trust.audit import queries as audit
from collegium.trust.audit import words
from collegium.trust.identity.queries import names

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from collegium.kit.pages.http import PageRequest


_SORTS = {"subject": "subject_code", "description": "description", "modality": "modalities", "received": "id"}


@require_GET
def exams(request: PageRequest, space_id: UUID) -> HttpResponse:
    """Exams of the project, newest first, searchable by subject and description."""
    actor = member(request, space_id, Permission.EXAM_VIEW)
    asked = Asked.of(request, "modality", sorts=_SORTS)
    rows = queries.exams(actor)
    if asked.text:
        rows = rows.filter(Q(subject_code__icontains=asked.text) | Q(description__icontains=asked.text))
    if "modality" in asked.filters:
        rows = rows.filter(modalities__contains=asked.filters["modality"])
    page = Page.cut(asked, ordered(asked, rows, _SORTS)[: PAGE_SIZE + 1])
    wanted = asked.filters.get("modality")
    chips = [
        (name, asked.address(modality="" if wanted == name else name), wanted == name)
        for name in ("CT", "MR", "PT")
    ]
    return render(request, "imaging_archive/exams.html", {"asked": asked, "page": page, "chips": chips})


@require_GET
def exam(request: PageRequest, space_id: UUID, exam_id: UUID) -> HttpResponse:
    """One exam: its series, where it came from, its history; the viewer is a click away."""
    actor = member(request, space_id, Permission.EXAM_VIEW)
    found = queries.exam(actor, exam_id)
    lines = audit.history(actor, "imaging.exam", exam_id)
    context = {
        "exam": found,
        "series": queries.series_of(actor, [exam_id]),
        "history": words.tell(lines, names(words.people_in(lines)), nearby=audit.around(actor, lines)),
    }
    return render(request, "imaging_archive/exam.html", context)


@require_GET
def exam_images(request: PageRequest, space_id: UUID, exam_id: UUID) -> HttpResponse:
    """The exam in the viewer, to look at: nothing can be drawn here."""
    actor = member(request, space_id, Permission.EXAM_VIEW)
    found = queries.exam(actor, exam_id)
    return render(request, "imaging_archive/images.html", {"exam": found, "space_id": space_id})
