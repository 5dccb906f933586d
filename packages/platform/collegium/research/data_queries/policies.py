"""Who sees, asks, answers and closes which query."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Q

from collegium.research.data_queries.errors import NotAskedOfYou
from collegium.research.data_queries.models import AskedOf
from collegium.research.pipeline.states import TaskState
from collegium.research.projects.people import queries as people
from collegium.trust.access.permissions import Permission
from collegium.trust.access.queries import may

if TYPE_CHECKING:
    from collections.abc import Collection
    from uuid import UUID

    from collegium.kit.principals import Actor
    from collegium.research.data_queries.models import DataQuery
    from collegium.research.pipeline.models import Task
    from collegium.research.projects.models import Subject


def manages_all(actor: Actor) -> bool:
    """Whether the actor handles the queries of the whole project, those of blinded reads too."""
    return may(actor, Permission.QUERY_MANAGE) and may(actor, Permission.TASK_VIEW_ALL)


def visible(actor: Actor) -> Q:
    """The queries an actor may see: all; or those of their sites; and of their own tasks, till those leave them."""
    if manages_all(actor):
        return Q()
    own = Q(asked_of=AskedOf.PERSON, task__assignee=actor.principal.behalf.text)
    own &= ~Q(task__state=TaskState.CANCELLED)
    return own | Q(asked_of=AskedOf.SITE, subject__site__in=sites_asked(actor))


def is_blind(actor: Actor, query: DataQuery) -> bool:
    """Whether the actor sees the query as the person of its task: by label, without names."""
    own = query.task is not None and query.task.assignee == actor.principal.behalf.text
    return query.asked_of == AskedOf.PERSON and (own or not manages_all(actor))


def may_handle(actor: Actor, query: DataQuery) -> bool:
    """Whether to offer closing it or asking again. Nobody handles a query about an own task."""
    return may(actor, Permission.QUERY_MANAGE) and not is_blind(actor, query)


def sites_asked(actor: Actor) -> set[UUID]:
    """The sites for which the actor answers."""
    return {site.id for site in people.own_sites(actor)} if may(actor, Permission.SITE_VIEW) else set()


def may_answer(actor: Actor, query: DataQuery, sites: Collection[UUID]) -> bool:
    """Whether the query was put to the actor: to the task's person, or to one of the `sites` they answer for."""
    if query.asked_of == AskedOf.SITE:
        return query.subject.site_id in sites
    own = query.task is not None and query.task.assignee == actor.principal.behalf.text
    return own and may(actor, Permission.READ_WRITE)


def require_asked(actor: Actor, query: DataQuery) -> None:
    """Raises NotAskedOfYou."""
    if not may_answer(actor, query, sites_asked(actor)):
        raise NotAskedOfYou


def may_ask_about(actor: Actor, subject: Subject) -> bool:
    """Whether the actor handles queries of this subject at all."""
    return manages_all(actor) or people.is_at_site(actor, subject.site_id)


def hides_subject(task: Task) -> bool:
    """Whether the task's person may not learn the subject's code from us."""
    return task.label != task.unit.subject.code
