"""Tasks that leave their people: for a conflict of interest, for another role, for the end of a membership."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collegium.research.pipeline import queries
from collegium.research.pipeline.services import hand_back
from collegium.research.pipeline.states import TO_DO, TaskState
from collegium.research.projects import queries as projects
from collegium.research.projects.people import queries as people
from collegium.research.projects.people.barriers import BARRED_STEPS, barrier

if TYPE_CHECKING:
    from collections.abc import Iterable

    from collegium.kit.principals import Actor, Principal
    from collegium.research.pipeline.models import Task

IN_HAND = (TaskState.WAITING, *TO_DO)


def in_hand(actor: Actor, principal: Principal) -> list[Task]:
    """What somebody has been given and has not signed, in order of birth."""
    rows = queries.tasks(actor).filter(assignee=principal.text, state__in=IN_HAND)
    return list(rows.order_by("listing"))


def barred(actor: Actor, principal: Principal) -> list[Task]:
    """The reads among them whose subject the person may not read any more. They cannot be opened."""
    own = people.sites_of(actor).get(principal.text, set())
    conflicts = list(people.live_conflicts(actor).filter(principal=principal.text))
    sites = {one.site_id for one in conflicts if one.site_id}
    subjects = {one.subject_id for one in conflicts if one.subject_id}
    return [
        task
        for task in in_hand(actor, principal)
        if projects.definition(task.project_version).step(task.step).kind in BARRED_STEPS
        and barrier(
            task.unit.subject_id,
            task.unit.subject.site_id,
            own_sites=own,
            declared_sites=sites,
            declared_subjects=subjects,
        )
    ]


def give_away(*, actor: Actor, tasks: Iterable[Task], reason: str) -> int:
    """Take tasks from their person and give them again as the project file says. Returns how many.

    Raises:
        Refused: one is somebody else's, and the actor manages no tasks.
    """
    number = 0
    for task in tasks:
        if queries.task(actor, task.id).assignee != task.assignee:
            continue  # it went with another timepoint
        hand_back(actor=actor, task_id=task.id, reason=reason)
        number += 1
    return number
