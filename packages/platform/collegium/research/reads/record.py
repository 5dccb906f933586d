"""The canonical record of a read: what is frozen, hashed and signed, and can be derived again from the rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collegium.forms import queries as forms
from collegium.kit.canonical import canonical, digest
from collegium.research.projects import queries as projects
from collegium.research.reads import images

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

    from collegium.forms.answers import Answer, MarkReference
    from collegium.kit.principals import Actor
    from collegium.research.reads.images import MarkFacts
    from collegium.research.reads.models import ReadVersion

SCHEMA = "read/1"


def record_of(actor: Actor, version: ReadVersion) -> str:
    """The record as the rows say it now. For an unaltered submitted version it equals the frozen text."""
    (text,) = records_of(actor, [version]).values()
    return text


def records_of(actor: Actor, versions: Sequence[ReadVersion]) -> dict[UUID, str]:
    """The records of several versions, with one question to the database for all their marks."""
    answers = {version.id: forms.counted_answers(version.entry) for version in versions}
    references = [answer.mark for each in answers.values() for answer in each.values() if answer.mark]
    marks = images.marks_at(actor, references)
    return {version.id: _record(version, answers[version.id], marks) for version in versions}


def _record(
    version: ReadVersion, answers: Mapping[str, Answer], marks: Mapping[MarkReference, MarkFacts]
) -> str:
    task, unit, form = version.read.task, version.read.unit, version.entry.form_version
    step = projects.definition(task.project_version).step(task.step)
    drawn = [answer.mark for _, answer in sorted(answers.items()) if answer.mark]
    return canonical(
        {
            "answers": {name: answer.to_json() for name, answer in answers.items()},
            "form": {"digest": digest(form.definition), "name": form.name, "version": form.version},
            "marks": [marks[reference].to_json() for reference in drawn if reference in marks],
            "meaning": step.meaning,
            "project": {"digest": digest(task.project_version.text), "version": task.project_version.version},
            "read": str(version.read_id),
            "reader": version.read.reader,
            "reason": version.reason,
            "schema": SCHEMA,
            "step": task.step,
            "task": str(task.id),
            "unit": {
                "about": unit.about,
                "id": str(unit.id),
                "study_uids": version.shown,
                "subject": unit.subject.code,
                "visit": unit.visit.code if unit.visit else "",
            },
            "version": version.number,
            # Only an adjudication has it, so that records of other steps stay what they were.
            **({"settles": version.settles} if version.settles else {}),
        }
    )
