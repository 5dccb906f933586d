"""The canonical record of a read: what is frozen, hashed and signed, and can be derived again from the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collegium.forms import queries as forms
from collegium.kit.canonical import canonical, digest
from collegium.research.projects import queries as projects
from collegium.research.reads import images

if TYPE_CHECKING:
    from collegium.kit.principals import Actor
    from collegium.research.reads.models import ReadVersion

SCHEMA = "read/1"


def record_of(actor: Actor, version: ReadVersion) -> str:
    """The record as the rows say it now. For an unaltered submitted version it equals the frozen text."""
    read = version.read
    task, unit = read.task, read.unit
    entry = forms.entry(actor, version.entry_id)
    answers = forms.counted_answers(entry)
    step = projects.definition(task.project_version).step(task.step)
    return canonical(
        {
            "answers": {name: answer.to_json() for name, answer in answers.items()},
            "form": {
                "digest": digest(entry.form_version.definition),
                "name": entry.form_version.name,
                "version": entry.form_version.version,
            },
            "marks": [facts.to_json() for facts in images.bound_marks(actor, task, answers)],
            "meaning": step.meaning,
            "project": {"digest": digest(task.project_version.text), "version": task.project_version.version},
            "read": str(read.id),
            "reader": read.reader,
            "reason": version.reason,
            "schema": SCHEMA,
            "step": task.step,
            "task": str(task.id),
            "unit": {
                "about": unit.about,
                "id": str(unit.id),
                "study_uids": version.shown,
                "subject": unit.subject.code,
                "visit": unit.visit.code,
            },
            "version": version.number,
        }
    )
