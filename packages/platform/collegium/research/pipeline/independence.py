"""Who may not have a task for what they know, read, settled or gave back of the same subject (R21, R44).

`conflicts` hold at every act of a task. What speaks only against being given one stands apart: nobody is stopped in
a read that was rightly theirs when they began it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collegium.research.pipeline import queries
from collegium.research.projects import queries as projects
from collegium.research.projects.definition import Timepoints
from collegium.research.projects.people import queries as people
from collegium.research.projects.people.barriers import BARRED_STEPS
from collegium.research.projects.unblinding.queries import unblinded_tasks

if TYPE_CHECKING:
    from uuid import UUID

    from collegium.kit.principals import Actor
    from collegium.research.pipeline.models import ReadingUnit, Task
    from collegium.research.projects.definition import Step
    from collegium.research.projects.models import Subject, Unblinding

OWN_READ = "own_read"
OWN_ADJUDICATION = "own_adjudication"
UNBLINDED = "unblinded"


def conflicts(actor: Actor, unit: ReadingUnit, step: Step) -> dict[str, str]:
    """Who may not act on this step for this unit, and why: own site, declared, a read or adjudication of their own.

    A read of their own in any run: what was seen of one's own answers, or of two compared ones, stays known.
    """
    if step.kind not in BARRED_STEPS:
        return {}
    refused = people.conflicts_of(actor, unit.subject)
    pipeline = projects.definition(unit.project_version).pipeline
    if step.adjudication:
        (read,) = [one for one in pipeline if one.name == step.adjudication.of]
        refused |= dict.fromkeys(_had(actor, unit, read, step), OWN_READ)
    for settling in pipeline:
        if settling.adjudication and settling.adjudication.of == step.name:
            refused |= dict.fromkeys(_had(actor, unit, settling, step), OWN_ADJUDICATION)
    return refused


def unfit(actor: Actor, unit: ReadingUnit, step: Step) -> dict[str, str]:
    """Who is not given a task of this step for this unit, and why: conflicts, and who knows the subject."""
    if step.kind not in BARRED_STEPS:
        return {}
    return dict.fromkeys(unblinded_for(actor, unit.subject), UNBLINDED) | conflicts(actor, unit, step)


def passed_over(actor: Actor, unit: ReadingUnit, step: Step) -> set[str]:
    """Who is not drawn though a manager may give it to them: who handed a task of the step back, whatever its slot."""
    return queries.people_who_handed_back(actor, unit, step.name, whole_subject=_spans(step))


def unblinded_for(actor: Actor, subject: Subject) -> dict[str, Unblinding]:
    """The first approval by principal text, for everybody who was unblinded in a task of this subject."""
    return {who: one for (of, who), one in unblinded_by_subject(actor).items() if of == subject.id}


def unblinded_by_subject(actor: Actor) -> dict[tuple[UUID, str], Unblinding]:
    """The first approval by subject and principal text, for all subjects of the project; two queries."""
    found = unblinded_tasks(actor)
    of_subject = queries.subjects_by_task(actor, [task_id for task_id, _ in found]) if found else {}
    first: dict[tuple[UUID, str], Unblinding] = {}
    for (task_id, person), one in found.items():
        if task_id in of_subject:
            first.setdefault((of_subject[task_id], person), one)
    return first


def unblinded_as(actor: Actor, task: Task) -> Unblinding | None:
    """The approval by which a task's person knows its subject, from this task or another; None when none does."""
    return unblinded_for(actor, task.unit.subject).get(task.assignee) if task.assignee else None


def _had(actor: Actor, unit: ReadingUnit, step: Step, other: Step) -> set[str]:
    """Who ever had a task of a step for this unit; for its subject, where one of the two shows earlier visits."""
    whole = _spans(step) or _spans(other)
    return queries.people_of_step(actor, unit, step.name, ever=True, whole_subject=whole)


def _spans(step: Step) -> bool:
    return step.timepoints is not Timepoints.ALONE
