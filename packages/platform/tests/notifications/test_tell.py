"""A person is told what waits: in one space, for that person's eyes alone, with nothing of a subject in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import DatabaseError, connection

from collegium.kit import live
from collegium.kit.database import acting_as
from collegium.kit.principals import Principal
from collegium.notifications import queries, services
from collegium.notifications.models import Notification, NotificationKind

if TYPE_CHECKING:
    from collegium_testkit.world import Person, World


def tell(
    world: World, to: Principal, kind: NotificationKind = NotificationKind.TASK_OPENED, address: str = ""
) -> None:
    with acting_as(world.administrator.principal, [world.space_id]):
        services.tell(world.actor(), to=to, kind=kind, address=address)


def shown_to(person: Person) -> list[tuple[str, int]]:
    with acting_as(person.principal):
        return [(line.kind.value, line.count) for line in queries.lines(person.principal)]


def test_what_waits_in_one_project_is_one_line_with_a_count(world: World) -> None:
    reader = world.join("Reader")

    for _ in range(3):
        tell(world, reader.principal)
    tell(world, reader.principal, NotificationKind.QUERY_OPENED)

    assert shown_to(reader) == [("query_opened", 1), ("task_opened", 3)]


def test_two_projects_are_two_lines(world: World, other_world: World) -> None:
    reader = world.join("Reader")
    other_world.admit(reader.principal, "Reader")

    tell(world, reader.principal)
    tell(other_world, reader.principal)

    assert shown_to(reader) == [("task_opened", 1), ("task_opened", 1)]


def test_seen_lines_stay_and_no_longer_count(world: World) -> None:
    reader = world.join("Reader")
    tell(world, reader.principal)
    tell(world, reader.principal, NotificationKind.QUERY_OPENED)

    with acting_as(reader.principal):
        seen = services.mark_seen(
            reader.principal, space_id=world.space_id, kind=NotificationKind.TASK_OPENED.value
        )
        waiting = queries.unseen_count(reader.principal)

    assert (seen, waiting) == (1, 1)
    assert len(shown_to(reader)) == 2


def test_nobody_else_sees_what_a_person_was_told(world: World) -> None:
    reader = world.join("Reader")
    tell(world, reader.principal)

    with acting_as(world.administrator.principal):
        assert not Notification.objects.filter(space_id=world.space_id).exists()


def test_a_stranger_cannot_tell_anybody_of_a_space_anything(world: World, other_world: World) -> None:
    reader = world.join("Reader")

    with (
        pytest.raises(DatabaseError, match="row-level security"),
        acting_as(other_world.administrator.principal),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "insert into notifications_notification (space_id, person, kind, address) values (%s, %s, %s, '')",
            [world.space_id, reader.principal.id, "task_opened"],
        )


def test_who_left_the_space_is_shown_nothing_of_it(world: World) -> None:
    from collegium.trust.tenancy import queries as tenancy
    from collegium.trust.tenancy import services as leaving

    reader = world.join("Reader")
    tell(world, reader.principal)
    with acting_as(world.administrator.principal, [world.space_id]):
        (member,) = [one for one in tenancy.members(world.actor()) if one.principal == reader.principal]
        leaving.end_membership(actor=world.actor(), membership_id=member.id)

    assert shown_to(reader) == []


def test_a_gateway_is_told_nothing(world: World) -> None:
    gateway = Principal.gateway(world.space_id)

    tell(world, gateway)

    with connection.cursor() as cursor:
        cursor.execute("select notifications_waiting(now() + interval '1 hour', now() - interval '1 hour')")
        assert (gateway.id,) not in cursor.fetchall()


@pytest.mark.parametrize(
    "address", ["https://elsewhere.example", "//elsewhere.example", "javascript:x", "/a b"]
)
def test_a_notification_leads_nowhere_but_here(world: World, address: str) -> None:
    reader = world.join("Reader")

    with pytest.raises(ValueError, match="path of this server"):
        tell(world, reader.principal, address=address)


def test_a_change_without_a_person_or_a_space_is_refused() -> None:
    with pytest.raises(ValueError, match="a person or a space"):
        live.changed(thing="tasks")
