"""Signed reads as a table. Each signature is checked again: against the frozen record and against the live rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from collegium.forms import queries as forms
from collegium.kit.canonical import digest
from collegium.kit.errors import NotFound
from collegium.research.projects import queries as projects
from collegium.research.reads import queries as reads
from collegium.research.reads.record import records_of
from collegium.trust.access.policies import Permission, require
from collegium.trust.signatures.queries import Validity, verify

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime
    from uuid import UUID

    from collegium.forms.answers import Answer
    from collegium.forms.definition import FormDefinition, Item
    from collegium.kit.principals import Actor
    from collegium.research.projects.definition import Step
    from collegium.research.reads.models import ReadVersion

LIMIT = 20_000
"""Rows of one table; beyond it an export has to be cut by step or date."""


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One signed read."""

    read_id: UUID
    task_id: UUID
    subject: str
    site: str
    visit: str
    study_uids: tuple[str, ...]
    reader: str
    version: int
    meaning: str
    signed_at: datetime
    validity: Validity
    digest: str
    in_correction: bool
    has_late_images: bool
    answers: Mapping[str, Answer]

    @property
    def is_valid(self) -> bool:
        return self.validity is Validity.VALID


@dataclass(frozen=True, slots=True)
class ResultTable:
    """The signed reads of one step. Items come from the newest form; answers of older forms keep their names."""

    step: Step
    form: FormDefinition
    items: tuple[Item, ...]
    rows: Sequence[ResultRow]

    @property
    def invalid_count(self) -> int:
        return sum(not row.is_valid for row in self.rows)


def steps(actor: Actor) -> tuple[Step, ...]:
    """The steps of the project that give results."""
    version = projects.newest_version(actor)
    return projects.definition(version).pipeline if version else ()


def results(actor: Actor, step_name: str) -> ResultTable:
    """The table of a step, oldest signature first.

    Raises:
        Refused: the role has no permission to see results.
        NotFound: the project has no such step.
    """
    require(actor, Permission.RESULTS_VIEW)
    step = next((step for step in steps(actor) if step.name == step_name), None)
    if step is None:
        raise NotFound
    form = projects.definition(projects.current_version(actor)).forms[step.form]
    versions = list(reads.signed_versions(actor).filter(read__task__step=step_name)[:LIMIT])
    derived = records_of(actor, versions)
    rows = [_row(version, derived[version.id]) for version in versions]
    return ResultTable(step, form, _items(form, versions), rows)


def _items(form: FormDefinition, versions: Sequence[ReadVersion]) -> tuple[Item, ...]:
    """The newest form's items, then those that only older versions of it had."""
    items = dict(form.by_name)
    for text in {version.entry.form_version.definition for version in versions}:
        for name, item in forms.parsed(text).by_name.items():
            items.setdefault(name, item)
    return tuple(items.values())


def _row(version: ReadVersion, derived: str) -> ResultRow:
    assert version.signature  # signed versions have one, by the only service that makes them
    unit, task = version.read.unit, version.read.task
    return ResultRow(
        read_id=version.read_id,
        task_id=task.id,
        subject=unit.subject.code,
        site=unit.subject.site.code if unit.subject.site else "",
        visit=unit.visit.code if unit.visit else "",
        study_uids=tuple(version.shown),
        reader=version.signature.full_name,
        version=version.number,
        meaning=version.signature.meaning,
        signed_at=version.signature.signed_at,
        validity=_validity(version, derived),
        digest=version.digest,
        in_correction=task.state != "signed",
        has_late_images=task.has_late_images,
        answers=forms.counted_answers(version.entry),
    )


def _validity(version: ReadVersion, derived: str) -> Validity:
    """Valid only when the frozen text and what the rows say today are both what was signed."""
    assert version.signature
    for text in (version.record, derived):
        found = verify(version.signature, digest(text))
        if found is not Validity.VALID:
            return found
    same_object = (version.signature.object_id, version.signature.object_version) == (
        version.read_id,
        version.number,
    )
    return (
        Validity.VALID
        if same_object and version.digest == version.signature.digest
        else Validity.RECORD_CHANGED
    )
