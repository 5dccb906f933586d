"""A project's set-up, its subjects with their visits, and all its tasks, for those who manage it."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from collegium.forms.definition import in_language
from collegium.kit.canonical import digest
from collegium.kit.errors import CollegiumError
from collegium.kit.pages.lists import PAGE_SIZE, Asked, Page
from collegium.kit.principals import Principal
from collegium.kit.yaml import YamlError
from collegium.research.pipeline import queries, services
from collegium.research.pipeline.errors import SetUpIncomplete
from collegium.research.pipeline.states import TaskState
from collegium.research.projects import queries as projects
from collegium.research.projects.people import queries as people
from collegium.research.projects.services import publish_project
from collegium.trust.access.pages import member
from collegium.trust.access.permissions import Permission
from collegium.trust.access.queries import may
from collegium.trust.identity.queries import names
from collegium.trust.signatures.queries import Validity, verify

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from collegium.kit.pages.http import PageRequest
    from collegium.kit.principals import Actor
    from collegium.kit.yaml import Problem
    from collegium.research.projects.models import ProjectVersion


@require_GET
def subjects(request: PageRequest, space_id: UUID) -> HttpResponse:
    """Subjects by code with their visits; exams without a place come first, with the reason."""
    actor = member(request, space_id, Permission.SUBJECT_VIEW)
    asked = Asked.of(request)
    rows = projects.subjects(actor).order_by("-id")
    sees_all = may(actor, Permission.TASK_VIEW_ALL)
    if not sees_all:
        rows = rows.filter(site__in=people.own_sites(actor))
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
        "may_publish": may(actor, Permission.PROJECT_PUBLISH),
        "unplaced": list(queries.placements(actor).exclude(unplaced="")[:PAGE_SIZE]) if sees_all else [],
    }
    return render(request, "research_pipeline/subjects.html", context)


@require_http_methods(["GET", "POST"])
def tasks(request: PageRequest, space_id: UUID) -> HttpResponse:
    """All tasks of the project, newest first, by state."""
    actor = member(request, space_id, Permission.TASK_VIEW_ALL)
    if request.method == "POST":
        made = services.assign_missing_tasks(actor=actor)
        placed = services.place_waiting_exams(actor=actor)
        told = _("%(made)d tasks were made, %(placed)d exams found their place.")
        messages.success(request, told % {"made": made, "placed": placed})
        return redirect("project-tasks", space_id)
    asked = Asked.of(request, "state", "step", "site", "late")
    rows = queries.narrowed(queries.tasks(actor), asked.filters)
    if asked.text:
        rows = rows.filter(unit__subject__code__icontains=asked.text)
    if asked.after:
        rows = rows.filter(listing__lt=asked.after)
    page = Page.cut(asked, list(rows[: PAGE_SIZE + 1]), key="listing")
    readers = names(Principal.parse(task.assignee).id for task in page.items if task.assignee)
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
        "all_address": asked.address(state="", step="", site="", late=""),
        "may_manage": may(actor, Permission.TASK_MANAGE),
        "undecided": queries.undecided(actor) if may(actor, Permission.TASK_MANAGE) else [],
        "lines": [
            (
                task,
                in_language(
                    projects.definition(task.project_version).step(task.step).label, request.LANGUAGE_CODE
                ),
                readers.get(Principal.parse(task.assignee).id, "") if task.assignee else "",
            )
            for task in page.items
        ],
    }
    return render(request, "research_pipeline/tasks.html", context)


class SetUp(forms.Form):
    """A project file and the password that signs it."""

    text = forms.CharField(widget=forms.Textarea, strip=False, max_length=1_000_000)
    password = forms.CharField(strip=False)
    seen = forms.IntegerField(min_value=0)


@require_http_methods(["GET", "POST"])
def setup(request: PageRequest, space_id: UUID) -> HttpResponse:
    """The project file: read, check and publish it, every fault beside its line."""
    actor = member(request, space_id, Permission.PROJECT_PUBLISH)
    newest = projects.newest_version(actor)
    form = SetUp(request.POST or None)
    problems: Sequence[Problem] = ()
    refused = ""
    if request.method == "POST":
        try:
            version = _publish(actor, form)
        except YamlError as error:
            problems = error.problems
        except CollegiumError as error:
            refused = error.text
        else:
            messages.success(request, _("Version %(number)d is published.") % {"number": version.version})
            return redirect("setup", space_id)
    text = request.POST.get("text") or (newest.text if newest else _example())
    context = {
        "text": text,
        "newest": newest,
        "problems": problems,
        "refused": refused,
        "versions": [(version, _is_valid(version)) for version in projects.versions(actor)[:PAGE_SIZE]],
    }
    return render(
        request, "research_pipeline/setup.html", context, status=422 if problems or refused else 200
    )


@require_GET
def setup_file(request: PageRequest, space_id: UUID) -> HttpResponse:
    """The newest published file, in its canonical form."""
    actor = member(request, space_id, Permission.PROJECT_VIEW)
    version = projects.current_version(actor)
    response = HttpResponse(version.text, content_type="application/yaml; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="project-v{version.version}.yaml"'
    return response


def _publish(actor: Actor, form: SetUp) -> ProjectVersion:
    if not form.is_valid():
        raise SetUpIncomplete
    filled = form.cleaned_data
    version = publish_project(
        actor=actor, text=filled["text"], password=filled["password"], expected_version=filled["seen"]
    )
    services.place_waiting_exams(actor=actor)
    return version


def _example() -> str:
    return resources.files("collegium.research").joinpath("examples/ct-lesion.yaml").read_text("utf-8")


def _is_valid(version: ProjectVersion) -> bool:
    return version.signature is not None and verify(version.signature, digest(version.text)) is Validity.VALID
