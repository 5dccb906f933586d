"""Admit people to the project, change their role, let them go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collegium.research.projects.errors import NoSuchAccount, ReasonNeeded, RoleNotForPeople
from collegium.research.projects.people import queries, services
from collegium.trust.access.policies import Permission, require
from collegium.trust.identity.queries import account_by_email
from collegium.trust.tenancy import queries as tenancy
from collegium.trust.tenancy import services as tenancy_services

if TYPE_CHECKING:
    from uuid import UUID

    from collegium.kit.principals import Actor
    from collegium.trust.tenancy.models import Membership


def roles_for_people(actor: Actor) -> list[str]:
    """The roles a person can have: those that may see the project."""
    return tenancy.roles(actor, Permission.SPACE_VIEW)


def admit(*, actor: Actor, email: str, role: str) -> Membership:
    """Make the holder of an account a member.

    Raises:
        NoSuchAccount, RoleNotForPeople, AlreadyMember: nobody was added.
    """
    require(actor, Permission.MEMBERS_MANAGE)
    _require_for_people(actor, role)
    account = account_by_email(email)
    if account is None or not account.is_active:
        raise NoSuchAccount
    return tenancy_services.add_member(actor=actor, principal=account.principal, role=role)


def change_role(*, actor: Actor, membership_id: UUID, role: str, reason: str) -> Membership:
    """Give a member another role, from now on; what they did in the old one stays theirs.

    Raises:
        NotAMember, LastAdministrator, OwnRole, RoleNotForPeople, ReasonNeeded: nothing was changed.
    """
    require(actor, Permission.MEMBERS_MANAGE)
    _require_for_people(actor, role)
    return tenancy_services.change_role(
        actor=actor, membership_id=membership_id, role=role, reason=_reason(reason)
    )


def let_go(*, actor: Actor, membership_id: UUID, reason: str) -> None:
    """End a membership and the places at sites that went with it. Conflicts stay declared.

    Raises:
        NotAMember, LastAdministrator, ReasonNeeded: nothing was changed.
    """
    require(actor, Permission.MEMBERS_MANAGE)
    why = _reason(reason)
    member = tenancy.member(actor, membership_id)
    for place in queries.site_members(actor).filter(principal=member.principal.text):
        services.leave_site(actor=actor, principal=member.principal, site_id=place.site_id, reason=why)
    tenancy_services.end_membership(actor=actor, membership_id=membership_id, reason=why)


def _require_for_people(actor: Actor, role: str) -> None:
    if role not in roles_for_people(actor):
        raise RoleNotForPeople


def _reason(text: str) -> str:
    why = text.strip()
    if not why or len(why) > services.REASON_LENGTH:
        raise ReasonNeeded
    return why
