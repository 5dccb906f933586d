"""Save and strike marks: small versioned writes, idempotent by operation id."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from collegium.imaging.archive import queries as archive
from collegium.imaging.marks import queries
from collegium.imaging.marks.errors import MarkInvalid, MarkNotFound, MarkStale
from collegium.imaging.marks.geometry import diameters_mm, length_mm, plane_of, require_inside
from collegium.imaging.marks.models import Kind, Mark, MarkRevision
from collegium.kit import ids
from collegium.trust.audit.actions import Action
from collegium.trust.audit.services import record

if TYPE_CHECKING:
    from uuid import UUID

    from collegium.imaging.marks.geometry import Plane, Point2, Point3
    from collegium.imaging.marks.queries import SavedMark
    from collegium.kit.principals import Actor

_SIXTH = Decimal("0.000001")
_FRAME_OF_REFERENCE = "00200052"


@dataclass(frozen=True, slots=True)
class Drawing:
    """What was drawn: two points of a length, or two for each of two diameters. UIDs are the archive's."""

    kind: Kind
    instance_uid: str
    series_uid: str
    frame: int
    points: tuple[Point3, ...]
    image_points: tuple[Point2, ...]
    label: str = ""
    frame_of_reference_uid: str = ""


@dataclass(frozen=True, slots=True)
class DrawnFor:
    """What a mark belongs to: the opaque owner of a view grant, and the grant itself."""

    owner: str
    grant_id: UUID


POINTS = {Kind.LENGTH: 2, Kind.BIDIRECTIONAL: 4}


@dataclass(frozen=True, slots=True)
class _Measured:
    """The values of a drawing, and its points in the order they are kept: the long diameter first."""

    value: Decimal
    short_value: Decimal | None
    points: tuple[Point3, ...]
    image_points: tuple[Point2, ...]


def save_mark(  # noqa: PLR0913 - one save names this much
    *, actor: Actor, drawn_for: DrawnFor, mark_id: UUID, op_id: UUID, base_revision: int, drawn: Drawing
) -> SavedMark:
    """Save a new geometry of a mark, or a new mark when `base_revision` is 0.

    The values are computed here. Saving the same operation again returns what it made.

    Raises:
        MarkNotFound: the mark is somebody else's, or was drawn for something else.
        MarkStale: `base_revision` is not the newest.
        MarkInvalid: it is no such drawing, or the mark is of another kind.
        OutsideImage, NoSpacing, PointsDisagree, DiametersNotPerpendicular, DiametersApart: it cannot be measured.
        ImageNotFound: no such instance.
    """
    if not len(drawn.points) == len(drawn.image_points) == POINTS[drawn.kind]:
        raise MarkInvalid
    mark = _locked(actor, drawn_for, mark_id, new_kind=drawn.kind)
    if mark.kind != drawn.kind:
        raise MarkInvalid
    done = _done(mark, op_id)
    if done is not None:
        return queries.saved_mark(done)
    if mark.revision != base_revision:
        raise MarkStale(mark.id)
    saved = _add(actor, mark, _revision(actor, op_id, drawn))
    short = {} if saved.short_value is None else {"short_value": str(saved.short_value)}
    record(
        actor,
        Action.MARK_SAVED,
        "marks.mark",
        mark.id,
        new={
            "revision": saved.revision,
            "kind": drawn.kind.value,
            "value": str(saved.value),
            **short,
            "unit": saved.unit,
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
    mark = _locked(actor, drawn_for, mark_id)
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


def _revision(actor: Actor, op_id: UUID, drawn: Drawing) -> MarkRevision:
    """A drawing measured on its image, not yet kept. Raises as `save_mark`."""
    instance = archive.instance_by_uid(actor, drawn.instance_uid)
    attributes = archive.instance_document(actor, instance)
    if instance.series.series_uid != drawn.series_uid or not 1 <= drawn.frame <= instance.number_of_frames:
        raise MarkInvalid
    frame_of_reference = str((attributes.get(_FRAME_OF_REFERENCE, {}).get("Value") or [""])[0])
    if drawn.frame_of_reference_uid not in ("", frame_of_reference):
        raise MarkInvalid
    require_inside(instance.rows or 0, instance.columns or 0, drawn.image_points)
    measured = _measure(plane_of(attributes, drawn.frame), drawn)
    return MarkRevision(
        op_id=op_id,
        instance=instance,
        study_uid=instance.exam.study_uid,
        series_uid=drawn.series_uid,
        instance_uid=drawn.instance_uid,
        frame=drawn.frame,
        frame_of_reference_uid=frame_of_reference,
        points=[part.quantize(_SIXTH) for point in measured.points for part in point],
        image_points=[part.quantize(_SIXTH) for point in measured.image_points for part in point],
        label=drawn.label[:64],
        value=measured.value,
        short_value=measured.short_value,
        unit="mm",
    )


def _measure(plane: Plane, drawn: Drawing) -> _Measured:
    points, image_points = drawn.points, drawn.image_points
    if drawn.kind is Kind.LENGTH:
        return _Measured(length_mm(plane, points, image_points), None, points, image_points)
    first, second = diameters_mm(plane, points, image_points)
    if first >= second:
        return _Measured(first, second, points, image_points)
    return _Measured(second, first, points[2:] + points[:2], image_points[2:] + image_points[:2])


def _locked(actor: Actor, drawn_for: DrawnFor, mark_id: UUID, *, new_kind: Kind | None = None) -> Mark:
    """A mark of this principal for this owner, locked; made first if it is new and may be."""
    if new_kind:
        Mark.objects.bulk_create(
            [
                Mark(
                    id=mark_id,
                    space_id=actor.space,
                    owner=drawn_for.owner,
                    grant_id=drawn_for.grant_id,
                    kind=new_kind,
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
