"""Two tenants in one database: neither sees, changes or guesses the other's rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from django.db import DatabaseError, connection

from collegium.kit.database import acting_as, anonymous
from collegium.kit.errors import NotFound
from collegium.trust.access.queries import actor_in
from collegium.trust.audit.models import AuditEntry
from collegium.trust.tenancy import queries, services
from collegium.trust.tenancy.models import Membership, ShareTo, Space, SpaceKind

if TYPE_CHECKING:
    from collegium.kit.principals import Principal
    from collegium_testkit.world import World

pytestmark = pytest.mark.requirement("R02", "R03")


def test_a_member_sees_the_own_space_alone(world: World, other_world: World) -> None:
    with acting_as(world.administrator.principal):
        seen = {space.id for space in Space.objects.all()}

    assert seen == {world.space_id}
    assert other_world.space_id not in seen


def test_nobody_sees_no_space(world: World) -> None:
    with anonymous():
        assert not Space.objects.filter(id=world.space_id).exists()


def test_a_foreign_space_is_not_found_like_an_invented_one(world: World, other_world: World) -> None:
    with acting_as(world.administrator.principal), pytest.raises(NotFound) as foreign:
        actor_in(world.administrator.principal, other_world.space_id)
    with acting_as(world.administrator.principal), pytest.raises(NotFound) as invented:
        actor_in(world.administrator.principal, world.organisation_id)

    assert str(foreign.value) == str(invented.value)


def test_a_row_cannot_be_added_to_a_foreign_space(world: World, other_world: World) -> None:
    with pytest.raises(DatabaseError, match="row-level security"), acting_as(world.administrator.principal):
        role = Membership.objects.filter(space_id=world.space_id).values_list("role_id", flat=True)[0]
        Membership.objects.create(
            space_id=other_world.space_id, principal=world.administrator.principal.text, role_id=role
        )


def test_narrowing_to_a_space_hides_the_others_one_belongs_to(world: World, other_world: World) -> None:
    other_world.admit(world.administrator.principal, "Viewer")

    with acting_as(world.administrator.principal, [world.space_id]):
        seen = {space.id for space in Space.objects.all()}

    assert seen == {world.space_id}


@pytest.mark.requirement("S05")
def test_leaving_ends_access_at_once_and_keeps_the_row(world: World) -> None:
    reader = world.join("Reader")
    with acting_as(world.administrator.principal):
        membership = Membership.objects.get(principal=reader.principal.text)
        services.end_membership(actor=world.actor(), membership_id=membership.id)

    with acting_as(reader.principal):
        assert not Space.objects.exists()
    with acting_as(world.administrator.principal):
        assert Membership.objects.get(id=membership.id).ended_at is not None


def test_a_job_has_the_rights_of_whom_it_acts_for_and_no_more(world: World, other_world: World) -> None:
    with acting_as(world.administrator.principal.as_job("tidy")):
        assert {space.id for space in Space.objects.all()} == {world.space_id}
    assert other_world.space_id != world.space_id


def test_a_foreign_audit_trail_is_invisible(world: World, other_world: World) -> None:
    with acting_as(world.administrator.principal):
        assert not AuditEntry.objects.filter(organisation_id=other_world.organisation_id).exists()


def test_only_officers_found_spaces_even_by_plain_sql(world: World, other_world: World) -> None:
    stranger = world.join("Editor").principal

    with (
        pytest.raises(DatabaseError, match="not an officer"),
        acting_as(stranger),
        connection.cursor() as cursor,
    ):
        cursor.execute(
            "select trust_found_space(uuidv7(), %s, 'project', 'Mine', %s, 'Administrator', '{}')",
            [other_world.organisation_id, stranger.text],
        )


def test_the_app_role_owns_nothing_and_bypasses_nothing() -> None:
    with anonymous(), connection.cursor() as cursor:
        cursor.execute("select rolsuper, rolbypassrls from pg_roles where rolname = current_user")
        rights = cursor.fetchone()
        cursor.execute(
            "select count(*) from pg_tables where schemaname = 'public' and tableowner = current_user"
        )
        owned = cursor.fetchone()

    assert rights == (False, False)
    assert owned == (0,)


def test_every_table_with_a_space_is_under_row_security() -> None:
    with anonymous(), connection.cursor() as cursor:
        cursor.execute(
            "select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid "
            "where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and a.attname = 'space_id' "
            "and not c.relrowsecurity"
        )
        open_tables = [row[0] for row in cursor.fetchall()]

    assert open_tables == []


def test_a_share_names_one_object_to_one_principal_until_it_is_withdrawn(
    world: World, other_world: World
) -> None:
    guest = other_world.administrator.principal
    with acting_as(world.administrator.principal):
        share = services.share(
            actor=world.actor(),
            kind="imaging.exam",
            object_id=world.space_id,
            to=ShareTo.PRINCIPAL,
            grantee=guest.text,
        )

    assert _shared_with(guest) == [world.space_id]
    with acting_as(world.administrator.principal):
        services.withdraw_share(actor=world.actor(), share_id=share.id)
    assert _shared_with(guest) == []


def _shared_with(principal: Principal) -> list[object]:
    with acting_as(principal), connection.cursor() as cursor:
        cursor.execute("select trust_shared('imaging.exam')")
        row = cursor.fetchone()
    assert row
    return list(row[0])


def test_my_spaces_are_listed_by_kind(world: World) -> None:
    with acting_as(world.administrator.principal):
        assert [
            space.id for space in queries.spaces_of(world.administrator.principal, SpaceKind.PROJECT)
        ] == [world.space_id]
        assert not queries.spaces_of(world.administrator.principal, SpaceKind.LIBRARY).exists()


def test_psycopg_and_django_speak_to_the_same_major_version() -> None:
    with anonymous(), connection.cursor() as cursor:
        assert isinstance(cursor.connection, psycopg.Connection)
        assert cursor.connection.info.server_version >= 180000
