"""Save and strike marks: small versioned writes, idempotent by operation id."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from collegium.imaging.archive import queries as archive
from collegium.imaging.marks import queries
from collegium.imaging.marks.errors import MarkInvalid, MarkNotFound, MarkStale
from collegium.imaging.marks.geometry import Point2, Point3, length_mm, plane_of
from collegium.imaging.marks.models import Kind, Mark, MarkRevision
from collegium.kit import ids
from collegium.trust.audit.actions import Action
from collegium.trust.audit.services import record

if TYPE_CHECKING:
    from uuid import UUID

    from collegium.imaging.marks.queries import SavedMark
    from collegium.kit.principals import Actor

_SIXTH = Decimal("0.000001")
_FRAME_OF_REFERENCE = "00200052"


@dataclass(frozen=True, slots=True)
class Length:
    """A drawn length. UIDs are the archive's."""

    instance_uid: str
    series_uid: str
    frame: int
    points: tuple[Point3, Point3]
    image_points: tuple[Point2, Point2]
    label: str = ""
    frame_of_reference_uid: str = ""


@dataclass(frozen=True, slots=True)
class DrawnFor:
    """What a mark belongs to: the opaque owner of a view grant, and the grant itself."""

    owner: str
    grant_id: UUID


def save_length(  # noqa: PLR0913 - one save names this much
    *, actor: Actor, drawn_for: DrawnFor, mark_id: UUID, op_id: UUID, base_revision: int, drawn: Length
) -> SavedMark:
    """Save a new geometry of a mark, or a new mark when `base_revision` is 0.

    The value is computed here. Saving the same operation again returns what it made.

    Raises:
        MarkNotFound: the mark is somebody else's, or was drawn for something else.
        MarkStale: `base_revision` is not the newest.
        MarkInvalid, NoSpacing, PointsDisagree: the geometry cannot be measured.
        ImageNotFound: no such instance.
    """
    mark = _locked(actor, drawn_for, mark_id)
    done = _done(mark, op_id)
    if done is not None:
        return queries.saved_mark(done)
    if mark.revision != base_revision:
        raise MarkStale(mark.id)
    instance = archive.instance_by_uid(actor, drawn.instance_uid)
    attributes = archive.instance_document(actor, instance)
    if instance.series.series_uid != drawn.series_uid or not 1 <= drawn.frame <= instance.number_of_frames:
        raise MarkInvalid
    frame_of_reference = str((attributes.get(_FRAME_OF_REFERENCE, {}).get("Value") or [""])[0])
    if drawn.frame_of_reference_uid not in ("", frame_of_reference):
        raise MarkInvalid
    value = length_mm(plane_of(attributes, drawn.frame), drawn.points, drawn.image_points)
    saved = _add(
        actor,
        mark,
        MarkRevision(
            op_id=op_id,
            instance=instance,
            study_uid=instance.exam.study_uid,
            series_uid=drawn.series_uid,
            instance_uid=drawn.instance_uid,
            frame=drawn.frame,
            frame_of_reference_uid=frame_of_reference,
            points=[part.quantize(_SIXTH) for point in drawn.points for part in point],
            image_points=[part.quantize(_SIXTH) for point in drawn.image_points for part in point],
            label=drawn.label[:64],
            value=value,
            unit="mm",
        ),
    )
    record(
        actor,
        Action.MARK_SAVED,
        "marks.mark",
        mark.id,
        new={
            "revision": saved.revision,
            "value": str(value),
            "unit": "mm",
            "instance": drawn.instance_uid,
            "frame": drawn.frame,
            "points": [str(part) for part in saved.points],
            "owner": drawn_for.owner,
        },
    )
    return queries.saved_mark(saved)


def strike(*, actor: Actor, drawn_for: DrawnFor, mark_id: UUID, op_id: UUID, base_revision: int) -> SavedMark:
    """Strike a mark out: a revision that says so; nothing is deleted.

    Raises:
        MarkNotFound, MarkStale: as for saving.
    """
    mark = _locked(actor, drawn_for, mark_id, is_new_allowed=False)
    done = _done(mark, op_id)
    if done is not None:
        return queries.saved_mark(done)
    if mark.revision != base_revision:
        raise MarkStale(mark.id)
    last = MarkRevision.objects.select_related("mark").get(
        space_id=actor.space, mark=mark, revision=mark.revision
    )
    if last.is_struck:
        return queries.saved_mark(last)
    last.id, last.op_id, last.is_struck = ids.uuid7(), op_id, True
    saved = _add(actor, mark, last)
    record(
        actor,
        Action.MARK_STRUCK,
        "marks.mark",
        mark.id,
        old={"revision": base_revision},
        new={"revision": saved.revision},
    )
    return queries.saved_mark(saved)


def _locked(actor: Actor, drawn_for: DrawnFor, mark_id: UUID, *, is_new_allowed: bool = True) -> Mark:
    if is_new_allowed:
        Mark.objects.bulk_create(
            [
                Mark(
                    id=mark_id,
                    space_id=actor.space,
                    owner=drawn_for.owner,
                    grant_id=drawn_for.grant_id,
                    kind=Kind.LENGTH,
                    principal=actor.principal.behalf.text,
                )
            ],
            ignore_conflicts=True,
        )
    found = (
        Mark.objects.select_for_update()
        .filter(
            space_id=actor.space,
            id=mark_id,
            owner=drawn_for.owner,
            principal=actor.principal.behalf.text,
        )
        .first()
    )
    if found is None:
        raise MarkNotFound
    return found


def _done(mark: Mark, op_id: UUID) -> MarkRevision | None:
    return (
        MarkRevision.objects.filter(space_id=mark.space_id, mark=mark, op_id=op_id)
        .select_related("mark")
        .first()
    )


def _add(actor: Actor, mark: Mark, fresh: MarkRevision) -> MarkRevision:
    mark.revision += 1
    mark.save(update_fields=["revision"])
    fresh.space_id, fresh.mark, fresh.revision = actor.space, mark, mark.revision
    fresh.principal = actor.principal.text
    fresh.save(force_insert=True)
    fresh.refresh_from_db(fields=["saved_at"])
    return fresh
