"""What a read of a later timepoint has from the same reader's earlier ones: their marks (R28)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from collegium.forms import queries as forms
from collegium.imaging.grants.layers import Layer
from collegium.research.pipeline import queries as pipeline
from collegium.research.projects import queries as projects
from collegium.research.projects.definition import Timepoints
from collegium.research.reads.settling import marks_of

if TYPE_CHECKING:
    from collegium.forms.answers import Answer
    from collegium.kit.principals import Actor
    from collegium.research.pipeline.models import Task


def answers_before(actor: Actor, task: Task) -> list[dict[str, Answer]]:
    """The signed answers of the reader's earlier timepoints, oldest first; none where the step does not show them."""
    if not _shows_earlier(task):
        return []
    signed = pipeline.earlier_tasks(actor, task)
    by_entry = forms.answers_by_entry(actor, [one.entry_id for one in signed if one.entry_id])
    return [by_entry[one.entry_id] for one in signed if one.entry_id in by_entry]


def layers(actor: Actor, task: Task) -> list[Layer]:
    """The reader's own marks of earlier timepoints, one layer each."""
    found = []
    for number, answers in enumerate(answers_before(actor, task), 1):
        marks = marks_of(answers)
        if marks:
            found.append(Layer(_("Timepoint %(number)d") % {"number": number}, marks))
    return found


def is_passed(actor: Actor, task: Task) -> bool:
    """Whether the reader of a locked step has opened a later timepoint of the subject."""
    step = projects.definition(task.project_version).step(task.step)
    return step.timepoints is Timepoints.LOCKED and pipeline.has_begun_later(actor, task)


def _shows_earlier(task: Task) -> bool:
    step = projects.definition(task.project_version).step(task.step)
    return step.timepoints is not Timepoints.ALONE
