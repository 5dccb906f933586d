"""A person's tasks, and the reading page: images at the left, form at the right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib import messages
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_GET

from collegium.forms import queries as forms
from collegium.forms.definition import in_language
from collegium.kit import clock
from collegium.kit.canonical import digest
from collegium.kit.pages.lists import PAGE_SIZE, Asked, Page, ordered
from collegium.research.data_queries import queries as data_queries
from collegium.research.pipeline import queries as pipeline
from collegium.research.pipeline.errors import AnotherComesFirst
from collegium.research.pipeline.sight import sight_of
from collegium.research.pipeline.state_words import STATE_WORDS
from collegium.research.pipeline.states import TO_DO, TaskState
from collegium.research.projects import queries as projects
from collegium.research.projects.definition import StepKind, Told
from collegium.research.projects.people.barriers import BARRED_STEPS
from collegium.research.reads import comparison, form_view, queries, services
from collegium.research.reads.models import VersionState
from collegium.research.reads.record import record_of
from collegium.trust.access.queries import actor_in
from collegium.trust.audit import queries as audit
from collegium.trust.audit import words
from collegium.trust.identity.queries import names
from collegium.trust.signatures.queries import Validity, verify
from collegium.trust.tenancy.models import SpaceKind
from collegium.trust.tenancy.queries import spaces_of

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from collegium.kit.pages.http import PageRequest
    from collegium.kit.principals import Actor
    from collegium.research.pipeline.models import Task
    from collegium.research.projects.definition import Blinding
    from collegium.research.reads.models import ReadVersion


_ACTS = {
    StepKind.FORM: (_lazy("Submit form"), _lazy("Sign form")),
    StepKind.QC: (_lazy("Submit check"), _lazy("Sign check")),
    StepKind.READING: (_lazy("Submit read"), _lazy("Sign read")),
    StepKind.ADJUDICATION: (_lazy("Submit adjudication"), _lazy("Sign adjudication")),
}
"""What submitting and signing are called, by kind of step."""


@dataclass(frozen=True, slots=True)
class TaskLine:
    """A task in a list."""

    task: Task
    project: str
    step: str
    is_overdue: bool
    open_queries: int


_SORTS = {"step": "step", "subject": "label", "state": "state", "due": "due_on"}
"""Nothing by which a reader could learn in which order exams came (R22)."""


@require_GET
def tasks(request: PageRequest) -> HttpResponse:
    """The person's own tasks over all projects; what is to do, or everything."""
    asked = Asked.of(request, "state", sorts=_SORTS)
    wanted = asked.filters.get("state", "")
    rows = pipeline.my_tasks(request.principal, all_states=bool(wanted))
    if wanted in list(TaskState):
        rows = rows.filter(state=wanted)
    if asked.text:
        rows = rows.filter(label__icontains=asked.text)
    if asked.sort:
        rows = ordered(asked, rows, _SORTS)
    elif asked.after:
        rows = pipeline.following(request.principal, rows, asked.after)
    page = Page.cut(asked, pipeline.listed(rows)[: PAGE_SIZE + 1])
    projects_of = {space.id: space.name for space in spaces_of(request.principal, SpaceKind.PROJECT)}
    asking = data_queries.open_counts([task.id for task in page.items])
    lines = [
        _line(task, projects_of.get(task.space_id, ""), request.LANGUAGE_CODE, asking.get(task.id, 0))
        for task in page.items
    ]
    chips = [(name, asked.address(state=state), wanted == state) for state, name in _chips()]
    context = {"asked": asked, "chips": chips, "lines": lines, "page": page}
    return render(request, "research_reads/tasks.html", context)


@require_GET
def read(request: PageRequest, task_id: UUID) -> HttpResponse:
    """Open a task to read it; a submitted or signed one is shown as it was frozen."""
    task = pipeline.own_task(request.principal, task_id)
    actor = actor_in(request.principal, task.space_id)
    try:
        opened = services.open_task(actor=actor, task_id=task_id)
    except AnotherComesFirst as another:
        messages.info(request, _("This project fixes the order of your tasks. This one is next."))
        return redirect("task-read", another.task_id)
    version, task = opened.version, opened.task
    definition = projects.definition(task.project_version)
    step, language = definition.step(task.step), request.LANGUAGE_CODE
    state, seen = forms.state(version.entry, language), sight_of(actor, task)
    lines = audit.history(actor, services.KIND, version.read_id)
    return render(
        request,
        "research_reads/read.html",
        {
            "task": task,
            "version": version,
            "versions": queries.versions(actor, task),
            "title": in_language(step.label, language),
            "legend": _("Your assessment")
            if step.kind is StepKind.ADJUDICATION
            else in_language(definition.forms[step.form].label, language),
            "meaning": step.meaning,
            "items": form_view.views(state, language),
            "may_know_subject": step.kind in BARRED_STEPS,
            "queries": data_queries.for_page(actor, task, language),
            "open_problems": form_view.open_problems(state),
            "is_draft": version.state == VersionState.DRAFT,
            "is_submitted": version.state == VersionState.SUBMITTED,
            "is_signed": version.state == VersionState.SIGNED,
            "is_valid": _is_valid(actor, version),
            "grant": opened.grant,
            "compared": comparison.compare(opened.sides, opened.grant, language),
            "sight": seen,
            "told": _told(task, seen.blinding, language),
            "acts": _ACTS[step.kind],
            "api": reverse("task-changes", args=[task.id]).removesuffix("changes"),
            "history": words.tell(lines, names(words.people_in(lines))),
        },
    )


def _line(task: Task, project: str, language: str, open_queries: int) -> TaskLine:
    step = projects.definition(task.project_version).step(task.step)
    is_overdue = task.due_on is not None and task.due_on < clock.now().date() and task.state in TO_DO
    return TaskLine(task, project, in_language(step.label, language), is_overdue, open_queries)


def _told(task: Task, blinding: Blinding, language: str) -> str:
    """What the task may tell of visit and site, in words; empty when both are blinded."""
    unit = task.unit
    visit = projects.definition(task.project_version).visit(unit.visit.code) if unit.visit else None
    words = []
    if visit and Told.VISIT in blinding.tell:
        words.append(in_language(visit.label, language))
    if unit.subject.site and Told.SITE in blinding.tell:
        words.append(unit.subject.site.name)
    return " · ".join(words)


def _chips() -> tuple[tuple[str, str], ...]:
    return (
        ("", _("To do")),
        *((state, str(STATE_WORDS[state])) for state in (*TO_DO, TaskState.SIGNED)),
    )


def _is_valid(actor: Actor, version: ReadVersion) -> bool:
    """Whether a signed version still is what was signed: its frozen text and the rows behind it."""
    if version.signature is None:
        return False
    texts = (version.record, record_of(actor, version))
    return all(verify(version.signature, digest(text)) is Validity.VALID for text in texts)
