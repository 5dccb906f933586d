"""What a release adds to a seeded role comes to every space; what a space made itself is left alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import psycopg
import pytest
from django.db import DatabaseError
from hypothesis import given
from hypothesis import strategies as st

from collegium.kit.database import acting_as
from collegium.kit.principals import Actor
from collegium.trust.access.permissions import SEEDED_ROLES, Permission
from collegium.trust.access.services import reconcile_roles
from collegium.trust.audit.models import AuditEntry
from collegium.trust.tenancy.models import Role
from collegium.trust.tenancy.services import merged

if TYPE_CHECKING:
    from collegium_testkit.world import World

pytestmark = pytest.mark.requirement("R01")


def as_owner(statement: str, *values: object) -> None:
    with psycopg.connect(os.environ["COLLEGIUM_OWNER_DATABASE_URL"], autocommit=True) as connection:
        connection.execute(statement, values)


def start() -> str:
    """What each start of the installation does, as the database's owner."""
    command = [sys.executable, "-m", "django", "reconcile_roles", "--skip-checks"]
    told = {**os.environ, "COLLEGIUM_AS_OWNER": "true", "DJANGO_SETTINGS_MODULE": "collegium.settings.django"}
    done = subprocess.run(command, env=told, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def permissions(world: World, role: str) -> set[str]:
    with acting_as(world.administrator.principal, [world.space_id]):
        return set(Role.objects.get(space_id=world.space_id, name=role).permissions)


def entries(world: World) -> list[dict[str, object]]:
    with acting_as(world.administrator.principal, [world.space_id]):
        rows = AuditEntry.objects.filter(space_id=world.space_id, action="tenancy.role.reconciled")
        return [json.loads(row.body) for row in rows.order_by("id")]


def of_an_older_release(world: World, role: str, *lacks: str) -> None:
    """Make a role what a release gave it that did not know these permissions."""
    older = sorted(SEEDED_ROLES[role] - set(lacks))
    as_owner(
        "update trust_tenancy_role set permissions = %s, seeded = %s where space_id = %s and name = %s",
        older, older, world.space_id, role,
    )  # fmt: skip


def test_a_permission_that_a_release_adds_to_a_seeded_role_comes_to_an_older_space(world: World) -> None:
    of_an_older_release(world, "Monitor", Permission.UNBLINDING_ASK)

    start()

    assert permissions(world, "Monitor") == SEEDED_ROLES["Monitor"]
    (entry,) = entries(world)
    assert entry["principal"] == "system:00000000-0000-0000-0000-000000000000"
    assert entry["old"] == {"permissions": sorted(SEEDED_ROLES["Monitor"] - {Permission.UNBLINDING_ASK})}
    assert entry["new"] == {"permissions": sorted(SEEDED_ROLES["Monitor"]), "role": "Monitor"}


def test_another_start_changes_nothing(world: World) -> None:
    of_an_older_release(world, "Monitor", Permission.UNBLINDING_ASK)
    start()

    start()

    assert len(entries(world)) == 1


def test_a_space_of_this_version_needs_nothing(world: World) -> None:
    start()

    assert entries(world) == []


def test_what_a_release_takes_out_of_a_seeded_role_leaves_it(world: World) -> None:
    wider = sorted({*SEEDED_ROLES["Reader"], Permission.RESULTS_VIEW})
    as_owner(
        "update trust_tenancy_role set permissions = %s, seeded = %s where space_id = %s and name = 'Reader'",
        wider, wider, world.space_id,
    )  # fmt: skip

    start()

    assert permissions(world, "Reader") == SEEDED_ROLES["Reader"]


def test_a_role_that_a_release_brings_is_made_in_older_spaces(world: World) -> None:
    as_owner("delete from trust_tenancy_role where space_id = %s and name = 'Sponsor viewer'", world.space_id)

    start()

    assert permissions(world, "Sponsor viewer") == SEEDED_ROLES["Sponsor viewer"]


def test_a_role_that_the_space_made_itself_is_left_alone_whatever_its_name(world: World) -> None:
    as_owner(
        "update trust_tenancy_role set permissions = array['trust:space:view'], seeded = null "
        "where space_id = %s and name = 'Monitor'",
        world.space_id,
    )

    start()

    assert permissions(world, "Monitor") == {"trust:space:view"}
    assert entries(world) == []


def test_what_a_space_changed_in_a_seeded_role_stays_changed(world: World) -> None:
    of_an_older_release(world, "Monitor", Permission.UNBLINDING_ASK)
    own = sorted((SEEDED_ROLES["Monitor"] - {Permission.UNBLINDING_ASK, Permission.AUDIT_VIEW}) | {"own"})
    as_owner(
        "update trust_tenancy_role set permissions = %s where space_id = %s and name = 'Monitor'",
        own, world.space_id,
    )  # fmt: skip

    start()

    assert permissions(world, "Monitor") == {*own, Permission.UNBLINDING_ASK}


def test_every_older_space_gets_it_each_with_an_entry_in_its_own_trail(
    world: World, other_world: World
) -> None:
    for one in (world, other_world):
        of_an_older_release(one, "Monitor", Permission.UNBLINDING_ASK)

    start()

    for one in (world, other_world):
        assert permissions(one, "Monitor") == SEEDED_ROLES["Monitor"]
        assert len(entries(one)) == 1


def test_a_member_reaches_no_other_space_with_it(world: World, other_world: World) -> None:
    of_an_older_release(other_world, "Monitor", Permission.UNBLINDING_ASK)
    person = world.administrator.principal
    there = Actor(person, other_world.space_id, other_world.organisation_id, "Administrator")

    with acting_as(person), pytest.raises(DatabaseError):
        reconcile_roles(actor=there)

    assert Permission.UNBLINDING_ASK not in permissions(other_world, "Monitor")


SETS = st.frozensets(st.sampled_from("abcdef"))


@given(now=SETS, seeded=SETS, wanted=SETS)
def test_a_merge_follows_the_release_and_keeps_the_rest(
    now: frozenset[str], seeded: frozenset[str], wanted: frozenset[str]
) -> None:
    found = merged(now, seeded, wanted)

    assert wanted - seeded <= found
    assert not (seeded - wanted) & found
    assert found - (wanted ^ seeded) == now - (wanted ^ seeded)
