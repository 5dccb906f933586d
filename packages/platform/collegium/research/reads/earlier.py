"""What a read of a later timepoint has from the same reader's earlier ones: marks, findings, values (R28, R60)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _

from collegium.forms import queries as forms
from collegium.forms.answers import AnswerKind
from collegium.forms.rows import CarriedRow, carried_rows
from collegium.imaging.grants.layers import Layer
from collegium.research.pipeline import queries as pipeline
from collegium.research.projects import queries as projects
from collegium.research.projects.definition import Timepoints
from collegium.research.reads import queries
from collegium.research.reads.settling import marks_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from collegium.forms.answers import Answer
    from collegium.forms.definition import FormDefinition
    from collegium.forms.models import Entry
    from collegium.kit.principals import Actor
    from collegium.research.pipeline.models import Task


@dataclass(frozen=True, slots=True)
class Start:
    """What the entry of a later timepoint starts with."""

    given: Mapping[str, Answer]
    carried: Mapping[str, tuple[CarriedRow, ...]]


def start_of(actor: Actor, task: Task, form: FormDefinition) -> Start:
    """Given values from the timepoints their items name, and the findings of the timepoint just before.

    A timepoint that this reader has not signed gives nothing: another one never takes its place.
    """
    before = _entries_before(actor, task)
    if not before:
        return Start({}, {})
    answers = [forms.counted_answers(entry) if entry else None for entry in before.values()]
    found = {item.name: _given(item.given, answers) for item in form.by_name.values() if item.given}
    last = list(before.values())[-1]
    carried = carried_rows(forms.form_of(last), forms.answers_of(last)) if last else {}
    groups = {name for name, group in form.groups.items() if group.carry}
    return Start(
        {name: answer for name, answer in found.items() if answer},
        {name: rows for name, rows in carried.items() if name in groups},
    )


def _given(wish: str, answers: Sequence[Mapping[str, Answer] | None]) -> Answer | None:
    """`first.x`, `previous.x` or `lowest.x` of the earlier timepoints; None when it was not said there."""
    which, _, name = wish.partition(".")
    if which != "lowest":
        return (answers[0 if which == "first" else -1] or {}).get(name)
    said = [each.get(name) if each else None for each in answers]
    values = [answer for answer in said if answer and answer.kind is AnswerKind.VALUE]
    return min(values, key=lambda answer: Decimal(answer.value)) if len(values) == len(said) else None


def _entries_before(actor: Actor, task: Task) -> dict[str, Entry | None]:
    """The reader's signed entry of each earlier visit the subject has had; none where the step does not show them."""
    if not _shows_earlier(task):
        return {}
    earlier = pipeline.earlier_tasks(actor, task).items()
    return {code: forms.entry(actor, one.entry_id) if one and one.entry_id else None for code, one in earlier}


def layers(actor: Actor, task: Task) -> list[Layer]:
    """The reader's own marks of earlier timepoints, one layer each."""
    found = []
    shown = [visit.code for visit in pipeline.visits_shown(task)]
    for code, entry in _entries_before(actor, task).items():
        marks = marks_of(forms.counted_answers(entry)) if entry and code in shown else ()
        if marks:
            found.append(Layer(_("Timepoint %(number)d") % {"number": shown.index(code) + 1}, marks))
    return found


def is_passed(actor: Actor, task: Task) -> bool:
    """Whether the reader of a locked step has ever opened a later timepoint of the subject."""
    step = projects.definition(task.project_version).step(task.step)
    return step.timepoints is Timepoints.LOCKED and queries.were_opened(
        actor, pipeline.later_tasks(actor, task), reader=task.assignee
    )


def _shows_earlier(task: Task) -> bool:
    step = projects.definition(task.project_version).step(task.step)
    return step.timepoints is not Timepoints.ALONE
