"""The member behind a page of a space; the page's frame shows tabs by what this actor may."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collegium.trust.access.policies import Permission, require
from collegium.trust.access.queries import actor_in

if TYPE_CHECKING:
    from uuid import UUID

    from collegium.kit.pages.http import PageRequest
    from collegium.kit.principals import Actor


def member(request: PageRequest, space_id: UUID, permission: Permission = Permission.SPACE_VIEW) -> Actor:
    """The signed-in person as a member of the space, who has the permission.

    Raises:
        NotFound: no such space, or not theirs.
        Refused: the role lacks the permission.
    """
    actor = actor_in(request.principal, space_id)
    require(actor, permission)
    request.actor = actor
    return actor
