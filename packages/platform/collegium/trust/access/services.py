"""Found a space with the roles this version seeds, and bring those of older spaces to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collegium.trust.access.permissions import SEEDED_ROLES
from collegium.trust.tenancy import services as tenancy

if TYPE_CHECKING:
    from uuid import UUID

    from collegium.kit.principals import Actor, Principal
    from collegium.trust.tenancy.models import SpaceKind


def found_space(*, actor: Actor, kind: SpaceKind, name: str, founder: Principal) -> UUID:
    """A new space with Administrator, Editor, Viewer and the roles of its kind; the founder administers it."""
    return tenancy.create_space(actor=actor, kind=kind, name=name, roles=SEEDED_ROLES, founder=founder)


def reconcile_roles(*, actor: Actor) -> int:
    """Give the seeded roles of the actor's space what this version adds to them. Returns how many changed.

    Runs as the database's owner, at each start and after each migration; again is a no-op.
    """
    return tenancy.reconcile_roles(actor=actor, roles=SEEDED_ROLES)
