"""Counts over a project. No answer, outcome or reader goes into them.

Whether an adjudication came, and whether a step opened that waits for somebody's reading, tells what was read. Such
steps are counted by site only for those who see all tasks anyway.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, ClassVar

from django.db.models import Aggregate, Count, DurationField, ExpressionWrapper, F, Q
from django.db.models.functions import TruncWeek

from collegium.forms.definition import in_language
from collegium.kit import clock
from collegium.research.data_queries.models import DataQuery
from collegium.research.data_queries.queries import LIVE as LIVE_QUERIES
from collegium.research.pipeline.models import ExamPlacement, Task
from collegium.research.pipeline.states import TO_DO, TaskState
from collegium.research.projects import queries as projects
from collegium.research.projects.definition import StepKind
from collegium.research.projects.models import Subject, Visit
from collegium.trust.access.policies import Permission, require
from collegium.trust.access.queries import may

if TYPE_CHECKING:
    from uuid import UUID

    from collegium.kit.principals import Actor
    from collegium.research.projects.definition import ProjectDefinition

WEEKS = 12
SHOWN = (TaskState.WAITING, TaskState.OPEN, TaskState.IN_PROGRESS, TaskState.SUBMITTED, TaskState.SIGNED)


@dataclass(slots=True)
class StepProgress:
    """How the tasks of one step stand, and how long they took."""

    name: str
    label: str
    counts: Counter[str] = field(default_factory=Counter)
    overdue: int = 0
    median_days: float | None = None

    @property
    def total(self) -> int:
        return sum(self.counts[state] for state in SHOWN)


@dataclass(slots=True)
class SiteProgress:
    """How far one site is."""

    code: str
    name: str
    subjects: int = 0
    exams: int = 0
    to_do: int = 0
    overdue: int = 0
    signed: int = 0
    queries: int = 0


@dataclass(frozen=True, slots=True)
class Week:
    """What happened in one week, which begins on Monday (UTC)."""

    begins: date
    exams: int
    signed: int


@dataclass(frozen=True, slots=True)
class Progress:
    """Everything the board shows."""

    subjects: int
    exams: int
    unplaced: int
    to_do: int
    overdue: int
    signed: int
    queries: int
    visits: tuple[tuple[str, int], ...]
    steps: tuple[StepProgress, ...]
    sites: tuple[SiteProgress, ...]
    weeks: tuple[Week, ...]
    has_all_by_site: bool
    """Whether the numbers of sites hold every step."""


class Median(Aggregate):
    """PostgreSQL's continuous median."""

    function = "percentile_cont"
    template = "%(function)s(0.5) within group (order by %(expressions)s)"
    output_field: ClassVar[DurationField[timedelta, timedelta]] = DurationField()


def progress(actor: Actor, language: str) -> Progress:
    """How the project stands now.

    Raises:
        Refused: the actor's role does not show progress.
    """
    require(actor, Permission.BOARD_VIEW)
    version = projects.newest_version(actor)
    definition = projects.definition(version) if version else None
    sees_all = may(actor, Permission.TASK_VIEW_ALL)
    telling = frozenset() if sees_all else _telling(definition)
    steps = _steps(actor, definition, language)
    sites = _sites(actor, telling)
    return Progress(
        subjects=sum(site.subjects for site in sites),
        exams=sum(site.exams for site in sites),
        unplaced=ExamPlacement.objects.filter(space_id=actor.space).exclude(unplaced="").count(),
        to_do=sum(step.counts[state] for step in steps for state in TO_DO),
        overdue=sum(step.overdue for step in steps),
        signed=sum(step.counts[TaskState.SIGNED] for step in steps),
        queries=sum(site.queries for site in sites),
        visits=_visits(actor, definition, language),
        steps=steps,
        sites=tuple(site for site in sites if site.code or site.subjects or site.exams),
        weeks=_weeks(actor),
        has_all_by_site=not telling,
    )


def _telling(definition: ProjectDefinition | None) -> frozenset[str]:
    """Steps whose mere existence tells something of what was read."""
    steps = definition.pipeline if definition else ()
    read = {step.name for step in steps if step.kind in (StepKind.READING, StepKind.ADJUDICATION)}
    return frozenset(
        step.name
        for step in steps
        if step.kind is StepKind.ADJUDICATION or any(f"{name}." in step.open_if for name in read)
    )


def _steps(actor: Actor, definition: ProjectDefinition | None, language: str) -> tuple[StepProgress, ...]:
    known = {
        step.name: StepProgress(step.name, in_language(step.label, language))
        for step in (definition.pipeline if definition else ())
    }
    rows = Task.objects.filter(space_id=actor.space, state__in=SHOWN).values_list("step", "state")
    for name, state, number, overdue in rows.annotate(Count("id"), late=_overdue()).order_by():
        step = known.setdefault(name, StepProgress(name, name))
        step.counts[state] += number
        step.overdue += overdue
    took = ExpressionWrapper(F("changed_at") - F("created_at"), output_field=DurationField())
    signed = Task.objects.filter(space_id=actor.space, state=TaskState.SIGNED).values_list("step")
    for name, median in signed.annotate(median=Median(took)).order_by():
        known[name].median_days = median / timedelta(days=1)
    return tuple(known.values())


def _sites(actor: Actor, telling: frozenset[str]) -> list[SiteProgress]:
    """Every site, in order of its code; last, what belongs to none."""
    sites: dict[UUID | None, SiteProgress] = {
        site.id: SiteProgress(site.code, site.name) for site in projects.sites(actor)
    }
    sites[None] = SiteProgress("", "")
    for site_id, number in _by(Subject, actor, "site_id"):
        sites[site_id].subjects = number
    for site_id, number in _by(ExamPlacement, actor, "subject__site_id"):
        sites[site_id].exams = number
    open_queries = DataQuery.objects.filter(space_id=actor.space, state__in=LIVE_QUERIES)
    for site_id, number in open_queries.values_list("subject__site_id").annotate(Count("id")).order_by():
        sites[site_id].queries = number
    tasks = Task.objects.filter(space_id=actor.space, state__in=SHOWN).exclude(step__in=telling)
    to_do, signed = Count("id", filter=Q(state__in=TO_DO)), Count("id", filter=Q(state=TaskState.SIGNED))
    by_site = tasks.values_list("unit__subject__site_id")
    for site_id, number, done, overdue in by_site.annotate(
        to_do=to_do, signed=signed, late=_overdue()
    ).order_by():
        found = sites[site_id]
        found.to_do, found.signed, found.overdue = number, done, overdue
    return list(sites.values())


def _by(model: type[Subject | ExamPlacement], actor: Actor, column: str) -> list[tuple[UUID | None, int]]:
    rows = model.objects.filter(space_id=actor.space).values_list(column)
    return list(rows.annotate(Count("id")).order_by())


def _visits(actor: Actor, definition: ProjectDefinition | None, language: str) -> tuple[tuple[str, int], ...]:
    """Planned visits, each with how many subjects came to it."""
    visits = Visit.objects.filter(space_id=actor.space, is_empty=False)
    came = dict(visits.values_list("code").annotate(Count("id")).order_by())
    planned = definition.visits if definition else ()
    return tuple((in_language(visit.label, language), came.get(visit.code, 0)) for visit in planned)


def _weeks(actor: Actor) -> tuple[Week, ...]:
    """The last weeks, the running one included, oldest first."""
    today = clock.now().date()
    first = today - timedelta(days=today.weekday(), weeks=WEEKS - 1)
    arrived = ExamPlacement.objects.filter(space_id=actor.space, placed_at__date__gte=first)
    signed = Task.objects.filter(space_id=actor.space, state=TaskState.SIGNED, changed_at__date__gte=first)
    exams = Counter(
        {week.date(): number for week, number in
         arrived.annotate(week=TruncWeek("placed_at")).values_list("week").annotate(Count("id")).order_by()}
    )  # fmt: skip
    done = Counter(
        {week.date(): number for week, number in
         signed.annotate(week=TruncWeek("changed_at")).values_list("week").annotate(Count("id")).order_by()}
    )  # fmt: skip
    begins = [first + timedelta(weeks=number) for number in range(WEEKS)]
    return tuple(Week(week, exams[week], done[week]) for week in begins)


def _overdue() -> Count:
    return Count("id", filter=Q(due_on__lt=clock.now().date(), state__in=TO_DO))
