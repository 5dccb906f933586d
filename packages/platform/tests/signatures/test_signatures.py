from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from django.db import DatabaseError, connection

from collegium.kit import ids
from collegium.kit.canonical import digest
from collegium.kit.database import acting_as
from collegium.trust.audit.models import AuditEntry
from collegium.trust.identity.errors import WrongPassword
from collegium.trust.identity.models import Account
from collegium.trust.signatures import services
from collegium.trust.signatures.models import Signature
from collegium.trust.signatures.queries import Validity, signatures_of, verify
from collegium_testkit.world import PASSWORD

if TYPE_CHECKING:
    from uuid import UUID

    from collegium_testkit.world import World

RECORD = digest("what is signed")


def sign(world: World, object_id: UUID, password: str = PASSWORD) -> Signature:
    with acting_as(world.administrator.principal, [world.space_id]):
        return services.sign(
            actor=world.actor(), object_kind="test.record", object_id=object_id, object_version=1, digest=RECORD,
            meaning="I approve this.", password=password,
        )  # fmt: skip


@pytest.mark.requirement("S03")
def test_a_signature_holds_name_time_meaning_and_the_digest_and_stands_in_the_audit(world: World) -> None:
    record_id = ids.uuid7()

    made = sign(world, record_id)

    with acting_as(world.administrator.principal, [world.space_id]):
        (kept,) = signatures_of(world.actor(), "test.record", record_id)
        entry = AuditEntry.objects.get(space_id=world.space_id, action="signatures.record.signed")
    assert (kept.full_name, kept.meaning, kept.digest) == (
        world.administrator.full_name,
        "I approve this.",
        RECORD,
    )
    assert kept.signed_at.utcoffset() is not None
    assert json.loads(entry.body)["new"]["seal"] == made.seal
    assert verify(kept, RECORD) is Validity.VALID


def test_another_digest_makes_the_signature_invalid(world: World) -> None:
    made = sign(world, ids.uuid7())

    assert verify(made, digest("what is signed.")) is Validity.RECORD_CHANGED


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("full_name", "Somebody Else"),
        ("meaning", "Nothing"),
        ("signer", "person:00000000-0000-7000-8000-000000000000"),
        ("object_version", 2),
        ("object_kind", "test.other"),
        ("object_id", ids.uuid7()),
        ("digest", digest("other")),
        ("method", "none"),
    ],
)
def test_any_altered_fact_makes_the_signature_invalid(world: World, field: str, value: object) -> None:
    made = sign(world, ids.uuid7())

    setattr(made, field, value)

    assert verify(made, made.digest) is Validity.SIGNATURE_CHANGED


@pytest.mark.requirement("S03", "S04")
def test_a_wrong_password_leaves_no_signature_and_no_trace_in_the_projects_chain(world: World) -> None:
    record_id = ids.uuid7()

    with pytest.raises(WrongPassword):
        sign(world, record_id, "wrong")

    with acting_as(world.administrator.principal, [world.space_id]):
        assert signatures_of(world.actor(), "test.record", record_id) == []
        assert not AuditEntry.objects.filter(
            action="signatures.record.signed", space_id=world.space_id
        ).exists()


@pytest.mark.requirement("S03")
def test_a_signature_keeps_the_name_its_signer_had(world: World) -> None:
    record_id = ids.uuid7()
    sign(world, record_id)

    Account.objects.filter(id=world.administrator.principal.id).update(full_name="Married Name")

    with acting_as(world.administrator.principal, [world.space_id]):
        (kept,) = signatures_of(world.actor(), "test.record", record_id)
    assert kept.full_name == world.administrator.full_name
    assert verify(kept, RECORD) is Validity.VALID


def test_a_job_cannot_sign_for_a_person(world: World) -> None:
    with (
        acting_as(world.administrator.principal, [world.space_id]),
        pytest.raises(services.OnlyAPersonSigns),
    ):
        services.sign(
            actor=world.actor().as_job("test"), object_kind="test.record", object_id=ids.uuid7(), object_version=1,
            digest=RECORD, meaning="x", password=PASSWORD,
        )  # fmt: skip


@pytest.mark.parametrize("act", ["update {} set meaning = 'x'", "delete from {}"])
def test_the_product_can_neither_change_nor_remove_a_signature(world: World, act: str) -> None:
    made = sign(world, ids.uuid7())

    statement = act.format("trust_signatures_signature")
    with (
        acting_as(world.administrator.principal, [world.space_id]),
        pytest.raises(DatabaseError, match="permission denied"),
        connection.cursor() as cursor,
    ):
        cursor.execute(f"{statement} where id = %s", [made.id])


def test_signatures_of_another_project_are_not_seen(world: World, other_world: World) -> None:
    made = sign(world, ids.uuid7())

    with acting_as(other_world.administrator.principal):
        assert not Signature.objects.filter(id=made.id).exists()
