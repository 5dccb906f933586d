"""One row of a results table: a signed read with its signature checked again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from collegium.forms import queries as forms
from collegium.forms.rows import rows_of
from collegium.kit.canonical import digest
from collegium.research.pipeline.models import Sequence
from collegium.trust.signatures.queries import Validity, verify

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from uuid import UUID

    from collegium.forms.answers import Answer
    from collegium.forms.definition import FormDefinition
    from collegium.research.projects.models import Unblinding
    from collegium.research.reads.models import ReadVersion


Cell: TypeAlias = tuple[str, int, str]
"""Where an answer stands in a table: group and number of its row, both empty outside of groups, and item."""


@dataclass(frozen=True, slots=True)
class ResultRow:
    """One signed read, or the final values of several."""

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
    form: FormDefinition
    """The form as it was when it was answered."""
    answers: Mapping[str, Answer]
    row_ids: Mapping[tuple[str, int], str]
    """Of each row that counts, by group and number, its id in the answers."""
    struck_rows: int
    source: str = ""
    """Of a final row: by agreement, or by which adjudication."""
    from_reads: tuple[str, ...] = ()
    """Of a final row: read and version of every signed read it rests on."""
    differing: frozenset[Cell] | None = None
    """Of a final row: what the compared reads do not say alike. None of a single read."""
    unblinded_at: datetime | None = None
    """When its reader was unblinded for the subject, in this task or another; of a final row, the first of those."""
    was_signed_unblinded: bool = False
    """Whether that was before they signed."""
    is_out_of_sequence: bool = False
    """Read after its reader had begun a later visit; of a final row, one of those it rests on was."""

    @property
    def is_valid(self) -> bool:
        return self.validity is Validity.VALID


def row_of(version: ReadVersion, derived: str, unblinded: Mapping[tuple[UUID, str], Unblinding]) -> ResultRow:
    """The row of a signed version.

    Args:
        version: the signed version.
        derived: its record as the rows of the database say it today.
        unblinded: the first approval that holds by subject and person: who was unblinded in one task of a subject
            knows it in all.
    """
    assert version.signature  # signed versions have one, by the only service that makes them
    unit, task = version.read.unit, version.read.task
    approval = unblinded.get((unit.subject_id, version.read.reader))
    unblinded_at = approval.decided_at if approval else None
    form, answers = forms.form_of(version.entry), forms.counted_answers(version.entry)
    rows = [(name, row) for name, group in form.groups.items() for row in rows_of(group, answers)]
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
        form=form,
        answers=answers,
        row_ids={(name, row.number): row.row_id for name, row in rows if not row.is_struck},
        struck_rows=sum(row.is_struck for _, row in rows),
        unblinded_at=unblinded_at,
        was_signed_unblinded=unblinded_at is not None and unblinded_at <= version.signature.signed_at,
        is_out_of_sequence=task.sequence == Sequence.OUT,
    )


def worst(found: Iterable[Validity]) -> Validity:
    """Valid only when all are."""
    return next((one for one in found if one is not Validity.VALID), Validity.VALID)


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
