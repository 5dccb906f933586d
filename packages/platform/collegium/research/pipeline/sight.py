"""What a task lets its person see of the subject: what its step says, or all of it once the task is unblinded (R44)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydicom.datadict import keyword_for_tag

from collegium.imaging.archive.attributes import DESCRIPTIVE
from collegium.kit.principals import Principal
from collegium.research.pipeline import leaving, queries
from collegium.research.pipeline.states import LIVE, TaskState
from collegium.research.projects import queries as projects
from collegium.research.projects.definition import Blinding, SubjectLabel, Told
from collegium.research.projects.errors import NothingToUnblind
from collegium.research.projects.models import Unblinding
from collegium.research.projects.unblinding import queries as unblinding
from collegium.research.projects.unblinding import services
from collegium.research.projects.unblinding.queries import unblinded_task
from collegium.trust.access.policies import Permission, require

if TYPE_CHECKING:
    from uuid import UUID

    from collegium.kit.principals import Actor
    from collegium.research.pipeline.models import Task

UNBLINDED = Blinding(
    show=tuple(sorted(map(keyword_for_tag, DESCRIPTIVE))), subject_label=SubjectLabel.CODE, tell=tuple(Told)
)
"""Nothing is hidden but the archive's own names: UIDs stay the task's own."""


@dataclass(frozen=True, slots=True)
class Sight:
    """What the person of one task may see."""

    label: str
    blinding: Blinding
    is_unblinded: bool = False


def sight_of(actor: Actor, task: Task) -> Sight:
    """What the person who has the task sees now."""
    is_unblinded = bool(task.assignee) and unblinded_task(actor, task.id, task.assignee) is not None
    return sight(task, is_unblinded=is_unblinded)


def sight(task: Task, *, is_unblinded: bool) -> Sight:
    """The same, for who has looked up the approvals of many tasks."""
    if is_unblinded:
        return Sight(task.unit.subject.code, UNBLINDED, is_unblinded=True)
    return Sight(task.label, projects.definition(task.project_version).step(task.step).blinding)


def ask_for_task(*, actor: Actor, task_id: UUID, reason: str) -> Unblinding:
    """Ask that one task be unblinded for the person who has it now.

    Raises:
        Refused: the role does not ask for this.
        NotFound: the project has no such task.
        NothingToUnblind: it counts no more, or nobody has it.
        Others: as `ask_unblinding`.
    """
    require(actor, Permission.UNBLINDING_ASK)
    task = queries.task(actor, task_id)
    if not task.assignee or TaskState(task.state) not in LIVE:
        raise NothingToUnblind
    return services.ask_unblinding(
        actor=actor, scope=Unblinding.Scope.TASK, object_id=str(task.id), person=task.assignee, reason=reason
    )


def decide(*, actor: Actor, request_id: UUID, approve: bool, reason: str, password: str) -> Unblinding:
    """Approve or refuse a request, under signature.

    Approved for a task, its person knows the subject: other reads of it that they have not begun go to others at once,
    those that they have begun stay theirs, and results say of both since when they know (decision 38).

    Raises:
        As `decide_unblinding` of the project's room.
    """
    require(actor, Permission.UNBLINDING_DECIDE)
    asked = unblinding.request(actor, request_id)
    if asked.object_id:
        about, person = queries.task(actor, asked.object_id), Principal.parse(asked.person)
        leaving.lock_subjects(actor, leaving.subjects_around(actor, about, person))
    decided = services.decide_unblinding(
        actor=actor, request_id=request_id, approve=approve, reason=reason, password=password
    )
    if approve and decided.object_id:
        leaving.take_from_unblinded(
            actor, queries.task(actor, decided.object_id), Principal.parse(decided.person)
        )
    return decided
