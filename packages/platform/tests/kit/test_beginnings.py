"""What tests begin with is a copy: nothing passes from one test to the next, and nothing of the worker's is lost."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collegium.kit.database import acting_as
from collegium.trust.tenancy.queries import members
from collegium_testkit.world import new_world

if TYPE_CHECKING:
    from collegium_testkit.beginnings import Beginnings
    from collegium_testkit.world import World


def people(world: World) -> int:
    with acting_as(world.administrator.principal, [world.space_id]):
        return len(list(members(world.actor())))


def test_what_one_test_changed_the_next_does_not_begin_with(beginnings: Beginnings) -> None:
    first = beginnings.begin(new_world)
    first.join("Reader")
    changed = people(first)
    beginnings.end()

    second = beginnings.begin(new_world)

    assert (second.space_id, changed, people(second)) == (first.space_id, 2, 1)


def test_the_workers_own_database_is_back_at_the_end(world: World, beginnings: Beginnings) -> None:
    before = people(world)
    beginnings.begin(new_world)

    beginnings.end()

    assert people(world) == before == 1
