"""What was told about a thing is done with the thing: for everybody it was told to, in its own project alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.test import Client

from collegium.kit import ids
from collegium.kit.database import acting_as
from collegium.notifications import queries, services
from collegium.notifications.models import NotificationKind
from collegium_testkit.committee import Committee
from collegium_testkit.world import PASSWORD

if TYPE_CHECKING:
    from uuid import UUID

    from collegium_testkit.world import Person, World

OPENED = NotificationKind.TASK_OPENED


def tell(world: World, to: Person, about: UUID, kind: NotificationKind = OPENED) -> None:
    with acting_as(world.administrator.principal, [world.space_id]):
        services.tell(world.actor(), to=to.principal, kind=kind, about=about)


def withdraw(
    world: World, about: UUID, kind: NotificationKind = OPENED, *, from_person: Person | None = None
) -> None:
    person = from_person.principal if from_person else None
    with acting_as(world.administrator.principal, [world.space_id]):
        services.withdraw(world.actor(), about=about, kinds=[kind], from_person=person)


def unseen(person: Person) -> int:
    with acting_as(person.principal):
        return queries.unseen_count(person.principal)


def test_what_was_told_about_a_thing_is_done_for_everybody_and_still_listed(world: World) -> None:
    first, second, thing = world.join("Reader"), world.join("Reader"), ids.uuid7()
    tell(world, first, thing)
    tell(world, second, thing)

    withdraw(world, thing)

    assert (unseen(first), unseen(second)) == (0, 0)
    with acting_as(first.principal):
        assert [line.is_done for line in queries.lines(first.principal)] == [True]


def test_only_the_kind_and_the_person_named_are_done(world: World) -> None:
    first, second, thing = world.join("Reader"), world.join("Reader"), ids.uuid7()
    tell(world, first, thing)
    tell(world, first, thing, NotificationKind.QUERY_OPENED)
    tell(world, second, thing)

    withdraw(world, thing, from_person=first)

    assert (unseen(first), unseen(second)) == (1, 1)


def test_another_project_withdraws_nothing_here(world: World, other_world: World) -> None:
    reader, thing = world.join("Reader"), ids.uuid7()
    tell(world, reader, thing)

    withdraw(other_world, thing)

    assert unseen(reader) == 1


@pytest.fixture
def committee(world: World) -> Committee:
    gathered = Committee(world)
    gathered.gather(readers=3)
    return gathered


def test_a_task_that_is_begun_waits_no_more_in_the_bell(committee: Committee) -> None:
    first, _second = committee.until_reading()
    reader = committee.people[committee.who(first)]
    before = unseen(reader)

    committee.do(first, response="PR")

    assert (before, unseen(reader)) == (1, 0)


def test_a_task_given_to_another_is_told_to_them_and_taken_from_the_first(committee: Committee) -> None:
    first, second = committee.until_reading()
    had = committee.people[committee.who(first)]
    busy = {committee.who(first), committee.who(second)}
    free = next(one for name, one in committee.people.items() if name[:6] == "reader" and name not in busy)
    client = Client()
    client.login(email=committee.world.administrator.email, password=PASSWORD)

    client.post(
        f"/projects/{committee.world.space_id}/tasks/{first.id}/",
        {"act": "reassign", "to": free.principal.text, "reason": "Holiday."},
    )

    assert (unseen(had), unseen(free)) == (0, 1)


def test_a_cancelled_task_leaves_the_bell_of_its_person(committee: Committee) -> None:
    first, _second = committee.until_reading()
    reader = committee.people[committee.who(first)]
    client = Client()
    client.login(email=committee.world.administrator.email, password=PASSWORD)

    client.post(
        f"/projects/{committee.world.space_id}/tasks/{first.id}/",
        {"act": "cancel", "reason": "The subject left the trial."},
    )

    assert unseen(reader) == 0


def test_mark_all_read_stands_on_the_page_and_empties_the_bell(world: World) -> None:
    tell(world, world.administrator, ids.uuid7())
    client = Client()
    client.login(email=world.administrator.email, password=PASSWORD)
    page = client.get("/notifications/").content.decode()

    client.post("/notifications/seen")

    assert "Mark all read" in page
    assert unseen(world.administrator) == 0
