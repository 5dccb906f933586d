"""What the states of a task are called, the same on every page; `research_reads/state.html` draws them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from collegium.research.pipeline.states import TaskState

if TYPE_CHECKING:
    from django.utils.functional import _StrPromise

STATE_WORDS: dict[TaskState, _StrPromise] = {
    TaskState.WAITING: _("Waiting"),
    TaskState.OPEN: _("Open"),
    TaskState.IN_PROGRESS: _("In progress"),
    TaskState.SUBMITTED: _("To sign"),
    TaskState.SIGNED: _("Signed"),
    TaskState.CANCELLED: _("Cancelled"),
    TaskState.SUPERSEDED: _("Superseded"),
}
