"""Tell somebody, and note what was seen. Nothing of a subject, site, visit, label or reader goes through here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from django.db import connection

from collegium.kit import clock, ids, live
from collegium.notifications.models import MailChoice, Notification, NotificationKind

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from collegium.kit.principals import Actor, Principal

__all__ = ["NotificationKind", "choose_mail", "mark_mailed", "mark_seen", "tell", "withdraw"]

_PATH = re.compile(r"/(?!/)[\w/.?=&-]{0,198}")
_TASKS = (
    NotificationKind.TASK_OPENED,
    NotificationKind.ADJUDICATION_OPENED,
    NotificationKind.READ_SUPERSEDED,
)


def tell(
    actor: Actor, *, to: Principal, kind: NotificationKind, address: str = "", about: UUID | None = None
) -> None:
    """Tell one person what waits in the actor's space, when the running transaction commits.

    The person's open pages wake up, and an e-mail follows unless the person looks first. Gateways, tools and the
    installation itself are told nothing.

    Args:
        actor: whoever caused it, in the space it is about.
        to: who is told. What they are told of spaces they left is never shown.
        kind: what waits.
        address: path of this server where it waits; empty: where this kind usually does.
        about: random id of what waits, by which it can be withdrawn.

    Raises:
        ValueError: the address is not a plain path of this server.
    """
    if address and not _PATH.fullmatch(address):
        raise ValueError("a notification leads to a path of this server")
    if to.behalf.kind != "person":
        return
    person = to.behalf.id
    # plain SQL: Django would ask the new row back, which is the other person's to read
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into notifications_notification (id, space_id, person, kind, address, about)"
            " values (%s, %s, %s, %s, %s, %s)",
            [ids.uuid7(), actor.space, person, kind.value, address, about],
        )
    live.changed(person=person, thing="notifications")
    if kind in _TASKS:
        live.changed(person=person, thing="tasks")


def withdraw(
    actor: Actor, *, about: UUID, kinds: Iterable[NotificationKind], from_person: Principal | None = None
) -> None:
    """What waited is done, or waits no more: mark what was told about it as done, when the transaction commits.

    Args:
        actor: whoever caused it, in the space it is about.
        about: the id that was told.
        kinds: what does not wait any more.
        from_person: of this person alone; without it, of everybody.
    """
    told = from_person.behalf.id if from_person else None
    with connection.cursor() as cursor:
        cursor.execute(
            "select distinct notifications_withdraw(%s, %s, %s, %s)",
            [actor.space, about, [kind.value for kind in kinds], told],
        )
        people = [row[0] for row in cursor.fetchall()]
    for person in people:
        live.changed(person=person, thing="notifications")


def mark_seen(principal: Principal, *, space_id: UUID | None = None, kind: str = "") -> int:
    """Note that the person saw everything, or one kind in one space. Returns how many were new."""
    rows = Notification.objects.filter(person=principal.behalf.id, seen_at=None)
    if space_id:
        rows = rows.filter(space_id=space_id, kind=kind)
    seen = rows.update(seen_at=clock.now())
    if seen:
        live.changed(person=principal.behalf.id, thing="notifications")
    return seen


def mark_mailed(principal: Principal, ids_: Iterable[UUID]) -> None:
    """Note that these stood in an e-mail."""
    rows = Notification.objects.filter(person=principal.behalf.id, id__in=list(ids_))
    rows.update(mailed_at=clock.now())


def choose_mail(principal: Principal, *, wants_mail: bool) -> None:
    """Turn a person's e-mails on or off."""
    MailChoice.objects.update_or_create(
        person=principal.behalf.id,
        defaults={"wants_mail": wants_mail},
        create_defaults={"wants_mail": wants_mail},
    )
