"""A reader's own order of tasks: drawn at the first open, kept for ever, told to nobody (R22)."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from django.db import connection

from collegium.research.pipeline import queries
from collegium.research.pipeline.errors import AnotherComesFirst
from collegium.research.projects import queries as projects
from collegium.research.projects.definition import Order
from collegium.trust.audit.actions import Action
from collegium.trust.audit.services import record

if TYPE_CHECKING:
    from collegium.kit.principals import Actor
    from collegium.research.pipeline.models import Task


def one_at_a_time(actor: Actor) -> None:
    """Make a person's openings wait for one another: each may lock several of their tasks to fix an order."""
    with connection.cursor() as cursor:
        key = f"open {actor.space_id} {actor.principal.behalf.text}"
        cursor.execute("select pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])


def require_turn(actor: Actor, task: Task) -> None:
    """Fix the order of what is open, if the step has one, and refuse what is not next.

    Raises:
        AnotherComesFirst: with the task whose turn it is.
    """
    step = projects.definition(task.project_version).step(task.step)
    if step.order is not Order.FIXED:
        return
    waiting = queries.to_do_of(actor, task.assignee, task.step)
    _fix(actor, waiting)
    first = min((one for one in waiting if one.position), key=lambda one: one.position or 0, default=task)
    if first.id != task.id:
        raise AnotherComesFirst(first.id)


def _fix(actor: Actor, waiting: list[Task]) -> None:
    """Tasks without a place get one after all that have one, in an order drawn now."""
    fresh = [task for task in waiting if task.position is None]
    if not fresh:
        return
    secrets.SystemRandom().shuffle(fresh)
    first = queries.last_position(actor, fresh[0].assignee, fresh[0].step) + 1
    for position, task in enumerate(fresh, first):
        task.position = position
        task.save(update_fields=["position"])
    record(
        actor, Action.ORDER_FIXED, "research.order", f"{fresh[0].step}:{fresh[0].assignee}",
        new={"from": first, "tasks": [str(task.id) for task in fresh]},
    )  # fmt: skip
