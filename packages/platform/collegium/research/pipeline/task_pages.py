"""One task for those who manage the project: what it is, its runs, and what may be done with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django import forms
from django.contrib import messages
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from collegium.forms.definition import in_language
from collegium.kit.errors import CollegiumError
from collegium.kit.principals import Principal
from collegium.research.pipeline import making, queries, services
from collegium.research.pipeline.errors import ReasonNeeded
from collegium.research.pipeline.states import LIVE, MOVES, Move, TaskState
from collegium.research.projects import queries as projects
from collegium.research.projects.models import Unblinding
from collegium.research.projects.unblinding import queries as unblinding
from collegium.research.projects.unblinding.record import KIND
from collegium.trust.access.pages import member
from collegium.trust.access.permissions import Permission
from collegium.trust.access.queries import may
from collegium.trust.audit import queries as audit
from collegium.trust.audit import words
from collegium.trust.identity.queries import names

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from collegium.kit.pages.http import PageRequest
    from collegium.kit.principals import Actor
    from collegium.research.pipeline.models import Task


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
    found = queries.task(actor, task_id)
    refused = ""
    if acts:
        try:
            fresh = _act(actor, found, Act(request.POST))
        except CollegiumError as error:
            refused = error.text
        else:
            messages.success(request, _("Done. It stands in the history with your reason."))
            return redirect("project-task", space_id, fresh.id)
    definition = projects.definition(found.project_version)
    step = definition.step(found.step)
    visit = definition.visit(found.unit.visit.code) if found.unit.visit else None
    runs = [one for one in queries.tasks_of_unit(actor, found.unit_id) if one.step == found.step]
    requests = unblinding.requests_of(actor, Unblinding.Scope.TASK, str(task_id))
    lines = _history(actor, task_id, requests)
    context = {
        "task": found,
        "title": in_language(step.label, request.LANGUAGE_CODE),
        "visit": in_language(visit.label, request.LANGUAGE_CODE) if visit else "",
        "people": names(Principal.parse(one.assignee).id for one in runs if one.assignee),
        "runs": [(one, _name(one)) for one in runs],
        "assignee": _name(found),
        "compared": [_name(queries.task(actor, side)) for _, side in sorted(found.sides.items())],
        "refused": refused,
        "reason": request.POST.get("reason", ""),
        "history": words.tell(lines, names(words.people_in(lines))),
        **_acts(actor, found),
        **_unblinding(actor, found, requests),
    }
    return render(request, "research_pipeline/task.html", context, status=422 if refused else 200)


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
            services.reassign_task(actor=actor, task_id=found.id, to=to, reason=reason)
    return found


def _acts(actor: Actor, found: Task) -> dict[str, object]:
    """What may be done with a task in its state, and to whom it could be given."""
    if not may(actor, Permission.TASK_MANAGE):
        return {}
    state = TaskState(found.state)
    step = projects.definition(found.project_version).step(found.step)
    can_give = state in (TaskState.WAITING, TaskState.OPEN)
    taken = queries.people_of_step(actor, found.unit, found.step)
    others = [one for one in making.allowed(actor, found.unit, step) if one not in taken] if can_give else []
    known = names(Principal.parse(one).id for one in others)
    return {
        "may_cancel": (state, Move.CANCEL) in MOVES,
        "may_open": state is TaskState.WAITING,
        "may_rerun": state is not TaskState.WAITING
        and (step.adjudication is None or state is TaskState.CANCELLED)
        and queries.is_newest_run(actor, found),
        "may_give": can_give,
        "others": [(one, known.get(Principal.parse(one).id, one)) for one in others],
    }


def _unblinding(actor: Actor, found: Task, requests: list[Unblinding]) -> dict[str, object]:
    """Whether the task's person is unblinded or somebody asks for it, for those who know of it."""
    if not unblinding.may_see(actor):
        return {}
    is_unblinded = any(unblinding.holds(one) and one.person == found.assignee for one in requests)
    is_asked = any(one.state == Unblinding.State.ASKED for one in requests)
    can_have = found.assignee not in ("", actor.principal.behalf.text) and TaskState(found.state) in LIVE
    return {
        "sees_unblinding": True,
        "is_unblinded": is_unblinded,
        "is_asked": is_asked,
        "may_ask": can_have and not (is_unblinded or is_asked) and may(actor, Permission.UNBLINDING_ASK),
    }


def _history(actor: Actor, task_id: UUID, requests: list[Unblinding]) -> list[audit.HistoryLine]:
    """What happened to the task; with what was asked about its blinding, for those who know of it."""
    lines = audit.history(actor, "research.task", task_id)
    if unblinding.may_see(actor):
        lines += [line for one in requests for line in audit.history(actor, KIND, one.id)]
    return sorted(lines, key=lambda line: line.at, reverse=True)


def _name(found: Task) -> str:
    if not found.assignee:
        return ""
    person = Principal.parse(found.assignee).id
    return names([person]).get(person, "")
