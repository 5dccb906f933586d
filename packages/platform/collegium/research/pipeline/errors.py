"""What can go wrong with placements and tasks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collegium.kit.errors import Conflict, Invalid, Refused

if TYPE_CHECKING:
    from uuid import UUID


class TaskNotOpen(Conflict):
    code = "research.task.not_open"
    message = "This task is not open: an earlier step has to be signed first, or it was cancelled."


class AnotherComesFirst(Conflict):
    """The project fixes the order of a reader's tasks, and `task_id` is next."""

    code = "research.task.another_first"
    message = "This project fixes the order of your tasks, and another one comes first."

    def __init__(self, task_id: UUID) -> None:
        super().__init__()
        self.task_id = task_id


class ConflictOfInterest(Refused):
    code = "research.task.conflict_of_interest"
    message = "This person may not have this task: there is a conflict of interest."


class CannotHaveTask(Refused):
    code = "research.task.cannot_have"
    message = (
        "This person cannot have this task: not of its role, not of the site, or another reader of the same."
    )


class TaskStarted(Conflict):
    code = "research.task.started"
    message = "This task was begun. Run its step again instead; what was drafted stays readable."


class NotNewestRun(Conflict):
    code = "research.task.not_newest_run"
    message = "This step was run again already. Look at its newest run."


class DecisionNotNeeded(Conflict):
    code = "research.discrepancy.decided"
    message = "There is nothing to decide here any more. Load the page again."


class ReasonNeeded(Invalid):
    code = "research.task.reason_needed"
    message = "Say why, in at least three letters."


class SubjectCodeTaken(Conflict):
    code = "research.subject.code_taken"
    message = "The project has a subject with this code already. Check the code."


class SetUpIncomplete(Invalid):
    code = "research.project.setup_incomplete"
    message = "Publishing needs the project file and your password."


class SubjectNotListed(Conflict):
    code = "research.exam.subject_not_listed"
    message = "The subject of this exam is not listed in the project. List it first; then place the exam."


class AlreadyPlaced(Conflict):
    code = "research.exam.already_placed"
    message = "Somebody placed this exam meanwhile. Load the page again."


class NotPlaced(Conflict):
    code = "research.exam.not_placed"
    message = "This exam has no visit. Load the page again."


class VisitUnknown(Invalid):
    code = "research.exam.visit_unknown"
    message = "The project has no such visit. Choose one of the list."


class VisitBegun(Conflict):
    code = "research.exam.visit_begun"
    message = (
        "A task on this visit was begun, so its exam stays. Cancel that task first; its draft stays readable."
    )


class LaterIsWithAnother(Conflict):
    code = "research.task.later_with_another"
    message = (
        "The later visit that this reader saw belongs to somebody else now, so reading it again changes nothing. "
        "Let the late visit be read out of sequence, leave it out, or give it to somebody else."
    )
