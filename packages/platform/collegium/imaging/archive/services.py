"""Write what arrived: exam, series, instance and document rows, in the caller's transaction."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from collegium.imaging.archive import qido
from collegium.imaging.archive.attributes import key_of as name_of
from collegium.imaging.archive.document import Attributes, SeriesDocument, first_of, sop_instance_of
from collegium.imaging.archive.errors import ImageNotFound
from collegium.imaging.archive.models import Blob, Exam, Instance, Series
from collegium.imaging.archive.models import SeriesDocument as DocumentRow
from collegium.kit import ids
from collegium.kit.rows import insert_rows
from collegium.trust.audit.actions import Action
from collegium.trust.audit.services import record

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from uuid import UUID

    from collegium.kit.principals import Actor

_PATIENT = tuple(name_of(tag) for tag in (0x00100040, 0x00101010))
_MODALITY, _NUMBER, _SERIES_NUMBER = "00080060", "00200013", "00200011"
_DATE, _TIME, _STUDY_TEXT, _SERIES_TEXT = "00080020", "00080030", "00081030", "0008103E"
_ROWS, _COLUMNS, _FRAMES = "00280010", "00280011", "00280008"


@dataclass(frozen=True, slots=True)
class NewInstance:
    """One checked object whose blob has a row already."""

    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    series_uid: str
    blob_id: UUID
    document: Attributes
    frame_table: bytes


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """A blob that lies in the store and has no row yet."""

    id: UUID
    sha256: str
    size_bytes: int


def add_blobs(*, actor: Actor, blobs: Iterable[StoredBlob]) -> None:
    """Rows for blobs that are durable in the store already."""
    assert actor.organisation_id
    insert_rows(
        Blob(
            id=blob.id,
            space_id=actor.space,
            organisation_id=actor.organisation_id,
            sha256=blob.sha256,
            size_bytes=blob.size_bytes,
        )
        for blob in blobs
    )


def remove_blob_rows(*, actor: Actor, blob_ids: Iterable[UUID]) -> None:
    """Forget blobs that nothing names any more; the caller deletes them from the store after commit."""
    Blob.objects.filter(space_id=actor.space, id__in=list(blob_ids)).delete()


def lock_exam(
    *, actor: Actor, study_uid: str, subject_code: str, channel_id: UUID | None
) -> tuple[Exam, bool]:
    """The exam of a study, made if new, locked; and whether it is new."""
    fresh = Exam(
        id=ids.uuid7(),
        space_id=actor.space,
        study_uid=study_uid,
        subject_code=subject_code,
        channel_id=channel_id,
        qido_json="{}",
    )
    Exam.objects.bulk_create([fresh], ignore_conflicts=True)
    row = Exam.objects.select_for_update().get(space_id=actor.space, study_uid=study_uid)
    return row, row.id == fresh.id


def add_instances(*, actor: Actor, exam: Exam, is_new: bool, instances: Sequence[NewInstance]) -> None:
    """Add instances that are not in the archive yet to a locked exam; audits the exam.

    Each series they belong to gets its next revision and a document of it.
    """
    by_series: dict[str, list[NewInstance]] = defaultdict(list)
    for one in instances:
        by_series[one.series_uid].append(one)
    for series_uid, arrived in sorted(by_series.items()):
        _extend_series(actor, exam, series_uid, arrived)
    _describe_exam(exam, instances)
    record(
        actor,
        Action.EXAM_RECEIVED if is_new else Action.EXAM_EXTENDED,
        "imaging.exam",
        exam.id,
        new={"instances": len(instances), "series": len(by_series), "subject": exam.subject_code},
    )


def note_unmet(*, exam: Exam, unmet: Sequence[str]) -> None:
    """Keep what a locked exam lacks of the acquisition requirements, as its gateway found of all of it so far."""
    if exam.unmet != list(unmet):
        exam.unmet = list(unmet)
        exam.save(update_fields=["unmet"])


def set_pixel_digest(*, actor: Actor, instance_id: UUID, digest: str) -> None:
    """Keep the digest of decoded pixels once a conflict asked for it."""
    Instance.objects.filter(space_id=actor.space, id=instance_id).update(pixel_digest=digest)


def _extend_series(actor: Actor, exam: Exam, series_uid: str, arrived: list[NewInstance]) -> None:
    first = arrived[0].document
    Series.objects.bulk_create(
        [
            Series(
                space_id=actor.space,
                exam=exam,
                series_uid=series_uid,
                modality=str(first_of(first, _MODALITY) or "")[:16],
                number=_whole(first_of(first, _SERIES_NUMBER)),
                description=str(first_of(first, _SERIES_TEXT) or "")[:200],
                qido_json="{}",
            )
        ],
        ignore_conflicts=True,
    )
    series = Series.objects.select_for_update().get(space_id=actor.space, series_uid=series_uid)
    if series.exam_id != exam.id:
        raise ImageNotFound("A series of this delivery belongs to another exam.")
    before: list[Attributes] = []
    if series.revision:
        row = DocumentRow.objects.get(space_id=actor.space, series_id=series.id, revision=series.revision)
        before = list(SeriesDocument.unpack(row.body).whole())
    series.revision += 1
    series.instance_count += len(arrived)
    documents = sorted([*before, *(one.document for one in arrived)], key=_order)
    series.qido_json = qido.series(
        study_uid=exam.study_uid,
        series_uid=series_uid,
        modality=series.modality,
        number=series.number,
        description=series.description,
        instances=series.instance_count,
    )
    series.save(update_fields=["revision", "instance_count", "qido_json"])
    insert_rows(_instance(actor, exam, series, one) for one in arrived)
    DocumentRow.objects.create(
        space_id=actor.space,
        exam=exam,
        series=series,
        revision=series.revision,
        body=SeriesDocument.of(documents).pack(),
    )


def _instance(actor: Actor, exam: Exam, series: Series, one: NewInstance) -> Instance:
    return Instance(
        space_id=actor.space,
        exam=exam,
        series=series,
        since_revision=series.revision,
        sop_instance_uid=one.sop_instance_uid,
        sop_class_uid=one.sop_class_uid,
        transfer_syntax_uid=one.transfer_syntax_uid,
        number=_whole(first_of(one.document, _NUMBER)),
        rows=_whole(first_of(one.document, _ROWS)),
        columns=_whole(first_of(one.document, _COLUMNS)),
        number_of_frames=_whole(first_of(one.document, _FRAMES)) or 1,
        blob_id=one.blob_id,
        frame_table=one.frame_table,
    )


def _describe_exam(exam: Exam, arrived: Sequence[NewInstance]) -> None:
    """Counts, modalities and the QIDO line, from the exam's series as they are now."""
    first = arrived[0].document
    rows = Series.objects.filter(space_id=exam.space_id, exam=exam)
    modalities = sorted({series.modality for series in rows if series.modality})
    exam.series_count = len(rows)
    exam.instance_count = sum(series.instance_count for series in rows)
    exam.modalities = "\\".join(modalities)[:100]
    exam.description = exam.description or str(first_of(first, _STUDY_TEXT) or "")[:200]
    exam.study_date = exam.study_date or str(first_of(first, _DATE) or "")[:8]
    exam.qido_json = qido.study(
        study_uid=exam.study_uid,
        subject_code=exam.subject_code,
        description=exam.description,
        modalities=modalities,
        date=exam.study_date,
        time=str(first_of(first, _TIME) or ""),
        series=exam.series_count,
        instances=exam.instance_count,
        patient={name: first[name] for name in _PATIENT if name in first},
    )
    exam.save(
        update_fields=[
            "series_count",
            "instance_count",
            "modalities",
            "description",
            "study_date",
            "qido_json",
        ]
    )


def _order(document: Attributes) -> tuple[int, str]:
    number = _whole(first_of(document, _NUMBER))
    return (number if number is not None else 1 << 31, sop_instance_of(document))


def _whole(value: object) -> int | None:
    """An integer that fits its column, or None: what a header says is never trusted to be one."""
    if isinstance(value, int) and -(1 << 31) <= value < 1 << 31:
        return value
    return None
