"""What a new query can be about: subjects and tasks to choose from, and the items of the chosen task's form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from collegium.forms.definition import in_language
from collegium.kit.errors import NotFound
from collegium.kit.principals import Principal
from collegium.research.data_queries import policies
from collegium.research.data_queries.view import item_label
from collegium.research.pipeline import queries as pipeline
from collegium.research.pipeline.states import LIVE
from collegium.research.projects import queries as projects
from collegium.research.projects.definition import StepKind
from collegium.research.projects.people import queries as people
from collegium.trust.identity.queries import names

if TYPE_CHECKING:
    from collections.abc import Sequence
    from uuid import UUID

    from collegium.kit.principals import Actor
    from collegium.research.pipeline.models import Task
    from collegium.research.projects.models import Subject

SHOWN = 20
"""Subjects on the page that chooses; the rest is found by its code."""


@dataclass(frozen=True, slots=True)
class TaskChoice:
    """A task that may be asked about."""

    id: UUID
    step: str
    visit: str
    person: str
    state: str


@dataclass(frozen=True, slots=True)
class SubjectChoice:
    """A subject that may be asked about, with its tasks."""

    id: UUID
    code: str
    site: str
    tasks: tuple[TaskChoice, ...]


@dataclass(frozen=True, slots=True)
class About:
    """What was chosen, and what of it the query can name."""

    subject: str
    site: str
    task: TaskChoice | None = None
    subject_id: UUID | None = None
    items: Sequence[tuple[str, str]] = ()
    visits: Sequence[tuple[str, str]] = ()
    may_ask_person: bool = False
    may_ask_site: bool = False
    hides_subject: bool = False


def choices(actor: Actor, text: str, language: str) -> list[SubjectChoice]:
    """Subjects whose code contains `text`, newest first; tasks only for who sees all of them."""
    rows = projects.subjects(actor).order_by("-id")
    if text:
        rows = rows.filter(code__icontains=text)
    sees_all = policies.manages_all(actor)
    if not sees_all:
        rows = rows.filter(site__in=people.own_sites(actor))
    subjects = list(rows[:SHOWN])
    tasks = pipeline.tasks(actor).filter(unit__subject__in=subjects, state__in=LIVE) if sees_all else []
    made = _tasks(list(tasks), language)
    return [
        SubjectChoice(one.id, one.code, one.site.name if one.site else "", tuple(made.get(one.id, ())))
        for one in subjects
    ]


def about_task(actor: Actor, task_id: UUID, language: str) -> About:
    """A chosen task. Raises NotFound when the actor may not ask about it."""
    task = pipeline.tasks(actor).filter(id=task_id).first()
    if task is None or not policies.may_ask_about(actor, task.unit.subject):
        raise NotFound
    definition = projects.definition(task.project_version)
    step = definition.step(task.step)
    form = definition.forms[step.form]
    site = task.unit.subject.site
    (choice,) = _tasks([task], language)[task.unit.subject_id]
    return About(
        subject=task.unit.subject.code,
        site=site.name if site else "",
        task=choice,
        items=[(path, item_label(form, path, language)) for path in (*form.by_name, *form.groups)],
        may_ask_person=policies.manages_all(actor) and bool(task.assignee),
        may_ask_site=site is not None and step.kind in {StepKind.FORM, StepKind.QC},
        hides_subject=policies.hides_subject(task),
    )


def about_subject(actor: Actor, subject_id: UUID, language: str) -> About:
    """A chosen subject. Raises NotFound when the actor may not ask its site."""
    subject = projects.subjects(actor).filter(id=subject_id).first()
    if subject is None or not policies.may_ask_about(actor, subject):
        raise NotFound
    return About(
        subject=subject.code,
        site=subject.site.name if subject.site else "",
        subject_id=subject.id,
        visits=_visits(actor, subject, language),
        may_ask_site=subject.site is not None,
    )


def _visits(actor: Actor, subject: Subject, language: str) -> list[tuple[str, str]]:
    taken = {visit.code for visit in subject.visits.all()}
    return [(code, name) for code, name in projects.visit_names(actor, language).items() if code in taken]


def _tasks(tasks: Sequence[Task], language: str) -> dict[UUID, list[TaskChoice]]:
    """By subject."""
    known = names(Principal.parse(task.assignee).id for task in tasks if task.assignee)
    found: dict[UUID, list[TaskChoice]] = {}
    for task in tasks:
        person = known.get(Principal.parse(task.assignee).id, "") if task.assignee else ""
        definition = projects.definition(task.project_version)
        visit = definition.visit(task.unit.visit.code) if task.unit.visit else None
        found.setdefault(task.unit.subject_id, []).append(
            TaskChoice(
                task.id,
                in_language(definition.step(task.step).label, language),
                in_language(visit.label, language) if visit else "",
                person,
                task.state,
            )
        )
    return found
