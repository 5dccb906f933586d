"""Read data queries: always through what the actor may see."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Count, Q

from collegium.kit.errors import NotFound
from collegium.research.data_queries import policies
from collegium.research.data_queries.errors import QueriesOpen
from collegium.research.data_queries.models import AskedOf, DataQuery, QueryState
from collegium.research.data_queries.view import PageQueries, shown
from collegium.research.projects.people import queries as people
from collegium.trust.access.permissions import Permission
from collegium.trust.tenancy.queries import members_who_may

if TYPE_CHECKING:
    from collections.abc import Collection
    from uuid import UUID

    from django.db.models import QuerySet

    from collegium.kit.principals import Actor
    from collegium.research.pipeline.models import Task

_WITH = ("subject__site", "visit", "task__unit__subject", "task__project_version")
LIVE = (QueryState.OPEN, QueryState.ANSWERED)


def visible(actor: Actor) -> QuerySet[DataQuery]:
    """The queries of the project that the actor may see, newest first."""
    rows = DataQuery.objects.filter(policies.visible(actor), space_id=actor.space)
    return rows.select_related(*_WITH).order_by("-listing")


def found(actor: Actor, rows: QuerySet[DataQuery], text: str) -> QuerySet[DataQuery]:
    """Of these, the ones that say `text`. A subject's code finds nothing for whom it is hidden from."""
    code, label = Q(subject__code__icontains=text), Q(task__label__icontains=text)
    if not policies.manages_all(actor):
        code, label = code & Q(asked_of=AskedOf.SITE), label & Q(asked_of=AskedOf.PERSON)
    return rows.filter(Q(text__icontains=text) | code | label)


def query(actor: Actor, query_id: UUID) -> DataQuery:
    """One query with its dialogue.

    Raises:
        NotFound: there is none, or the actor may not see it.
    """
    row = visible(actor).filter(id=query_id).prefetch_related("messages").first()
    if row is None:
        raise NotFound
    return row


def locked_query(actor: Actor, query_id: UUID) -> DataQuery:
    """The same, locked until the transaction ends."""
    row = visible(actor).select_for_update(of=("self",)).filter(id=query_id).first()
    if row is None:
        raise NotFound
    return row


def open_queries(actor: Actor, task: Task) -> list[DataQuery]:
    """The queries that wait for the task's person, oldest first."""
    rows = DataQuery.objects.filter(
        space_id=actor.space, task=task, asked_of=AskedOf.PERSON, state=QueryState.OPEN
    )
    return list(rows.select_related(*_WITH).order_by("listing"))


def require_none_open(actor: Actor, task: Task) -> None:
    """What a signing rule may ask for.

    Raises:
        QueriesOpen: the task's person has not answered all.
    """
    number = len(open_queries(actor, task))
    if number:
        raise QueriesOpen(number)


def for_page(actor: Actor, task: Task, language: str = "en") -> PageQueries:
    """The live queries of a task as its person sees them beside the form."""
    rows = DataQuery.objects.filter(
        space_id=actor.space, task=task, asked_of=AskedOf.PERSON, state__in=LIVE
    ).select_related(*_WITH)
    return PageQueries.of(
        [shown(actor, row, language) for row in rows.prefetch_related("messages").order_by("listing")]
    )


def open_counts(task_ids: Collection[UUID]) -> dict[UUID, int]:
    """Number of open queries of tasks, put to their persons; for a list of tasks that its reader may see."""
    rows = DataQuery.objects.filter(task__in=task_ids, asked_of=AskedOf.PERSON, state=QueryState.OPEN)
    return dict(rows.values_list("task").annotate(Count("id")).order_by())


def state_counts(actor: Actor) -> dict[str, int]:
    """Number of queries by state, of those the actor may see."""
    rows = DataQuery.objects.filter(policies.visible(actor), space_id=actor.space)
    return dict(rows.values_list("state").annotate(Count("id")).order_by())


def people_asked(actor: Actor, query: DataQuery) -> set[str]:
    """Principal texts of those who can answer."""
    if query.asked_of == AskedOf.PERSON:
        return {query.task.assignee} if query.task and query.task.assignee else set()
    here = {row.principal for row in people.site_members(actor) if row.site_id == query.subject.site_id}
    return here & members_who_may(actor, Permission.SITE_VIEW)


def waiting_at_site(actor: Actor, site_ids: Collection[UUID]) -> list[DataQuery]:
    """Open queries that were put to these sites, oldest first."""
    rows = DataQuery.objects.filter(
        space_id=actor.space, asked_of=AskedOf.SITE, subject__site__in=site_ids, state=QueryState.OPEN
    )
    return list(rows.select_related(*_WITH).prefetch_related("messages").order_by("listing"))
