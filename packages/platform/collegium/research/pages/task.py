"""One task for those who manage the project: what it is, its runs, and what may be done with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django import forms
from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from collegium.forms.definition import in_language
from collegium.kit.errors import CollegiumError
from collegium.kit.principals import Principal
from collegium.research.pages.telling import told
from collegium.research.pipeline import handing, independence, services
from collegium.research.pipeline import queries as pipeline
from collegium.research.pipeline.errors import ReasonNeeded
from collegium.research.pipeline.states import LIVE, MOVES, OVERTAKEN, UNDECIDED, Move, TaskState
from collegium.research.projects import queries as projects
from collegium.research.projects.models import Unblinding
from collegium.research.projects.unblinding import queries as unblinding
from collegium.research.projects.unblinding.record import KIND
from collegium.research.reads import queries as reads
from collegium.trust.access.pages import member
from collegium.trust.access.permissions import Permission
from collegium.trust.access.queries import may
from collegium.trust.audit import queries as audit
from collegium.trust.identity.queries import names

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from django.http import HttpResponse

    from collegium.kit.pages.http import PageRequest
    from collegium.kit.principals import Actor
    from collegium.research.pipeline.models import Task
    from collegium.trust.audit.words import Told


class Act(forms.Form):
    """What is done with a task, and why."""

    act = forms.ChoiceField(choices=[(name, name) for name in ("reassign", "cancel", "open", "rerun")])
    to = forms.CharField(required=False)
    reason = forms.CharField(max_length=200)


class Decision(forms.Form):
    """Whether two reads differ, and why one thinks so."""

    differs = forms.ChoiceField(choices=[("yes", "yes"), ("no", "no")])
    reason = forms.CharField(max_length=200)


@require_http_methods(["GET", "POST"])
def task(request: PageRequest, space_id: UUID, task_id: UUID) -> HttpResponse:
    """A task with its runs and history; acts need the permission to manage tasks, and a reason."""
    acts = request.method == "POST"
    actor = member(request, space_id, Permission.TASK_MANAGE if acts else Permission.TASK_VIEW_ALL)
    found = pipeline.task(actor, task_id)
    refused = ""
    if acts:
        try:
            with transaction.atomic():
                fresh = _act(actor, found, Act(request.POST))
        except CollegiumError as error:
            refused = error.text
        else:
            messages.success(request, _("Done. It stands in the history with your reason."))
            return redirect("project-task", space_id, fresh.id)
    language = request.LANGUAGE_CODE
    requests = unblinding.requests_of(actor, Unblinding.Scope.TASK, str(task_id))
    runs = [one for one in pipeline.tasks_of_unit(actor, found.unit_id) if one.step == found.step]
    compared = [pipeline.task(actor, side) for _side, side in sorted(found.sides.items())]
    people = _names([found, *runs, *compared])
    context = {
        "task": found,
        "title": _step(found, language),
        "visit": _visit(found, language),
        "runs": [(one, people.get(one.assignee, "")) for one in runs],
        "assignee": people.get(found.assignee, ""),
        "compared": [people.get(one.assignee, "") for one in compared],
        "refused": refused,
        "act": request.POST.get("act", ""),
        "reason": request.POST.get("reason", ""),
        "history": _history(actor, found, requests, language),
        **_acts(actor, found, language),
        **_unblinding(actor, found, requests),
    }
    return render(request, "research_pages/task.html", context, status=422 if refused else 200)


@require_POST
def decide(request: PageRequest, space_id: UUID, discrepancy_id: UUID) -> HttpResponse:
    """Say whether two reads differ, where the rule could not tell."""
    actor = member(request, space_id, Permission.TASK_MANAGE)
    form = Decision(request.POST)
    if not form.is_valid():
        raise ReasonNeeded
    services.decide_discrepancy(
        actor=actor, discrepancy_id=discrepancy_id, differs=form.cleaned_data["differs"] == "yes",
        reason=form.cleaned_data["reason"],
    )  # fmt: skip
    messages.success(request, _("Decided. It stands in the history with your reason."))
    return redirect("project-tasks", space_id)


def _act(actor: Actor, found: Task, form: Act) -> Task:
    """Do what the form says; returns the task to look at next."""
    if not form.is_valid():
        raise ReasonNeeded
    reason = form.cleaned_data["reason"]
    match form.cleaned_data["act"]:
        case "cancel":
            services.cancel_task(actor=actor, task_id=found.id, reason=reason)
        case "open":
            services.open_anyway(actor=actor, task_id=found.id, reason=reason)
        case "rerun":
            return services.rerun_step(actor=actor, task_id=found.id, reason=reason)
        case _:
            try:
                to = Principal.parse(form.cleaned_data["to"])
            except ValueError:
                raise ReasonNeeded from None
            return handing.give_to(actor=actor, task_id=found.id, to=to, reason=reason)
    return found


def _acts(actor: Actor, found: Task, language: str) -> dict[str, object]:
    """What may be done with a task in its state, to whom it could be given, and what another run supersedes."""
    if not may(actor, Permission.TASK_MANAGE):
        return {}
    state = TaskState(found.state)
    step = projects.definition(found.project_version).step(found.step)
    is_newest = pipeline.is_newest_run(actor, found)
    can_give = state in handing.GIVEN and is_newest
    others = handing.candidates(actor, found, is_recorded=False) if can_give else []
    known = names(Principal.parse(one).id for one in others)
    may_rerun = is_newest and state is TaskState.SIGNED and step.adjudication is None
    return {
        "may_cancel": (state, Move.CANCEL) in MOVES,
        "may_open": state is TaskState.WAITING and found.note == UNDECIDED,
        "is_overtaken": found.note == OVERTAKEN and may(actor, Permission.EXAM_PLACE),
        "may_rerun": may_rerun,
        "may_restore": is_newest and state is TaskState.CANCELLED,
        "superseded": _superseded(actor, found, language) if may_rerun else [],
        "may_give": can_give,
        "is_begun": state is TaskState.IN_PROGRESS,
        "others": [(one, known.get(Principal.parse(one).id, one)) for one in others],
    }


@dataclass(frozen=True, slots=True)
class Superseded:
    """A task that another run takes along."""

    step: str
    visit: str
    person: str
    state: str


def _superseded(actor: Actor, found: Task, language: str) -> list[Superseded]:
    """What another run of this task ends, by name: itself first, then all that builds on it and counts."""
    built_on = services.resting_on(actor, found, projects.definition(found.project_version))
    tasks = [found, *(one for one in built_on if one.state in LIVE)]
    people = _names(tasks)
    return [
        Superseded(_step(one, language), _visit(one, language), people.get(one.assignee, ""), one.state)
        for one in tasks
    ]


def _step(found: Task, language: str) -> str:
    return in_language(projects.definition(found.project_version).step(found.step).label, language)


def _visit(found: Task, language: str) -> str:
    """What the task's visit is called; a visit that its version does not know keeps its code."""
    if found.unit.visit is None:
        return ""
    planned = projects.definition(found.project_version).visit(found.unit.visit.code)
    return in_language(planned.label, language) if planned else found.unit.visit.code


def _unblinding(actor: Actor, found: Task, requests: list[Unblinding]) -> dict[str, object]:
    """Whether the task's person is unblinded or somebody asks for it, for those who know of it."""
    if not unblinding.may_see(actor):
        return {}
    is_unblinded = any(unblinding.holds(one) and one.person == found.assignee for one in requests)
    known = independence.unblinded_as(actor, found)
    is_asked = any(one.state == Unblinding.State.ASKED for one in requests)
    can_have = found.assignee not in ("", actor.principal.behalf.text) and TaskState(found.state) in LIVE
    return {
        "sees_unblinding": True,
        "is_unblinded": is_unblinded,
        "unblinded_at": known.decided_at if known else None,
        "is_asked": is_asked,
        "may_ask": can_have and not (is_unblinded or is_asked) and may(actor, Permission.UNBLINDING_ASK),
    }


def _history(actor: Actor, found: Task, requests: list[Unblinding], language: str) -> list[Told]:
    """What happened to the task and its read; what was asked about its blinding, for those who know of it."""
    read = reads.newest_version(actor, found)
    here = {str(found.id)} | ({str(read.read_id)} if read else set())
    lines = audit.history(actor, "research.task", found.id)
    lines += audit.history(actor, "research.read", read.read_id) if read else []
    if unblinding.may_see(actor):
        lines += [line for one in requests for line in audit.history(actor, KIND, one.id)]
    return told(actor, sorted(lines, key=lambda line: line.id, reverse=True), language, here=here)


def _names(tasks: Iterable[Task]) -> dict[str, str]:
    """Full names of the tasks' people, by principal text."""
    people = {one.assignee: Principal.parse(one.assignee).id for one in tasks if one.assignee}
    known = names(people.values())
    return {text: known.get(person, "") for text, person in people.items()}
