"""Turn a principal into an actor: where it is, in which role, with which permissions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collegium.kit.errors import NotFound
from collegium.kit.principals import Actor
from collegium.trust.tenancy.models import Membership, Space

if TYPE_CHECKING:
    from uuid import UUID

    from collegium.kit.principals import Principal


def actor_in(principal: Principal, space_id: UUID) -> Actor:
    """The principal as a member of a space.

    Raises:
        NotFound: there is no such space, or the principal has no live membership there.
    """
    row = (
        Membership.objects.filter(space_id=space_id, principal=principal.behalf.text, ended_at=None)
        .select_related("role")
        .first()
    )
    place = row and Space.objects.filter(id=space_id).first()
    if not row or not place:
        raise NotFound
    return Actor(principal, space_id, place.organisation_id, row.role.name, frozenset(row.role.permissions))


def spaces_where(principal: Principal, permission: str) -> frozenset[UUID]:
    """The spaces in which the principal has a permission."""
    rows = Membership.objects.filter(
        principal=principal.behalf.text, ended_at=None, role__permissions__contains=[permission]
    )
    return frozenset(rows.values_list("space_id", flat=True))


def may(actor: Actor, permission: str) -> bool:
    """Whether to offer an act; doing it asks `require` again."""
    return permission in actor.permissions
