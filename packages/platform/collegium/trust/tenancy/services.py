"""Found organisations and spaces, admit and dismiss members, share and withdraw."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from django.db import IntegrityError, connection, transaction

from collegium.kit import clock, ids
from collegium.kit.live import forget
from collegium.kit.principals import Actor, Principal
from collegium.trust.audit.actions import Action
from collegium.trust.audit.services import record
from collegium.trust.tenancy import keys
from collegium.trust.tenancy.errors import (
    AlreadyMember,
    LastAdministrator,
    NameTaken,
    NotAMember,
    NotAnOfficer,
    OwnRole,
    RoleUnknown,
)
from collegium.trust.tenancy.models import (
    Membership,
    Officer,
    Organisation,
    Role,
    Share,
    ShareTo,
    SpaceKind,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime
    from uuid import UUID

ADMINISTRATOR = "Administrator"

MEMBER = "member"
"""What web processes are told to forget when somebody leaves a space."""


def create_organisation(*, actor: Actor, name: str, officer: Principal) -> Organisation:
    """A new organisation with its key and its first officer; an act of the console.

    Raises:
        NameTaken: there is one of this name.
    """
    if Organisation.objects.filter(name=name).exists():
        raise NameTaken
    organisation = Organisation.objects.create(name=name)
    keys.create_key(organisation.id)
    Officer.objects.create(organisation=organisation, principal=officer.text)
    acting = Actor(actor.principal, organisation_id=organisation.id, role=actor.role)
    record(acting, Action.ORGANISATION_CREATED, "tenancy.organisation", organisation.id, new={"name": name})
    return organisation


def create_space(
    *, actor: Actor, kind: SpaceKind, name: str, roles: Mapping[str, frozenset[str]], founder: Principal
) -> UUID:
    """A new space of the actor's organisation with its seeded roles and its founder as administrator.

    The rows are made by one database function, because until it exists the space is
    nobody's and row security would refuse them.

    Raises:
        NotAnOfficer: the actor may not found spaces here.
        NameTaken: the organisation has one of this name.
    """
    organisation_id = actor.organisation_id
    if organisation_id is None or not _is_officer(organisation_id, actor.principal):
        raise NotAnOfficer
    space_id = ids.uuid7()
    seeds = {role: sorted(permissions) for role, permissions in roles.items()}
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(
                "select trust_found_space(%s, %s, %s, %s, %s, %s, %s::jsonb)",
                [space_id, organisation_id, kind.value, name, founder.text, ADMINISTRATOR, json.dumps(seeds)],
            )
    except IntegrityError as error:
        raise NameTaken from error
    acting = Actor(actor.principal, organisation_id=organisation_id, role=actor.role)
    record(acting, Action.SPACE_CREATED, "tenancy.space", space_id, new={"kind": kind.value, "name": name})
    return space_id


def reconcile_roles(*, actor: Actor, roles: Mapping[str, frozenset[str]]) -> int:
    """Give the seeded roles of the actor's space what this version seeds, and make those it lacks. Returns how many.

    An act of the console, as the database's owner: it belongs to no space. What a space changed in a seeded role stays
    changed, and a role it made itself is left alone, whatever its name.

    Args:
        actor: the installation itself, in the space.
        roles: permissions by name, as this version seeds them.
    """
    changed = 0
    known = {role.name: role for role in Role.objects.select_for_update().filter(space_id=actor.space)}
    for name, wanted in sorted(roles.items()):
        role = known.get(name) or Role(space_id=actor.space, name=name, permissions=[], seeded=[])
        if role.seeded is None or set(role.seeded) == wanted:
            continue
        before = sorted(role.permissions)
        role.permissions = sorted(merged(role.permissions, role.seeded, wanted))
        role.seeded = sorted(wanted)
        role.save()
        changed += 1
        record(
            actor, Action.ROLE_RECONCILED, "tenancy.role", role.id,
            old={"permissions": before} if name in known else None,
            new={"permissions": role.permissions, "role": name},
        )  # fmt: skip
    return changed


def merged(now: Collection[str], seeded: Collection[str], wanted: Collection[str]) -> set[str]:
    """A role's permissions after a release: what the release added and removed, and else what the space has now."""
    added, removed = set(wanted) - set(seeded), set(seeded) - set(wanted)
    return (set(now) | added) - removed


def add_member(*, actor: Actor, principal: Principal, role: str) -> Membership:
    """Admit a principal to the actor's space.

    Raises:
        AlreadyMember: it has a live membership.
    """
    if Membership.objects.filter(space_id=actor.space, principal=principal.text, ended_at=None).exists():
        raise AlreadyMember
    membership = Membership.objects.create(
        space_id=actor.space,
        principal=principal.text,
        role=Role.objects.get(space_id=actor.space, name=role),
    )
    record(
        actor,
        Action.MEMBER_ADDED,
        "tenancy.membership",
        membership.id,
        new={"principal": principal.text, "role": role},
    )
    return membership


def change_role(*, actor: Actor, membership_id: UUID, role: str, reason: str) -> Membership:
    """Give a member another role: one membership ends, the next begins. The same role is no change.

    Raises:
        NotAMember, LastAdministrator: as in `end_membership`.
        RoleUnknown: the space has no such role.
        OwnRole: it is the actor's own.
    """
    live = Membership.objects.filter(space_id=actor.space, ended_at=None).select_related("role")
    member = live.filter(id=membership_id).first()
    if member is None:
        raise NotAMember
    if not Role.objects.filter(space_id=actor.space, name=role).exists():
        raise RoleUnknown
    principal = Principal.parse(member.principal)
    if principal == actor.principal.behalf:
        raise OwnRole
    if member.role.name == role:
        return member
    end_membership(actor=actor, membership_id=membership_id, reason=reason)
    return add_member(actor=actor, principal=principal, role=role)


def end_membership(*, actor: Actor, membership_id: UUID, reason: str = "") -> None:
    """Dismiss a member; access ends at once, the row stays.

    Raises:
        NotAMember: no live membership of this space has this id.
        LastAdministrator: nobody else administers the space.
    """
    live = (
        Membership.objects.select_for_update()
        .filter(space_id=actor.space, ended_at=None)
        .select_related("role")
    )
    member = live.filter(id=membership_id).first()
    if member is None:
        raise NotAMember
    if member.role.name == ADMINISTRATOR and not live.filter(role=member.role).exclude(id=member.id).exists():
        raise LastAdministrator
    member.ended_at = clock.now()
    member.save(update_fields=["ended_at"])
    forget(MEMBER, member.principal)
    record(
        actor, Action.MEMBER_REMOVED, "tenancy.membership", member.id,
        old={"principal": member.principal, "role": member.role.name}, reason=reason,
    )  # fmt: skip


def share(  # noqa: PLR0913  a share names this much
    *,
    actor: Actor,
    kind: str,
    object_id: UUID,
    to: ShareTo,
    grantee: str = "",
    ends_at: datetime | None = None,
) -> Share:
    """Make one object of the actor's space visible to somebody beyond it."""
    row = Share.objects.create(
        space_id=actor.space, kind=kind, object_id=object_id, to=to, grantee=grantee, ends_at=ends_at
    )
    record(
        actor, Action.SHARED, kind, object_id, new={"to": to.value, "grantee": grantee, "share": str(row.id)}
    )
    return row


def withdraw_share(*, actor: Actor, share_id: UUID) -> None:
    """End a share at once."""
    row = Share.objects.select_for_update().get(id=share_id, space_id=actor.space)
    row.withdrawn_at = clock.now()
    row.save(update_fields=["withdrawn_at"])
    record(actor, Action.SHARE_WITHDRAWN, row.kind, row.object_id, old={"share": str(row.id)})


def _is_officer(organisation_id: UUID, principal: Principal) -> bool:
    if principal.behalf.kind == "system":
        return True
    return Officer.objects.filter(organisation_id=organisation_id, principal=principal.behalf.text).exists()
