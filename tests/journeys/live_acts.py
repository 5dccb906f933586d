"""What somebody does in another process, for the tests of open streams.

python -m tests.journeys.live_acts make                      (two projects and their people, as JSON)
python -m tests.journeys.live_acts leave SPACE ADMIN PERSON  (end of a membership)
python -m tests.journeys.live_acts tell SPACE ADMIN PERSON   (a notification)
python -m tests.journeys.live_acts revoke SPACE ADMIN GRANT  (end of a view grant)
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from collegium.kit.principals import Actor, Principal


def main() -> None:
    """Do it."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "collegium.settings.django")
    import django

    django.setup()
    from collegium import wiring

    wiring.connect()
    name, *arguments = sys.argv[1:]
    acts: dict[str, Callable[..., None]] = {"make": make, "leave": leave, "tell": tell, "revoke": revoke}
    acts[name](*arguments)


def make() -> None:
    from collegium_testkit.world import PASSWORD, new_world

    ours, theirs = new_world("Ours"), new_world("Theirs")
    people = {"administrator": ours.administrator, "stranger": theirs.administrator}
    people |= {"editor": ours.join("Editor"), "leaver": ours.join("Editor"), "reader": ours.join("Reader")}
    made = {"password": PASSWORD, "space": str(ours.space_id), "foreign": str(theirs.space_id)}
    made |= {who: person.email for who, person in people.items()}
    made |= {f"{who}_id": str(person.principal.id) for who, person in people.items()}
    sys.stdout.write(json.dumps(made))


def leave(space: str, administrator: str, person: str) -> None:
    from collegium.trust.tenancy import queries, services

    actor, principal = _actor(space, administrator), _principal(person)
    with _acting(actor):
        (member,) = [one for one in queries.members(actor) if one.principal == principal]
        services.end_membership(actor=actor, membership_id=member.id)


def tell(space: str, administrator: str, person: str) -> None:
    from collegium.notifications.services import NotificationKind
    from collegium.notifications.services import tell as tell_

    actor = _actor(space, administrator)
    with _acting(actor):
        tell_(actor, to=_principal(person), kind=NotificationKind.TASK_OPENED, address="/tasks/")


def revoke(space: str, administrator: str, grant: str) -> None:
    from collegium.imaging.grants import services

    actor = _actor(space, administrator)
    with _acting(actor):
        services.revoke(actor, grant_id=UUID(grant))


def _principal(email: str) -> Principal:
    from collegium.trust.identity.queries import account_by_email

    account = account_by_email(email)
    assert account
    return account.principal


def _actor(space: str, email: str) -> Actor:
    from collegium.kit.database import acting_as
    from collegium.trust.access.queries import actor_in

    principal = _principal(email)
    with acting_as(principal):
        return actor_in(principal, UUID(space))


def _acting(actor: Actor) -> AbstractContextManager[None]:
    from collegium.kit.database import acting_as

    return acting_as(actor.principal, [actor.space])


if __name__ == "__main__":
    main()
