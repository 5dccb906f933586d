"""A project's subjects with their visits and exams, and all its tasks, for those who manage it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.shortcuts import render
from django.views.decorators.http import require_GET

from collegium.forms.definition import in_language
from collegium.kit.pages.lists import PAGE_SIZE, Asked, Page
from collegium.kit.principals import Principal
from collegium.research.pipeline import queries
from collegium.research.pipeline.states import TaskState
from collegium.research.projects import queries as projects
from collegium.trust.access.pages import member
from collegium.trust.access.permissions import Permission
from collegium.trust.identity.queries import names

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from collegium.kit.pages.http import PageRequest


@require_GET
def subjects(request: PageRequest, space_id: UUID) -> HttpResponse:
    """Subjects by code with their visits; exams without a place come first, with the reason."""
    actor = member(request, space_id, Permission.SUBJECT_VIEW)
    asked = Asked.of(request)
    rows = projects.subjects(actor).order_by("-id")
    if asked.text:
        rows = rows.filter(code__icontains=asked.text)
    if asked.after:
        rows = rows.filter(id__lt=asked.after)
    version = projects.newest_version(actor)
    planned = projects.definition(version).visits if version else ()
    page = Page.cut(asked, list(rows[: PAGE_SIZE + 1]))
    context = {
        "asked": asked,
        "page": page,
        "visits": [in_language(visit.label, request.LANGUAGE_CODE) for visit in planned],
        "lines": [
            (
                subject,
                [next((v for v in subject.visits.all() if v.code == visit.code), None) for visit in planned],
            )
            for subject in page.items
        ],
        "unplaced": list(queries.placements(actor).exclude(unplaced="")[:PAGE_SIZE]),
    }
    return render(request, "research_pipeline/subjects.html", context)


@require_GET
def tasks(request: PageRequest, space_id: UUID) -> HttpResponse:
    """All tasks of the project, newest first, by state."""
    actor = member(request, space_id, Permission.TASK_VIEW_ALL)
    asked = Asked.of(request, "state")
    rows = queries.tasks(actor)
    if asked.filters.get("state") in list(TaskState):
        rows = rows.filter(state=asked.filters["state"])
    if asked.text:
        rows = rows.filter(unit__subject__code__icontains=asked.text)
    if asked.after:
        rows = rows.filter(id__lt=asked.after)
    page = Page.cut(asked, list(rows[: PAGE_SIZE + 1]))
    readers = names(Principal.parse(task.assignee).id for task in page.items)
    counts = queries.task_counts(actor)
    context = {
        "asked": asked,
        "page": page,
        "counts": [
            (
                state.value,
                counts.get(state, 0),
                asked.address(state=state),
                asked.filters.get("state") == state,
            )
            for state in TaskState
        ],
        "all_address": asked.address(state=""),
        "lines": [
            (
                task,
                in_language(
                    projects.definition(task.project_version).step(task.step).label, request.LANGUAGE_CODE
                ),
                readers.get(Principal.parse(task.assignee).id, ""),
            )
            for task in page.items
        ],
    }
    return render(request, "research_pipeline/tasks.html", context)
