"""Marks of an actor's space: by what they were drawn for. Other rooms see `SavedMark`, never a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from collegium.imaging.marks.models import Mark, MarkRevision

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from decimal import Decimal
    from uuid import UUID

    from django.db.models import QuerySet

    from collegium.kit.principals import Actor, Principal


@dataclass(frozen=True, slots=True)
class SavedMark:
    """One saved geometry of a mark. UIDs are the archive's; points are flat, as they were saved."""

    mark_id: UUID
    revision: int
    kind: str
    owner: str
    """What it was drawn for: the owner of the view grant."""
    principal: str
    """Whose mark it is."""
    is_struck: bool
    series_uid: str
    instance_uid: str
    frame: int
    frame_of_reference_uid: str
    points: tuple[Decimal, ...]
    image_points: tuple[Decimal, ...]
    label: str
    value: Decimal
    short_value: Decimal | None
    """The short diameter of a bidirectional measurement."""
    unit: str
    saved_at: datetime


def marks_for(actor: Actor, *, owner: str, principal: Principal) -> list[SavedMark]:
    """The newest revision of every mark one principal drew for one owner; struck ones are left out."""
    rows = _newest(_revisions(actor).filter(mark__owner=owner, mark__principal=principal.behalf.text))
    return [saved_mark(row) for row in rows if not row.is_struck]


def current(actor: Actor, mark_ids: Iterable[UUID]) -> dict[UUID, SavedMark]:
    """The newest revision of each of some marks, struck ones too; a mark that is not here is missing."""
    rows = _newest(_revisions(actor).filter(mark_id__in=list(mark_ids)))
    return {row.mark_id: saved_mark(row) for row in rows}


def locked(actor: Actor, mark_ids: Iterable[UUID]) -> dict[UUID, SavedMark]:
    """`current`, with the marks locked until the transaction ends: for a submit that binds them."""
    wanted = sorted(set(mark_ids))
    list(Mark.objects.select_for_update().filter(space_id=actor.space, id__in=wanted).order_by("id"))
    return current(actor, wanted)


def as_saved(actor: Actor, wanted: Iterable[tuple[UUID, int]]) -> dict[tuple[UUID, int], SavedMark]:
    """Marks in given revisions; what is not here is missing."""
    keys = set(wanted)
    rows = (
        _revisions(actor).filter(mark_id__in={mark_id for mark_id, _ in keys}).order_by("mark_id", "revision")
    )
    return {
        (row.mark_id, row.revision): saved_mark(row) for row in rows if (row.mark_id, row.revision) in keys
    }


def saved_mark(row: MarkRevision) -> SavedMark:
    """What others may know of a row."""
    return SavedMark(
        mark_id=row.mark_id,
        revision=row.revision,
        kind=row.mark.kind,
        owner=row.mark.owner,
        principal=row.mark.principal,
        is_struck=row.is_struck,
        series_uid=row.series_uid,
        instance_uid=row.instance_uid,
        frame=row.frame,
        frame_of_reference_uid=row.frame_of_reference_uid,
        points=tuple(row.points),
        image_points=tuple(row.image_points),
        label=row.label,
        value=row.value,
        short_value=row.short_value,
        unit=row.unit,
        saved_at=row.saved_at,
    )


def _revisions(actor: Actor) -> QuerySet[MarkRevision]:
    return MarkRevision.objects.filter(space_id=actor.space).select_related("mark")


def _newest(rows: QuerySet[MarkRevision]) -> QuerySet[MarkRevision]:
    return rows.order_by("mark_id", "-revision").distinct("mark_id")
