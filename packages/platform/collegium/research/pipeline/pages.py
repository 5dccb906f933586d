"""A project's set-up, its subjects with their visits, and all its tasks, for those who manage it."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING

from django import forms
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods

from collegium.forms.definition import in_language
from collegium.kit import clock
from collegium.kit.canonical import digest
from collegium.kit.errors import CollegiumError
from collegium.kit.pages.lists import PAGE_SIZE, Asked, Page, ordered
from collegium.kit.principals import Principal
from collegium.kit.yaml import YamlError
from collegium.research.pipeline import queries, services
from collegium.research.pipeline.errors import SetUpIncomplete
from collegium.research.pipeline.publishing import publish_project
from collegium.research.pipeline.states import TO_DO, TaskState
from collegium.research.projects import queries as projects
from collegium.research.projects.errors import StillInUse
from collegium.research.projects.people import queries as people
from collegium.trust.access.pages import member
from collegium.trust.access.permissions import Permission
from collegium.trust.access.queries import may
from collegium.trust.identity.queries import names
from collegium.trust.signatures.queries import Validity, verify

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from uuid import UUID

    from collegium.kit.pages.http import PageRequest
    from collegium.kit.principals import Actor
    from collegium.kit.yaml import Problem
    from collegium.research.pipeline.models import Discrepancy, Task
    from collegium.research.projects.definition import ProjectDefinition
    from collegium.research.projects.models import ProjectVersion, Subject, Visit


_SUBJECT_SORTS = {"code": "code", "site": "site__name", "since": "id"}


@require_GET
def subjects(request: PageRequest, space_id: UUID) -> HttpResponse:
    """Subjects with their visits; exams without a place come first, with the reason."""
    actor = member(request, space_id, Permission.SUBJECT_VIEW)
    asked = Asked.of(request, sorts=_SUBJECT_SORTS)
    rows = projects.subjects(actor)
    sees_all = may(actor, Permission.TASK_VIEW_ALL)
    if not sees_all:
        rows = rows.filter(site__in=people.own_sites(actor))
    if asked.text:
        rows = rows.filter(code__icontains=asked.text)
    page = Page.cut(asked, ordered(asked, rows, _SUBJECT_SORTS)[: PAGE_SIZE + 1])
    planned = projects.visit_names(actor, request.LANGUAGE_CODE)
    context = {
        "asked": asked,
        "page": page,
        "visits": planned.values(),
        "lines": [(subject, _taken(subject, planned)) for subject in page.items],
        "sees_tasks": sees_all,
        "may_place": may(actor, Permission.EXAM_PLACE),
        "unplaced": list(queries.placements(actor).exclude(unplaced="")[:PAGE_SIZE]) if sees_all else [],
    }
    return render(request, "research_pipeline/subjects.html", context)


def _taken(subject: Subject, planned: Iterable[str]) -> list[Visit | None]:
    """For each planned visit, the subject's own, if it came."""
    came = {visit.code: visit for visit in subject.visits.all()}
    return [came.get(code) for code in planned]


@dataclass(frozen=True, slots=True)
class TaskLine:
    """A task in the list, in words."""

    task: Task
    step: str
    visit: str
    person: str
    is_overdue: bool


_TASK_SORTS = {
    "step": "step", "subject": "unit__subject__code", "visit": "unit__visit__code", "state": "state",
    "due": "due_on", "changed": "changed_at",
}  # fmt: skip


@require_http_methods(["GET", "POST"])
def tasks(request: PageRequest, space_id: UUID) -> HttpResponse:
    """All tasks of the project, newest first, by state, step, site and subject."""
    actor = member(request, space_id, Permission.TASK_VIEW_ALL)
    if request.method == "POST":
        messages.success(request, _make_missing(actor))
        return redirect("project-tasks", space_id)
    asked = Asked.of(request, "state", "step", "site", "late", sorts=_TASK_SORTS)
    rows = queries.narrowed(queries.tasks(actor), asked.filters)
    if asked.text:
        rows = rows.filter(unit__subject__code__icontains=asked.text)
    rows = ordered(asked, rows, _TASK_SORTS, key="listing").select_related(None)
    rows = rows.select_related("unit__subject", "unit__visit")  # a row says nothing of the site
    page = Page.cut(asked, rows[: PAGE_SIZE + 1], key="listing")
    manages = may(actor, Permission.TASK_MANAGE)
    context = {
        "asked": asked,
        "page": page,
        "states": _states(asked, queries.task_counts(actor)),
        "narrowings": _narrowings(actor, asked, request.LANGUAGE_CODE),
        "all_address": asked.address(state="", step="", site="", late=""),
        "may_manage": manages,
        "undecided": _undecided(actor, request.LANGUAGE_CODE) if manages else [],
        "lines": _task_lines(page.items, request.LANGUAGE_CODE),
    }
    return render(request, "research_pipeline/tasks.html", context)


def _make_missing(actor: Actor) -> str:
    """Give tasks that have nobody to people, place exams that wait; returns what to tell."""
    placed = services.place_waiting_exams(actor=actor)
    made = services.assign_missing_tasks(actor=actor)
    told = [
        ngettext("%(n)d task was given to somebody.", "%(n)d tasks were given to people.", made) % {"n": made}
    ]
    if placed:
        told.append(
            ngettext("%(n)d exam found its place.", "%(n)d exams found their place.", placed) % {"n": placed}
        )
    return " ".join(told) if made or placed else _("Nothing was missing: every task has its person.")


def _states(asked: Asked, counts: Mapping[str, int]) -> list[tuple[str, int, str, bool]]:
    """For each state that a task is in or that is asked for: how many, where its chip leads, whether it is on."""
    wanted = asked.filters.get("state")
    return [
        (
            state.value,
            counts.get(state, 0),
            asked.address(state="" if wanted == state else state),
            wanted == state,
        )
        for state in TaskState
        if counts.get(state) or wanted == state
    ]


def _narrowings(actor: Actor, asked: Asked, language: str) -> list[tuple[str, str]]:
    """What else the list is narrowed to, in words, each with the address without it."""
    found = []
    if "step" in asked.filters:
        version = projects.newest_version(actor)
        steps = projects.definition(version).pipeline if version else ()
        labels = {step.name: in_language(step.label, language) for step in steps}
        found.append((labels.get(asked.filters["step"], asked.filters["step"]), asked.address(step="")))
    if "site" in asked.filters:
        sites = {site.code: site.name for site in projects.sites(actor)}
        found.append((sites.get(asked.filters["site"], asked.filters["site"]), asked.address(site="")))
    if "late" in asked.filters:
        found.append((_("Overdue"), asked.address(late="")))
    return found


def _task_lines(tasks: Sequence[Task], language: str) -> list[TaskLine]:
    people_of = {task.assignee: Principal.parse(task.assignee).id for task in tasks if task.assignee}
    known, today = names(people_of.values()), clock.now().date()
    lines = []
    for task in tasks:
        definition = projects.definition(task.project_version)
        lines.append(
            TaskLine(
                task,
                in_language(definition.step(task.step).label, language),
                _visit_of(definition, task.unit.visit, language),
                known.get(people_of[task.assignee], "") if task.assignee else "",
                task.due_on is not None and task.due_on < today and task.state in TO_DO,
            )
        )
    return lines


def _undecided(actor: Actor, language: str) -> list[tuple[Discrepancy, str]]:
    """Judgements that a person has to make, each with its visit in words."""
    found = queries.undecided(actor)
    planned = projects.visit_names(actor, language) if found else {}
    return [
        (one, planned.get(one.unit.visit.code, one.unit.visit.code) if one.unit.visit else "")
        for one in found
    ]


def _visit_of(definition: ProjectDefinition, visit: Visit | None, language: str) -> str:
    """What a visit is called; a visit that this version does not know keeps its code."""
    if visit is None:
        return ""
    planned = definition.visit(visit.code)
    return in_language(planned.label, language) if planned else visit.code


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
    parts: Sequence[str] = ()
    refused = ""
    if request.method == "POST":
        try:
            version = _publish(actor, form)
        except YamlError as error:
            problems = error.problems
        except StillInUse as error:
            refused, parts = error.text, error.parts
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
        "parts": parts,
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
