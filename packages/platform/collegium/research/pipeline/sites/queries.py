"""Read what a site may see of its own subjects."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from collegium.forms import queries as forms
from collegium.forms.definition import ItemKind, in_language
from collegium.research.pipeline import queries as pipeline
from collegium.research.pipeline.states import TO_DO, TaskState
from collegium.research.projects import queries as projects
from collegium.research.projects.definition import QcVerdict, StepKind

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from uuid import UUID

    from django.db.models import QuerySet

    from collegium.kit.principals import Actor
    from collegium.research.pipeline.models import ExamPlacement, Task
    from collegium.research.projects.models import Subject

_OF_SITES = (StepKind.FORM, StepKind.QC)


@dataclass(frozen=True, slots=True)
class Correction:
    """A check of images that asked the site to do something, in the words of who checked."""

    subject_id: UUID
    subject: str
    visit: str
    words: tuple[tuple[str, str], ...]
    asked_at: datetime


@dataclass(frozen=True, slots=True)
class FormTask:
    """A form or an image check of an own subject that somebody of the site has to do."""

    id: UUID
    subject_id: UUID
    subject: str
    visit: str
    step: str
    state: str
    assignee: str
    is_own: bool


def subjects_of(actor: Actor, site_ids: Collection[UUID]) -> QuerySet[Subject]:
    """Subjects of these sites, newest first, with their visits."""
    return projects.subjects(actor).filter(site__in=site_ids).order_by("-id")


def exams_of(actor: Actor, subjects: Sequence[Subject]) -> dict[UUID, list[ExamPlacement]]:
    """What has arrived, by subject, oldest first; exams without a visit too."""
    found: dict[UUID, list[ExamPlacement]] = defaultdict(list)
    rows = pipeline.placements(actor).filter(subject__in=subjects).order_by("id")
    for placement in rows:
        if placement.subject_id:
            found[placement.subject_id].append(placement)
    return dict(found)


def corrections(actor: Actor, site_ids: Collection[UUID], language: str) -> list[Correction]:
    """Corrective actions that were asked of these sites and not done yet, oldest first."""
    rows = pipeline.tasks(actor).filter(
        unit__subject__site__in=site_ids, state=TaskState.SIGNED, entry__isnull=False
    )
    found = []
    for task in rows.select_related("entry__form_version").order_by("changed_at"):
        definition = projects.definition(task.project_version)
        step = definition.step(task.step)
        if step.kind is not StepKind.QC or task.entry is None:
            continue
        answers = forms.counted_answers(task.entry)
        verdict = answers.get(step.verdict)
        if verdict is None or verdict.value != QcVerdict.CORRECT:
            continue
        said = tuple(
            (in_language(item.label, language), answers[item.name].value)
            for item in definition.forms[step.form].items
            if item.kind is ItemKind.TEXT and item.name in answers and answers[item.name].value
        )
        found.append(
            Correction(
                task.unit.subject_id, task.unit.subject.code, _visit(task, language), said, task.changed_at
            )
        )
    return found


def form_tasks(actor: Actor, site_ids: Collection[UUID], language: str) -> list[FormTask]:
    """Forms and image checks to do for subjects of these sites, oldest first. No read is among them."""
    me = actor.principal.behalf.text
    rows = pipeline.tasks(actor).filter(unit__subject__site__in=site_ids, state__in=TO_DO)
    found = []
    for task in rows.order_by("listing"):
        step = projects.definition(task.project_version).step(task.step)
        if step.kind in _OF_SITES and (step.assign.at_site or task.assignee == me):
            found.append(
                FormTask(
                    task.id, task.unit.subject_id, task.unit.subject.code, _visit(task, language),
                    in_language(step.label, language), task.state, task.assignee, task.assignee == me,
                )
            )  # fmt: skip
    return found


def _visit(task: Task, language: str) -> str:
    """What the task's project version calls its visit."""
    if task.unit.visit is None:
        return ""
    planned = projects.definition(task.project_version).visit(task.unit.visit.code)
    return in_language(planned.label, language) if planned else task.unit.visit.code
