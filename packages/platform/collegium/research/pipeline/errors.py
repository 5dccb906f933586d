"""What can go wrong with placements and tasks."""

from __future__ import annotations

from collegium.kit.errors import Conflict, Invalid


class TaskNotOpen(Conflict):
    code = "research.task.not_open"
    message = "This task is not open: an earlier step has to be signed first, or it was cancelled."


class SetUpIncomplete(Invalid):
    code = "research.project.setup_incomplete"
    message = "Publishing needs the project file and your password."
