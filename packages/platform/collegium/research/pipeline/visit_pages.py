"""What no rule could place: exams without a visit and visits that came late, for those who decide about them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib import messages
from django.db import transaction
from django.db.models import Q
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from collegium.forms.definition import in_language
from collegium.kit import ids
from collegium.kit.errors import CollegiumError, NotFound
from collegium.kit.pages.lists import PAGE_SIZE
from collegium.kit.texts import storable
from collegium.research.pipeline import matching, placing, queries
from collegium.research.pipeline.lateness import Late, decide_late_visit, held_visits
from collegium.research.projects import queries as projects
from collegium.research.projects.people import queries as people
from collegium.trust.access.pages import member
from collegium.trust.access.permissions import Permission
from collegium.trust.access.queries import may

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import date
    from uuid import UUID

    from django.db.models import QuerySet
    from django.http import HttpResponse, QueryDict

    from collegium.kit.pages.http import PageRequest
    from collegium.kit.principals import Actor
    from collegium.research.pipeline.models import ExamPlacement, Task


@dataclass(frozen=True, slots=True)
class ExamLine:
    """An exam as it can be told apart without looking into it; nothing names it beyond its subject's code."""

    placement: ExamPlacement
    modalities: str
    visit: str
    day: int | None
    """Days from the subject's first exam; None where one of the two has no date."""

    @property
    def code(self) -> str:
        found = self.placement.subject
        return found.code if found else self.placement.exam.subject_code


@dataclass(frozen=True, slots=True)
class LateLine:
    """A visit of one subject that waits in one step, for one decision."""

    task: Task
    step: str
    visit: str
    readers: int


@require_http_methods(["GET", "POST"])
def visits(request: PageRequest, space_id: UUID) -> HttpResponse:
    """Exams without a visit, those placed by hand, and visits that came late; every act needs a reason."""
    actor = member(request, space_id, Permission.EXAM_PLACE)
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
            return redirect("visits", space_id)
    planned = projects.visit_names(actor, request.LANGUAGE_CODE)
    own = _within_reach(actor)
    all_waiting = own.exclude(unplaced="")
    waiting = list(all_waiting[:PAGE_SIZE])
    subjects = {one.subject_id for one in waiting if one.subject_id}
    context = {
        "refused": refused,
        "said": storable(request.POST.get("reason", "")),
        "windows": _windows(actor, planned),
        "unplaced": _exam_lines(actor, waiting, planned),
        "hidden": all_waiting.count() - len(waiting),
        "placed": _exam_lines(actor, _can_be_taken_back(actor, own, subjects), planned),
        "late": _late_lines(actor, planned, request.LANGUAGE_CODE),
        "choices": [(Late.AGAIN, _("Read the later visits again after it")), (Late.OUT, _("Read it out of sequence")),
                    (Late.LEAVE_OUT, _("Leave it out"))],
    }  # fmt: skip
    return render(request, "research_pipeline/visits.html", context, status=422 if refused else 200)


def _act(actor: Actor, given: QueryDict) -> str:
    """Do what was asked; returns what to tell."""
    about, reason = ids.parse(given.get("id", "")), storable(given.get("reason", ""))
    if about is None:
        raise NotFound
    match given.get("act", ""):
        case "place":
            code = storable(given.get("visit", ""))
            placing.place_by_hand(actor=actor, exam_id=about, visit_code=code, reason=reason)
            return _("The exam is placed. It can be taken back until somebody begins a task on it.")
        case "take-back":
            placing.take_back(actor=actor, exam_id=about, reason=reason)
            return _("The exam is taken out of its visit. Place it where it belongs.")
        case "decide" if given.get("decision", "") in list(Late):
            decide_late_visit(
                actor=actor, task_id=about, decision=Late(given.get("decision", "")), reason=reason
            )
            return _("Decided. It stands in the history of the tasks with your reason.")
        case _:
            raise NotFound


def _within_reach(actor: Actor) -> QuerySet[ExamPlacement]:
    """All placements, or those of the actor's own sites."""
    rows = queries.placements(actor)
    if may(actor, Permission.TASK_VIEW_ALL):
        return rows
    return rows.filter(subject__site__in=people.own_sites(actor))


def _can_be_taken_back(
    actor: Actor, rows: QuerySet[ExamPlacement], subjects: Collection[UUID]
) -> list[ExamPlacement]:
    """Placed exams of these subjects, and those placed by hand, while nobody has begun on them."""
    found = rows.filter(unplaced="", visit__isnull=False).filter(Q(subject__in=subjects) | ~Q(placed_by=""))
    return [one for one in found[:PAGE_SIZE] if not placing.is_begun(actor, one)]


def _exam_lines(
    actor: Actor, placements: Collection[ExamPlacement], planned: Mapping[str, str]
) -> list[ExamLine]:
    starts = _starts(actor, {one.subject_id for one in placements if one.subject_id})
    return [
        ExamLine(
            one,
            one.exam.modalities.replace("\\", ", "),
            planned.get(one.visit.code, one.visit.code) if one.visit else "",
            _day(one, starts),
        )
        for one in placements
    ]


def _starts(actor: Actor, subject_ids: Collection[UUID]) -> dict[UUID, date | None]:
    """The day from which each subject's visits count: that of the first planned one."""
    version = projects.newest_version(actor)
    if version is None:
        return {}
    first = projects.definition(version).visits[0].code
    return {
        subject.id: next((visit.exam_date for visit in subject.visits.all() if visit.code == first), None)
        for subject in projects.subjects(actor).filter(id__in=subject_ids)
    }


def _day(placement: ExamPlacement, starts: Mapping[UUID, date | None]) -> int | None:
    start = starts.get(placement.subject_id) if placement.subject_id else None
    on = matching.date_of(placement.exam.study_date)
    return (on - start).days if start and on else None


def _windows(actor: Actor, planned: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """Code, name and window of every planned visit."""
    version = projects.newest_version(actor)
    return [
        (visit.code, planned.get(visit.code, visit.code), _window(visit.first_day, visit.last_day))
        for visit in (projects.definition(version).visits if version else ())
    ]


def _window(first: int | None, last: int | None) -> str:
    if first is None:
        return _("day 0")
    return _("day %(first)d to %(last)d") % {"first": first, "last": last}


def _late_lines(actor: Actor, planned: Mapping[str, str], language: str) -> list[LateLine]:
    """One line for each visit and step, however many readers wait."""
    sees_all, own = may(actor, Permission.TASK_VIEW_ALL), {site.id for site in people.own_sites(actor)}
    together: dict[tuple[UUID, str], list[Task]] = {}
    for task in held_visits(actor):
        if sees_all or task.unit.subject.site_id in own:
            together.setdefault((task.unit_id, task.step), []).append(task)
    found = []
    for tasks in together.values():
        task = tasks[0]
        step = projects.definition(task.project_version).step(task.step)
        code = task.unit.visit.code if task.unit.visit else ""
        found.append(LateLine(task, in_language(step.label, language), planned.get(code, code), len(tasks)))
    return found
