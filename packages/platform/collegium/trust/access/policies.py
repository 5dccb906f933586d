"""The one question before every act."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collegium.kit.errors import Refused
from collegium.trust.access.permissions import Permission
from collegium.trust.audit.actions import Action
from collegium.trust.audit.services import record_apart

if TYPE_CHECKING:
    from collegium.kit.principals import Actor

__all__ = ["Permission", "require"]


def require(actor: Actor, permission: Permission) -> None:
    """Raises Refused, with an entry in the installation's chain, unless the actor's role has the permission."""
    if permission in actor.permissions:
        return
    record_apart(
        actor, Action.ACT_REFUSED, "access.permission", permission.value, new={"space": str(actor.space_id)}
    )
    raise Refused
