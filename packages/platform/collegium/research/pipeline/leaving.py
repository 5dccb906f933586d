"""Tasks that leave their people: for a conflict, an unblinding, another role, the end of a membership.

Labels that leave at one moment would tell their person that they belong together. So a conflict and an unblinding
take along every task that the person has not begun: those they may keep come back under other labels (decision 38).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collegium.imaging.grants import services as grants
from collegium.research.pipeline import queries
from collegium.research.pipeline.advancing import advance
from collegium.research.pipeline.services import deal_anew, hand_back, take_from_person
from collegium.research.pipeline.states import NOT_BEGUN, TO_DO, TaskState
from collegium.research.projects import queries as projects
from collegium.research.projects.definition import SubjectLabel
from collegium.research.projects.people import queries as people
from collegium.research.projects.people.barriers import BARRED_STEPS, barrier
from collegium.research.projects.unblinding.queries import unblinded_tasks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from collegium.kit.principals import Actor, Principal
    from collegium.research.pipeline.models import Task
    from collegium.research.projects.definition import Step
    from collegium.research.projects.models import Subject

IN_HAND = (TaskState.WAITING, *TO_DO)
DEALT = "Dealt anew under another label."
KNOWS = "Its person was unblinded for this subject in another task."


def in_hand(actor: Actor, principal: Principal) -> list[Task]:
    """What somebody has been given and has not signed, in order of birth."""
    return _of(actor, principal, IN_HAND)


def barred(actor: Actor, principal: Principal) -> list[Task]:
    """The reads among them whose subject the person may not read any more. They cannot be opened."""
    return _barred(actor, principal, in_hand(actor, principal))


def give_away(*, actor: Actor, tasks: Iterable[Task], reason: str) -> int:
    """Take tasks from their person and give them again as the project file says. Returns how many.

    Raises:
        Refused: one is somebody else's, and the actor manages no tasks.
    """
    number, tasks = 0, list(tasks)
    lock_subjects(actor, (task.unit.subject for task in tasks))
    for task in tasks:
        now = queries.task(actor, task.id)
        if now.assignee != task.assignee or now.state not in IN_HAND:
            continue  # it went with another timepoint
        hand_back(actor=actor, task_id=task.id, reason=reason)
        number += 1
    return number


def take_barred(*, actor: Actor, principal: Principal, reason: str) -> int:
    """Take the reads that a person may not have any more, and deal the rest of theirs anew. Returns how many left.

    Raises:
        Refused: it is about somebody else, and the actor manages no tasks.
    """
    lock_subjects(actor, (task.unit.subject for task in in_hand(actor, principal)))
    number = give_away(actor=actor, tasks=barred(actor, principal), reason=reason)
    for task in _barred(actor, principal, _of(actor, principal, (TaskState.SIGNED,))):
        grants.revoke_all(actor, owner=queries.owner_of(task), reason=reason)
    _deal_anew(actor, principal)
    return number


def take_from_unblinded(actor: Actor, unblinded: Task, person: Principal) -> None:
    """Give to others what somebody who knows a subject now has not begun of it, and deal the rest of theirs anew.

    Their reads in progress stay theirs: they were begun blind, and results say when that ended. The caller has locked
    `subjects_around`.
    """
    for task in _of(actor, person, NOT_BEGUN):
        of_it = task.unit.subject_id == unblinded.unit.subject_id and task.id != unblinded.id
        if of_it and _is_read(task):
            found = queries.locked_task(actor, task.id)
            if found.assignee == person.text and found.state in NOT_BEGUN:
                take_from_person(actor, found, KNOWS, was_handed_back=False)
    advance(actor=actor, subject=unblinded.unit.subject)
    _deal_anew(actor, person)


def _deal_anew(actor: Actor, principal: Principal) -> None:
    """Replace what a person can see and has not begun, but what was unblinded for them; its subjects are locked."""
    opened = unblinded_tasks(actor)
    for task in _of(actor, principal, (TaskState.OPEN,)):
        is_opened = (str(task.id), principal.text) in opened
        if not is_opened and _is_read(task) and _step(task).blinding.subject_label is SubjectLabel.TASK:
            deal_anew(actor, queries.locked_task(actor, task.id), DEALT)


def subjects_around(actor: Actor, unblinded: Task, person: Principal) -> list[Subject]:
    """Whose tasks an unblinding moves: those of its subject, and all that the person has in hand."""
    return [unblinded.unit.subject, *(task.unit.subject for task in in_hand(actor, person))]


def lock_subjects(actor: Actor, subjects: Iterable[Subject]) -> None:
    """Lock several subjects, in the order in which everybody does: two who lock the same never wait for each other."""
    for _, subject_id in sorted({(subject.code, subject.id) for subject in subjects}):
        projects.locked_subject(actor, subject_id)


def _of(actor: Actor, principal: Principal, states: Iterable[TaskState]) -> list[Task]:
    rows = queries.tasks(actor).filter(assignee=principal.text, state__in=states)
    return list(rows.order_by("listing"))


def _barred(actor: Actor, principal: Principal, tasks: Iterable[Task]) -> list[Task]:
    own = people.sites_of(actor).get(principal.text, set())
    conflicts = list(people.live_conflicts(actor).filter(principal=principal.text))
    sites = {one.site_id for one in conflicts if one.site_id}
    subjects = {one.subject_id for one in conflicts if one.subject_id}
    return [
        task
        for task in tasks
        if _is_read(task)
        and barrier(
            task.unit.subject_id,
            task.unit.subject.site_id,
            own_sites=own,
            declared_sites=sites,
            declared_subjects=subjects,
        )
    ]


def _is_read(task: Task) -> bool:
    return _step(task).kind in BARRED_STEPS


def _step(task: Task) -> Step:
    return projects.definition(task.project_version).step(task.step)
