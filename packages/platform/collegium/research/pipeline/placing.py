"""Place exams by hand that no rule could place, and take them out of a visit again (decision 0037).

Lock order: placement, subject, task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collegium.research.pipeline import matching, queries
from collegium.research.pipeline.advancing import advance
from collegium.research.pipeline.errors import (
    AlreadyPlaced,
    NotPlaced,
    SubjectNotListed,
    VisitBegun,
    VisitUnknown,
)
from collegium.research.pipeline.models import Unplaced
from collegium.research.pipeline.moving import move_task
from collegium.research.pipeline.placers import require_placer
from collegium.research.pipeline.services import put_in_visit, reason_of
from collegium.research.pipeline.states import LIVE, NOT_BEGUN, TAKEN_BACK, Move
from collegium.research.projects import queries as projects
from collegium.research.projects import services as project_services
from collegium.trust.audit.actions import Action
from collegium.trust.audit.services import record

if TYPE_CHECKING:
    from uuid import UUID

    from collegium.kit.principals import Actor
    from collegium.research.pipeline.models import ExamPlacement


def place_by_hand(*, actor: Actor, exam_id: UUID, visit_code: str, reason: str) -> ExamPlacement:
    """Say which visit an exam without a place belongs to; its tasks are made as if its date had said so.

    Raises:
        Refused, NotFound: the actor does not place exams of this subject.
        SubjectNotListed, AlreadyPlaced, VisitUnknown, ReasonNeeded: nothing was placed.
    """
    placement = queries.placement(actor, exam_id)
    require_placer(actor, placement.subject)
    if placement.subject_id is None:
        raise SubjectNotListed
    subject = projects.locked_subject(actor, placement.subject_id)
    if placement.visit_id:
        raise AlreadyPlaced
    if projects.definition(projects.current_version(actor)).visit(visit_code) is None:
        raise VisitUnknown
    put_in_visit(actor, placement, subject, visit_code, by_hand=reason_of(reason))
    return placement


def take_back(*, actor: Actor, exam_id: UUID, reason: str) -> None:
    """Take an exam out of its visit while nobody has begun a task on it. It waits to be placed by hand.

    Tasks that have nothing left to show are cancelled, and made again with the visit's next exam.

    Raises:
        Refused, NotFound: the actor does not place exams of this subject.
        NotPlaced, VisitBegun, ReasonNeeded: nothing was changed.
    """
    placement = queries.placement(actor, exam_id)
    require_placer(actor, placement.subject)
    if placement.subject_id is None or placement.visit is None:
        raise NotPlaced
    subject = projects.locked_subject(actor, placement.subject_id)
    visit, why = placement.visit, reason_of(reason)
    if is_begun(actor, placement):
        raise VisitBegun
    left = [one for one in queries.placed_in(actor, visit.id) if one.id != placement.id]
    for task in queries.tasks_with_exam(actor, placement):
        if task.state in NOT_BEGUN and (task.unit.exam_id or not left):
            locked = queries.locked_task(actor, task.id)
            move_task(actor=actor, task=locked, move=Move.CANCEL, note=TAKEN_BACK)
    dates = [matching.date_of(one.exam.study_date) for one in left]
    project_services.date_visit(visit=visit, exam_dates=dates)
    placement.visit, placement.unplaced, placement.placed_by = None, Unplaced.TAKEN_BACK, ""
    placement.save(update_fields=["visit", "unplaced", "placed_by"])
    record(
        actor, Action.EXAM_TAKEN_BACK, "research.exam", exam_id, old={"subject": subject.code, "visit": visit.code},
        reason=why,
    )  # fmt: skip
    advance(actor=actor, subject=subject)


def is_begun(actor: Actor, placement: ExamPlacement) -> bool:
    """Whether a task that counts, about the exam or its visit, was begun."""
    found = queries.tasks_with_exam(actor, placement)
    return any(task.state in LIVE and task.state not in NOT_BEGUN for task in found)
