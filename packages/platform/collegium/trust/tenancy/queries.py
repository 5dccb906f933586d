"""Which spaces there are for a principal, and who belongs to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from collegium.kit.principals import Principal
from collegium.trust.identity.queries import names
from collegium.trust.tenancy.errors import NotAMember
from collegium.trust.tenancy.models import Membership, Role, Space, SpaceKind

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from django.db.models import QuerySet

    from collegium.kit.principals import Actor


@dataclass(frozen=True, slots=True)
class Member:
    """A live membership with the name behind it."""

    id: UUID
    principal: Principal
    name: str
    role: str
    since: datetime


def spaces_of(principal: Principal, kind: SpaceKind) -> QuerySet[Space]:
    """Spaces of one kind the principal belongs to, by name."""
    mine = Membership.objects.filter(principal=principal.behalf.text, ended_at=None).values("space_id")
    return Space.objects.filter(kind=kind, id__in=mine).select_related("organisation").order_by("name", "id")


def space(actor: Actor) -> Space:
    """The actor's space."""
    return Space.objects.select_related("organisation").get(id=actor.space)


def every_space() -> list[Space]:
    """All spaces of the installation, for the database's owner; anybody else gets their own."""
    return list(Space.objects.order_by("id"))


def members(actor: Actor, *, limit: int = 500) -> list[Member]:
    """Live members of the actor's space, in order of joining."""
    rows = (
        Membership.objects.filter(space_id=actor.space, ended_at=None)
        .select_related("role")
        .order_by("since", "id")
    )
    found = [(row, Principal.parse(row.principal)) for row in rows[:limit]]
    known = names(principal.id for _, principal in found if principal.kind == "person")
    return [
        Member(
            row.id, principal, known.get(principal.id, principal.kind.capitalize()), row.role.name, row.since
        )
        for row, principal in found
    ]


def member(actor: Actor, membership_id: UUID) -> Member:
    """One live member of the actor's space.

    Raises:
        NotAMember: no live membership of the space has this id.
    """
    rows = Membership.objects.filter(space_id=actor.space, ended_at=None).select_related("role")
    row = rows.filter(id=membership_id).first()
    if row is None:
        raise NotAMember
    principal = Principal.parse(row.principal)
    name = names([principal.id]).get(principal.id, principal.kind.capitalize())
    return Member(row.id, principal, name, row.role.name, row.since)


def roles(actor: Actor, permission: str = "") -> list[str]:
    """Names of the space's roles, those that include a permission if one is asked for."""
    rows = Role.objects.filter(space_id=actor.space).order_by("name")
    if permission:
        rows = rows.filter(permissions__contains=[permission])
    return list(rows.values_list("name", flat=True))


def members_who_may(actor: Actor, permission: str) -> set[str]:
    """Principal texts of the live members of the actor's space whose role includes a permission."""
    rows = Membership.objects.filter(
        space_id=actor.space, ended_at=None, role__permissions__contains=[permission]
    )
    return set(rows.values_list("principal", flat=True))


def is_member(actor: Actor, principal: Principal) -> bool:
    """Whether the principal has a live membership of the actor's space."""
    rows = Membership.objects.filter(space_id=actor.space, principal=principal.text, ended_at=None)
    return rows.exists()
