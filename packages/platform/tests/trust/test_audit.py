"""The trail holds: entries chain at commit, and any edit, removal or insertion is named."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import DatabaseError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from collegium.kit.database import acting_as, anonymous
from collegium.kit.principals import Actor, Principal
from collegium.settings.installation import installation
from collegium.trust.audit import heads, jobs, verify
from collegium.trust.audit.actions import Action
from collegium.trust.audit.models import AuditEntry
from collegium.trust.audit.services import record

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from collegium_testkit.world import World

pytestmark = pytest.mark.requirement("S01", "S02")


@pytest.fixture
def owner() -> Iterator[psycopg.Connection]:
    """The database's owner with triggers off: the strongest forger there is."""
    with psycopg.connect(os.environ["COLLEGIUM_OWNER_DATABASE_URL"], autocommit=True) as forger:
        forger.execute("set session_replication_role = replica")
        yield forger


def entries(world: World, count: int) -> list[AuditEntry]:
    with acting_as(world.administrator.principal):
        return [
            record(world.actor(), Action.MEMBER_ADDED, "tenancy.membership", f"m{i}", new={"role": "Ärztin"})
            for i in range(count)
        ]


def fault_of(world: World, owner: psycopg.Connection) -> verify.Fault | None:
    """The first fault of the world's chain, as the owner sees it."""
    row = owner.execute(
        "select seq, hash from trust_audit_audithead where chain = %s", [chain(world)]
    ).fetchone()
    assert row
    _, fault = verify._verify_chain(chain(world), row[0], bytes(row[1]), "owner")
    return fault


def chain(world: World) -> str:
    return f"space:{world.space_id}"


def sizes(world: World) -> dict[str, int]:
    """The world's chain alone, as sealing is told of it."""
    return {chain(world): verify.chains()[chain(world)]}


def kept_heads(world: World) -> list[heads.TreeHead]:
    """What the job keeps of the world's chain."""
    return heads._kept(installation().data_dir / "heads" / f"space-{world.space_id}.jsonl")


@pytest.fixture(autouse=True)
def _owner_alias() -> Iterator[None]:
    """A Django alias of the owner, as `collegium audit verify` uses."""
    from django.db import connections

    settings = {**connections.settings["default"], "OPTIONS": {}}
    parts = psycopg.conninfo.conninfo_to_dict(os.environ["COLLEGIUM_OWNER_DATABASE_URL"])
    settings |= {"NAME": parts["dbname"], "USER": parts["user"], "PASSWORD": parts["password"]}
    connections.settings["owner"] = settings
    yield
    connections["owner"].close()


def test_entries_link_at_commit_in_order(world: World, owner: psycopg.Connection) -> None:
    made = entries(world, 3)

    linked = owner.execute(
        "select seq, entry_id from trust_audit_auditlink where chain = %s order by seq desc limit 3",
        [chain(world)],
    ).fetchall()

    assert [row[1] for row in reversed(linked)] == [entry.id for entry in made]
    assert fault_of(world, owner) is None


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("body", "{}"),
        ("at", "2020-01-01T00:00:00Z"),
        ("action", "tenancy.membership.removed"),
        ("principal", "person:00000000-0000-7000-8000-000000000000"),
        ("object_id", "m9"),
        ("chain", "installation"),
    ],
)
def test_a_changed_entry_is_named(world: World, owner: psycopg.Connection, column: str, value: str) -> None:
    target = entries(world, 3)[1]
    owner.execute(f"update trust_audit_auditentry set {column} = %s where id = %s", [value, target.id])

    fault = fault_of(world, owner)

    assert fault
    assert fault.entry_id == str(target.id)


def test_one_flipped_byte_is_named(world: World, owner: psycopg.Connection) -> None:
    target = entries(world, 3)[1]
    owner.execute(
        "update trust_audit_auditentry set body = overlay(body placing '#' from 30) where id = %s",
        [target.id],
    )

    fault = fault_of(world, owner)

    assert fault
    assert fault.entry_id == str(target.id)
    assert "changed after it was written" in fault.what


def test_a_removed_entry_is_named(world: World, owner: psycopg.Connection) -> None:
    target = entries(world, 3)[1]
    owner.execute("delete from trust_audit_auditentry where id = %s", [target.id])

    fault = fault_of(world, owner)

    assert fault
    assert "removed" in fault.what


def test_two_entries_that_changed_places_are_named(world: World, owner: psycopg.Connection) -> None:
    first, second, _ = entries(world, 3)
    rows = owner.execute(
        "select seq from trust_audit_auditlink where entry_id in (%s, %s) order by seq", [first.id, second.id]
    ).fetchall()
    place, other = (row[0] for row in rows)
    for entry, seq in ((first, -1), (second, place), (first, other)):
        owner.execute("update trust_audit_auditlink set seq = %s where entry_id = %s", [seq, entry.id])

    fault = fault_of(world, owner)

    assert fault
    assert fault.entry_id == str(second.id)


def test_a_cut_off_end_is_named(world: World, owner: psycopg.Connection) -> None:
    target = entries(world, 3)[2]
    owner.execute("delete from trust_audit_auditlink where entry_id = %s", [target.id])

    fault = fault_of(world, owner)

    assert fault
    assert "cut off" in fault.what


def test_an_entry_slipped_in_without_its_link_is_named(world: World, owner: psycopg.Connection) -> None:
    target = entries(world, 1)[0]
    owner.execute(
        "insert into trust_audit_auditentry (id, chain, space_id, at, principal, action, object_kind, object_id, body) "
        "select uuidv7(), chain, space_id, at, principal, action, object_kind, object_id, body "
        "from trust_audit_auditentry where id = %s",
        [target.id],
    )

    assert any("slipped in" in fault.what for fault in verify._strays("owner"))


def test_an_owner_who_rewrites_the_whole_chain_is_found_by_the_kept_head(
    world: World, owner: psycopg.Connection, tmp_path: Path
) -> None:
    signer = Ed25519PrivateKey.generate()
    entries(world, 3)
    heads.sign_heads(sizes(world), signer, tmp_path, "owner")
    assert list(heads.check_heads(tmp_path, signer, "owner")) == []

    owner.execute(
        "update trust_audit_auditlink set hash = sha256(hash) where chain = %s and seq = 2", [chain(world)]
    )

    faults = list(heads.check_heads(tmp_path, signer, "owner"))
    assert [fault.chain for fault in faults] == [chain(world)]


def test_a_forged_head_is_not_believed(world: World, tmp_path: Path) -> None:
    entries(world, 1)
    heads.sign_heads(sizes(world), Ed25519PrivateKey.generate(), tmp_path, "owner")

    faults = list(heads.check_heads(tmp_path, Ed25519PrivateKey.generate(), "owner"))

    assert "not signed by this installation" in faults[0].what


def test_each_hour_heads_are_signed_without_the_owner_and_the_trail_agrees(
    world: World, owner: psycopg.Connection
) -> None:
    entries(world, 2)

    jobs.seal(0)

    (head,) = kept_heads(world)
    assert head.is_signed()
    assert head.size == len(verify.link_hashes(chain(world), "owner"))
    assert fault_of(world, owner) is None


def test_a_head_is_signed_again_only_when_its_chain_grew(world: World) -> None:
    entries(world, 1)
    jobs.seal(0)
    jobs.seal(3600)
    once = kept_heads(world)

    entries(world, 1)
    jobs.seal(7200)

    assert len(once) == 1
    assert [head.size for head in kept_heads(world)] == [once[0].size, once[0].size + 1]


def test_another_head_key_signs_an_unchanged_chain_anew(world: World, tmp_path: Path) -> None:
    entries(world, 1)

    signed = [
        heads.sign_heads(sizes(world), Ed25519PrivateKey.generate(), tmp_path) for _another_key in range(2)
    ]

    assert [len(one) for one in signed] == [1, 1]


def test_sealing_shows_the_app_role_hashes_and_no_entry_of_others(world: World) -> None:
    entries(world, 1)

    with anonymous():
        leaves = verify.link_hashes(chain(world))
        seen = AuditEntry.objects.filter(chain=chain(world)).exists()

    assert {len(leaf) for leaf in leaves} == {32}
    assert not seen


@pytest.mark.parametrize("statement", ["update {} set chain = 'x'", "delete from {}", "truncate {} cascade"])
@pytest.mark.parametrize(
    "table", ["trust_audit_auditentry", "trust_audit_auditlink", "trust_audit_audithead"]
)
def test_the_app_role_cannot_change_the_trail(world: World, statement: str, table: str) -> None:
    with (
        pytest.raises(DatabaseError),
        acting_as(world.administrator.principal),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement.format(table))


def test_a_rolled_back_change_leaves_no_entry_and_no_gap(world: World, owner: psycopg.Connection) -> None:
    class Oops(Exception):
        pass

    with pytest.raises(Oops), acting_as(world.administrator.principal):
        record(world.actor(), Action.MEMBER_ADDED, "tenancy.membership", "gone")
        raise Oops
    entries(world, 1)

    assert fault_of(world, owner) is None
    assert not owner.execute("select 1 from trust_audit_auditentry where object_id = 'gone'").fetchone()


def test_one_transaction_writes_one_chain(world: World) -> None:
    with pytest.raises(DatabaseError, match="one audit chain"), acting_as(world.administrator.principal):
        record(world.actor(), Action.MEMBER_ADDED, "tenancy.membership", "a")
        record(Actor(world.administrator.principal), Action.SIGNED_IN, "identity.account", "b")


def test_an_entry_outside_a_transaction_is_refused(world: World) -> None:
    with pytest.raises(RuntimeError, match="transaction"):
        record(Actor(world.administrator.principal), Action.SIGNED_IN, "identity.account", "b")


def test_nobody_writes_in_another_name(world: World) -> None:
    reader = world.join("Reader")

    with pytest.raises(DatabaseError, match="row-level security"), acting_as(reader.principal):
        record(world.actor(world.administrator), Action.MEMBER_ADDED, "tenancy.membership", "a")


def test_the_time_is_the_databases_own(world: World) -> None:
    made = entries(world, 1)[0]

    with acting_as(world.administrator.principal):
        kept = AuditEntry.objects.get(id=made.id)

    assert kept.at != made.at


def test_writing_needs_no_lock_on_the_head_before_commit(world: World) -> None:
    with acting_as(world.administrator.principal):
        record(world.actor(), Action.MEMBER_ADDED, "tenancy.membership", "slow")
        second = psycopg.connect(os.environ["COLLEGIUM_OWNER_DATABASE_URL"])
        try:
            second.execute(
                "select 1 from trust_audit_audithead where chain = %s for update nowait", [chain(world)]
            )
        finally:
            second.close()
    assert not transaction.get_connection().in_atomic_block


@given(st.lists(st.binary(min_size=32, max_size=32), max_size=40))
def test_the_tree_is_the_one_of_rfc_9162(leaves: list[bytes]) -> None:
    assert heads.merkle_root(leaves) == _recursive_root(leaves)


def _recursive_root(leaves: list[bytes]) -> bytes:
    """The definition itself: RFC 9162, section 2.1.1."""
    from hashlib import sha256

    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + _recursive_root(leaves[:split]) + _recursive_root(leaves[split:])).digest()


def test_principal_texts_read_back_as_written() -> None:
    principal = Principal.gateway(Actor.system().principal.id).as_job("imaging.exam_arrived")

    assert Principal.parse(principal.text) == principal
