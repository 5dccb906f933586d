"""A reader says that they know a subject: the conflict is declared, and the subject's tasks leave them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import messages
from django.db import transaction
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from collegium.forms.definition import in_language
from collegium.kit.errors import CollegiumError, NotFound
from collegium.kit.texts import storable
from collegium.research.pipeline import leaving
from collegium.research.pipeline import queries as pipeline
from collegium.research.projects import queries as projects
from collegium.research.projects.people.barriers import BARRED_STEPS
from collegium.research.projects.people.services import declare_conflict
from collegium.trust.access.policies import Permission, require
from collegium.trust.access.queries import actor_in

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from collegium.kit.pages.http import PageRequest
    from collegium.kit.principals import Actor
    from collegium.research.pipeline.models import Task
    from collegium.research.projects.definition import Step

NOTE = "The reader declared a conflict of interest."


@require_http_methods(["GET", "POST"])
def declare(request: PageRequest, task_id: UUID) -> HttpResponse:
    """Ask for the reason; then declare, and give back what was not submitted yet."""
    task = pipeline.own_task(request.principal, task_id)
    actor = actor_in(request.principal, task.space_id)
    require(actor, Permission.READ_WRITE)
    step = _step_of(task)
    if step.kind not in BARRED_STEPS:
        raise NotFound
    refused, said = "", storable(request.POST.get("reason", ""))
    if request.method == "POST":
        try:
            with transaction.atomic():
                _declare(actor, task, said)
        except CollegiumError as error:
            refused = error.text
        else:
            messages.success(
                request,
                _(
                    "Thank you. You are asked nothing about this subject any more. "
                    "Tasks that you have not begun have other labels now."
                ),
            )
            return redirect("tasks")
    context = {
        "task": task,
        "step": in_language(step.label, request.LANGUAGE_CODE),
        "leaves": task.state in leaving.IN_HAND,
        "refused": refused,
        "said": said,
    }
    return render(request, "research_pages/conflict.html", context, status=422 if refused else 200)


def _declare(actor: Actor, task: Task, reason: str) -> None:
    principal = actor.principal.behalf
    declare_conflict(actor=actor, principal=principal, subject_id=task.unit.subject_id, reason=reason)
    leaving.take_barred(actor=actor, principal=principal, reason=NOTE)


def _step_of(task: Task) -> Step:
    return projects.definition(task.project_version).step(task.step)
