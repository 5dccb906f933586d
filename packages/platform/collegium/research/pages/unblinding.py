"""Requests to unblind: what was asked and why, what was decided; asking, deciding and withdrawing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from collegium.forms.definition import in_language
from collegium.kit import ids
from collegium.kit.errors import CollegiumError, NotFound
from collegium.kit.principals import Principal
from collegium.kit.texts import storable
from collegium.research.pipeline import queries as pipeline
from collegium.research.pipeline import sight
from collegium.research.projects import queries as projects
from collegium.research.projects.models import Unblinding
from collegium.research.projects.unblinding import queries, services
from collegium.research.projects.unblinding.record import APPROVES, REFUSES
from collegium.trust.access.pages import member
from collegium.trust.access.policies import Permission, require
from collegium.trust.access.queries import may
from collegium.trust.identity.queries import names

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from django.http import HttpResponse, QueryDict

    from collegium.kit.pages.http import PageRequest
    from collegium.kit.principals import Actor
    from collegium.research.pipeline.models import Task

MOST = 500
"""Requests on the page: more than any project has."""


@dataclass(frozen=True, slots=True)
class Line:
    """A request in the list."""

    request: Unblinding
    task: Task | None
    step: str
    reader: str
    asked_by: str
    decided_by: str
    holds: bool
    """Whether an approved request is what was signed."""
    has_moved: bool
    """Whether the task has another person now: the approval is not theirs."""
    has_no_decider: bool
    """Whether it is open and nobody else may decide."""
    may_decide: bool
    may_withdraw: bool


@require_http_methods(["GET", "POST"])
def listing(request: PageRequest, space_id: UUID) -> HttpResponse:
    """All requests of the project, open ones first; posting asks, decides or withdraws."""
    actor = member(request, space_id)
    if not queries.may_see(actor):
        require(actor, Permission.UNBLINDING_ASK)
    refused = ""
    if request.method == "POST":
        try:
            with transaction.atomic():
                told = _act(actor, request.POST)
        except NotFound:
            raise
        except CollegiumError as error:
            refused = error.text
        else:
            messages.success(request, told)
            return redirect("unblinding", space_id)
    results = queries.requests_of(actor, Unblinding.Scope.RESULTS)
    context = {
        "lines": _lines(actor, request.LANGUAGE_CODE),
        "may_ask_results": may(actor, Permission.UNBLINDING_ASK)
        and not any(one.state == Unblinding.State.ASKED or queries.holds(one) for one in results),
        "sees_tasks": may(actor, Permission.TASK_VIEW_ALL),
        "approves": APPROVES,
        "refuses": REFUSES,
        "refused": refused,
        "said": storable(request.POST.get("reason", "")),
    }
    return render(request, "research_pages/unblinding.html", context, status=422 if refused else 200)


def _act(actor: Actor, given: QueryDict) -> str:
    """Do what was asked; returns what to tell."""
    act, reason = given.get("act", ""), storable(given.get("reason", ""))
    if act == "ask-results":
        services.ask_unblinding(actor=actor, scope=Unblinding.Scope.RESULTS, reason=reason)
        return _("You asked for it. Those who may decide are told.")
    about = ids.parse(given.get("id", ""))
    if about is None:
        raise NotFound
    if act == "ask-task":
        sight.ask_for_task(actor=actor, task_id=about, reason=reason)
        return _("You asked for it. Those who may decide are told.")
    if act == "withdraw":
        services.withdraw_unblinding(actor=actor, request_id=about, reason=reason)
        return _("The request is withdrawn.")
    if act not in ("approve", "refuse"):
        raise NotFound
    sight.decide(
        actor=actor,
        request_id=about,
        approve=act == "approve",
        reason=reason,
        password=given.get("password", ""),
    )
    return _("Approved and signed.") if act == "approve" else _("Refused and signed.")


def _lines(actor: Actor, language: str) -> list[Line]:
    rows = list(queries.requests(actor)[:MOST])
    tasks = {
        str(task.id): task
        for task in pipeline.tasks(actor).filter(id__in=[row.object_id for row in rows if row.object_id])
    }
    people = {text for row in rows for text in (row.asked_by, row.decided_by, row.person) if text}
    parsed = {text: Principal.parse(text).id for text in people}
    by_id = names(parsed.values())
    known = {text: by_id.get(id_, "") for text, id_ in parsed.items()}
    return [_line(actor, row, tasks.get(row.object_id), known, language) for row in rows]


def _line(actor: Actor, row: Unblinding, task: Task | None, known: Mapping[str, str], language: str) -> Line:
    own = actor.principal.behalf.text
    is_open = row.state == Unblinding.State.ASKED
    step = projects.definition(task.project_version).step(task.step) if task else None
    return Line(
        request=row,
        task=task,
        step=in_language(step.label, language) if step else "",
        reader=known.get(row.person, ""),
        asked_by=known.get(row.asked_by, ""),
        decided_by=known.get(row.decided_by, ""),
        holds=queries.holds(row),
        has_moved=task is not None and task.assignee != row.person,
        has_no_decider=is_open and not queries.deciders(actor, row),
        may_decide=is_open
        and own not in (row.asked_by, row.person)
        and may(actor, Permission.UNBLINDING_DECIDE),
        may_withdraw=is_open and own == row.asked_by and may(actor, Permission.UNBLINDING_ASK),
    )
