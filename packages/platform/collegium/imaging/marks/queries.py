"""Marks of an actor's space: by what they were drawn for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collegium.imaging.marks.errors import MarkNotFound
from collegium.imaging.marks.models import Mark, MarkRevision

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from collegium.kit.principals import Actor, Principal


def marks_for(actor: Actor, *, owner: str, principal: Principal) -> list[MarkRevision]:
    """The newest revision of every mark one principal drew for one owner; struck ones are left out."""
    return [one for one in _newest(actor, owner=owner, principal=principal.behalf.text) if not one.is_struck]


def current(actor: Actor, mark_ids: Iterable[UUID]) -> dict[UUID, MarkRevision]:
    """The newest revision of each of some marks, struck ones too; a mark that is not here is missing."""
    rows = (
        MarkRevision.objects.filter(space_id=actor.space, mark_id__in=list(mark_ids))
        .order_by("mark_id", "-revision")
        .distinct("mark_id")
        .select_related("mark")
    )
    return {row.mark_id: row for row in rows}


def locked(actor: Actor, mark_ids: Iterable[UUID]) -> dict[UUID, MarkRevision]:
    """`current`, with the marks locked until the transaction ends: for a submit that binds them."""
    wanted = sorted(set(mark_ids))
    list(Mark.objects.select_for_update().filter(space_id=actor.space, id__in=wanted).order_by("id"))
    return current(actor, wanted)


def revision(actor: Actor, mark_id: UUID, number: int) -> MarkRevision:
    """One saved geometry. Raises MarkNotFound."""
    found = MarkRevision.objects.filter(space_id=actor.space, mark_id=mark_id, revision=number).first()
    if found is None:
        raise MarkNotFound
    return found


def _newest(actor: Actor, **mark: str) -> list[MarkRevision]:
    rows = (
        MarkRevision.objects.filter(
            space_id=actor.space, **{f"mark__{name}": value for name, value in mark.items()}
        )
        .order_by("mark_id", "-revision")
        .distinct("mark_id")
        .select_related("mark")
    )
    return list(rows)
