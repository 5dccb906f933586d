"""Write the trail. The entry is inserted in the transaction of the change; the database links it at commit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from collegium.kit import clock, ids
from collegium.kit.canonical import canonical
from collegium.kit.database import SECOND, acting_as
from collegium.trust.audit.models import AuditEntry

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from collegium.kit.principals import Actor
    from collegium.trust.audit.actions import Action


def record(  # noqa: PLR0913  an entry has this many facts
    actor: Actor,
    action: Action,
    object_kind: str,
    object_id: UUID | str,
    *,
    old: Mapping[str, object] | None = None,
    new: Mapping[str, object] | None = None,
    reason: str = "",
    alias: str = "default",
) -> AuditEntry:
    """Add one entry to the actor's chain, in the running transaction.

    Args:
        actor: who, where, in which role; decides the chain.
        action: what was done.
        object_kind: `room.thing`, as in the action.
        object_id: the thing's id.
        old: what was, for a change; JSON values only, never an identifier of a patient.
        new: what is now.
        reason: why, in the person's words.
        alias: connection; the second one is for `record_apart` alone.
    """
    if not transaction.get_connection(alias).in_atomic_block:
        raise RuntimeError("an audit entry belongs into the transaction of its change")
    body = {
        "action": action.value,
        "new": new,
        "object": {"id": str(object_id), "kind": object_kind},
        "old": old,
        "organisation": str(actor.organisation_id) if actor.organisation_id else None,
        "principal": actor.principal.text,
        "reason": reason,
        "role": actor.role,
        "space": str(actor.space_id) if actor.space_id else None,
    }
    return AuditEntry.objects.using(alias).create(
        id=ids.uuid7(),
        chain=actor.chain,
        space_id=actor.space_id,
        organisation_id=actor.organisation_id,
        at=clock.now(),  # the trigger writes the database's own clock over it
        principal=actor.principal.text,
        action=action.value,
        object_kind=object_kind,
        object_id=str(object_id),
        body=canonical(body),
    )


def record_apart(
    actor: Actor,
    action: Action,
    object_kind: str,
    object_id: UUID | str,
    *,
    new: Mapping[str, object] | None = None,
) -> None:
    """Add an entry to the installation's chain on the second connection: it stays when the request rolls back.

    For refusals and failed sign-ins. It never writes the chain that the request itself may hold.
    """
    apart = type(actor)(actor.principal, role=actor.role)
    with acting_as(actor.principal, alias=SECOND):
        record(apart, action, object_kind, object_id, new=new, alias=SECOND)
