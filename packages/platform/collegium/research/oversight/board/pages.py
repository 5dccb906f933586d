"""The board of a project, and the figures of it that stand on the overview."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET

from collegium.research.oversight.board import chart, queries
from collegium.research.pipeline.state_words import STATE_WORDS
from collegium.research.pipeline.states import TaskState
from collegium.trust.access.pages import member
from collegium.trust.access.permissions import Permission
from collegium.trust.access.queries import may

if TYPE_CHECKING:
    from uuid import UUID

    from django.http import HttpResponse

    from collegium.kit.pages.http import PageRequest
    from collegium.kit.principals import Actor
    from collegium.research.oversight.board.queries import Progress, SiteProgress, StepProgress


@dataclass(frozen=True, slots=True)
class Number:
    """A number and the list behind it, if the person may see that."""

    value: int
    address: str = ""


@dataclass(frozen=True, slots=True)
class Figure:
    """A number that matters."""

    name: str
    value: int
    note: str
    address: str
    is_late: bool = False


@require_GET
def board(request: PageRequest, space_id: UUID) -> HttpResponse:
    """How far the project is, how fast it goes and where it waits."""
    actor = member(request, space_id, Permission.BOARD_VIEW)
    progress = queries.progress(actor, request.LANGUAGE_CODE)
    words = (_("exams received"), _("tasks signed"))
    context = {
        "progress": progress,
        "figures": figures(actor, progress),
        "steps": [_of_step(actor, step) for step in progress.steps],
        "sites": [_of_site(actor, site) for site in progress.sites],
        "bars": chart.columns(progress.weeks, words),
        "marks": chart.marks(progress.weeks),
        "width": chart.WIDTH,
        "height": chart.HEIGHT,
        "most": chart.most(progress.weeks),
        "states": [STATE_WORDS[state] for state in queries.SHOWN],
        "is_live": may(actor, Permission.TASK_VIEW_ALL),
    }
    return render(request, "research_oversight/board.html", context)


def figures(actor: Actor, progress: Progress) -> list[Figure]:
    """The numbers at the top; also those of the overview."""
    week = progress.weeks[-1]
    unplaced = (
        ngettext("%(n)d without a place", "%(n)d without a place", progress.unplaced)
        if progress.unplaced
        else ""
    )
    return [
        Figure(_("Subjects"), progress.subjects, "", _subjects(actor)),
        Figure(
            _("Exams"), progress.exams, unplaced % {"n": progress.unplaced} if unplaced else "", _exams(actor)
        ),
        Figure(_("Tasks to do"), progress.to_do, "", _tasks(actor)),
        Figure(_("Overdue"), progress.overdue, "", _tasks(actor, late="yes"), is_late=progress.overdue > 0),
        Figure(
            _("Signed"),
            progress.signed,
            _("%(n)d this week") % {"n": week.signed},
            _tasks(actor, state=TaskState.SIGNED.value),
        ),
        Figure(_("Open queries"), progress.queries, "", _queries(actor)),
    ]


def _of_step(actor: Actor, step: StepProgress) -> dict[str, object]:
    return {
        "step": step,
        "total": Number(step.total, _tasks(actor, step=step.name)),
        "numbers": [
            Number(step.counts[state], _tasks(actor, step=step.name, state=state.value))
            for state in queries.SHOWN
        ],
        "overdue": Number(step.overdue, _tasks(actor, step=step.name, late="yes")),
        "bars": chart.strip(step),
    }


def _of_site(actor: Actor, site: SiteProgress) -> dict[str, object]:
    there = {"site": site.code} if site.code else {}
    return {
        "site": site,
        "to_do": Number(site.to_do, _tasks(actor, **there)),
        "overdue": Number(site.overdue, _tasks(actor, late="yes", **there)),
        "signed": Number(site.signed, _tasks(actor, state=TaskState.SIGNED.value, **there)),
    }


def _tasks(actor: Actor, **narrowed: str) -> str:
    if not may(actor, Permission.TASK_VIEW_ALL):
        return ""
    address = reverse("project-tasks", args=[actor.space])
    return f"{address}?{urlencode(narrowed)}" if narrowed else address


def _subjects(actor: Actor) -> str:
    return reverse("subjects", args=[actor.space]) if may(actor, Permission.SUBJECT_VIEW) else ""


def _exams(actor: Actor) -> str:
    return reverse("exams", args=[actor.space]) if may(actor, Permission.EXAM_VIEW) else ""


def _queries(actor: Actor) -> str:
    return reverse("queries", args=[actor.space]) if may(actor, Permission.QUERY_MANAGE) else ""
