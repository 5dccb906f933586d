"""What the archive holds, for an actor that may see exams."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import connection
from django.db.models import Sum

from collegium.imaging.archive.document import SeriesDocument as Document
from collegium.imaging.archive.document import sop_instance_of
from collegium.imaging.archive.errors import ImageNotFound
from collegium.imaging.archive.models import Blob, Exam, Instance, Series, SeriesDocument
from collegium.kit.blobs import key_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from uuid import UUID

    from django.db.models import QuerySet

    from collegium.imaging.archive.document import Attributes
    from collegium.kit.principals import Actor


@dataclass(frozen=True, slots=True)
class StoredInstance:
    """Where one instance's bytes and frames are. UIDs are the archive's."""

    id: UUID
    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    number_of_frames: int
    since_revision: int
    blob_key: str
    frame_table: bytes


@dataclass(frozen=True, slots=True)
class Named:
    """An instance by every name under which the archive keeps it and its bytes."""

    id: UUID
    sop_instance_uid: str
    pixel_digest: str
    series_id: UUID
    series_uid: str
    blob_id: UUID
    sha256: str


def everything_named(actor: Actor) -> Iterator[Named]:
    """The names of all instances of the actor's space: what nobody may find who sees them under a grant."""
    rows = Instance.objects.filter(space_id=actor.space).order_by("id")
    names = (
        "id",
        "sop_instance_uid",
        "pixel_digest",
        "series_id",
        "series__series_uid",
        "blob_id",
        "blob__sha256",
    )
    return (Named(*row) for row in rows.values_list(*names).iterator())


def exams(actor: Actor) -> QuerySet[Exam]:
    """Exams of the actor's space, newest first."""
    return Exam.objects.filter(space_id=actor.space).order_by("-received_at", "-id")


def exam(actor: Actor, exam_id: UUID) -> Exam:
    """One exam of the actor's space.

    Raises:
        ImageNotFound: not here.
    """
    found = Exam.objects.filter(space_id=actor.space, id=exam_id).first()
    if found is None:
        raise ImageNotFound
    return found


def exam_by_uid(actor: Actor, study_uid: str) -> Exam:
    """One exam by its archive study UID. Raises ImageNotFound."""
    found = Exam.objects.filter(space_id=actor.space, study_uid=study_uid).first()
    if found is None:
        raise ImageNotFound
    return found


def series_of(actor: Actor, exam_ids: Iterable[UUID]) -> list[Series]:
    """Series of some exams of the actor's space, in reading order."""
    rows = Series.objects.filter(space_id=actor.space, exam_id__in=list(exam_ids))
    return list(rows.select_related("exam").order_by("exam_id", "number", "series_uid"))


def series_by_uid(actor: Actor, study_uid: str, series_uid: str) -> Series:
    """One series by its archive UIDs. Raises ImageNotFound."""
    found = (
        Series.objects.filter(space_id=actor.space, series_uid=series_uid, exam__study_uid=study_uid)
        .select_related("exam")
        .first()
    )
    if found is None:
        raise ImageNotFound
    return found


def series_by_ids(actor: Actor, series_ids: Iterable[UUID]) -> list[Series]:
    """Some series of the actor's space, with their exams; those that are not here are missing."""
    rows = Series.objects.filter(space_id=actor.space, id__in=list(series_ids)).select_related("exam")
    return list(rows)


def series_elsewhere(actor: Actor, exam_id: UUID, series_uids: Iterable[str]) -> set[str]:
    """Those of some series UIDs that belong to another exam of the space."""
    rows = Series.objects.filter(space_id=actor.space, series_uid__in=set(series_uids)).exclude(
        exam_id=exam_id
    )
    return set(rows.values_list("series_uid", flat=True))


def known_instances(actor: Actor, sop_instance_uids: Iterable[str]) -> dict[str, Instance]:
    """Those of some instances that the archive holds, with their blobs."""
    rows = Instance.objects.filter(space_id=actor.space, sop_instance_uid__in=list(sop_instance_uids))
    return {row.sop_instance_uid: row for row in rows.select_related("blob")}


def belong_to(actor: Actor, series_ids: Iterable[UUID], instance_ids: Iterable[UUID]) -> bool:
    """Whether every one of some instances is in one of some series."""
    wanted = set(instance_ids)
    rows = Instance.objects.filter(space_id=actor.space, series_id__in=list(series_ids), id__in=wanted)
    return rows.count() == len(wanted)


def series_uid(actor: Actor, series_id: UUID) -> str:
    """The archive UID of a series. Raises ImageNotFound."""
    found = Series.objects.filter(space_id=actor.space, id=series_id).values_list("series_uid", flat=True)
    if not found:
        raise ImageNotFound
    return found[0]


def document(actor: Actor, series_id: UUID, revision: int) -> Document:
    """The metadata of a series as it was at `revision`. Raises ImageNotFound."""
    found = SeriesDocument.objects.filter(
        space_id=actor.space, series_id=series_id, revision=revision
    ).first()
    if found is None:
        raise ImageNotFound
    return Document.unpack(found.body)


def instances_of(actor: Actor, series_id: UUID, revision: int) -> list[StoredInstance]:
    """Instances a series had at `revision`, in no particular order."""
    rows = Instance.objects.filter(space_id=actor.space, series_id=series_id, since_revision__lte=revision)
    return [_stored(actor, row) for row in rows]


def instance(actor: Actor, instance_id: UUID) -> Instance:
    """One instance row. Raises ImageNotFound."""
    found = (
        Instance.objects.filter(space_id=actor.space, id=instance_id).select_related("series", "exam").first()
    )
    if found is None:
        raise ImageNotFound
    return found


def instance_by_uid(actor: Actor, sop_instance_uid: str) -> Instance:
    """One instance by its archive UID. Raises ImageNotFound."""
    found = (
        Instance.objects.filter(space_id=actor.space, sop_instance_uid=sop_instance_uid)
        .select_related("series", "exam")
        .first()
    )
    if found is None:
        raise ImageNotFound
    return found


def instance_document(actor: Actor, row: Instance) -> Attributes:
    """The metadata of one instance. Raises ImageNotFound."""
    found = document(actor, row.series_id, row.series.revision)
    for attributes in found.whole():
        if sop_instance_of(attributes) == row.sop_instance_uid:
            return attributes
    raise ImageNotFound


def blob_key(actor: Actor, blob_id: UUID) -> str:
    """Storage key of a blob of the actor's space; the organisation of a space never changes."""
    assert actor.organisation_id
    return key_of(actor.organisation_id, actor.space, blob_id)


def used_bytes(actor: Actor) -> int:
    """Clear bytes stored in the actor's space."""
    total = Blob.objects.filter(space_id=actor.space).aggregate(total=Sum("size_bytes"))["total"]
    return int(total or 0)


def blob_exists(key: str) -> bool:
    """Whether any space has a row for a stored blob: the installation's question, not a person's."""
    with connection.cursor() as cursor:
        cursor.execute("select imaging_blob_exists(%s)", [key.rsplit("/", 1)[-1]])
        return bool((cursor.fetchone() or (False,))[0])


def _stored(actor: Actor, row: Instance) -> StoredInstance:
    return StoredInstance(
        row.id,
        row.sop_instance_uid,
        row.sop_class_uid,
        row.transfer_syntax_uid,
        row.number_of_frames,
        row.since_revision,
        blob_key(actor, row.blob_id),
        bytes(row.frame_table),
    )
