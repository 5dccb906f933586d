"""Rows that go in as one JSON text: what was given is what is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from django.db import IntegrityError

from collegium.imaging.archive.models import Blob
from collegium.imaging.ingest.models import Delivery, DeliveryObject, ObjectState
from collegium.imaging.ingest.rows import save_outcomes
from collegium.kit.database import acting_as
from collegium.kit.ids import uuid7
from collegium.kit.rows import insert_rows

if TYPE_CHECKING:
    from collegium_testkit.world import World

SPOKEN = '{"00081030":{"Value":["Ä \\"quoted\\" \\\\ %s \\u0000"],"vr":"LO"}}'
TABLE = bytes(range(256))


def delivery(world: World) -> Delivery:
    return Delivery.objects.create(
        space_id=world.space_id,
        delivery_id=uuid7(),
        source="gateway",
        principal=world.administrator.principal.text,
        study_uid="2.25.1",
        subject_code="S-001",
        manifest_text="{}",
        manifest_digest="0" * 64,
    )


def described(row: Delivery, number: int) -> DeliveryObject:
    return DeliveryObject(
        space_id=row.space_id,
        delivery=row,
        position=number,
        sop_instance_uid=f"2.25.{number}",
        sop_class_uid="1.2",
        transfer_syntax_uid="1.2",
        series_uid="2.25.1",
        sha256=f"{number:064x}",
        size_bytes=1 << 40,
        document=SPOKEN,
        frame_table=TABLE,
    )


def test_inserted_rows_hold_what_they_were_given(world: World) -> None:
    with acting_as(world.administrator.principal, [world.space_id]):
        row = delivery(world)
        insert_rows(described(row, number) for number in range(3))
        found = list(DeliveryObject.objects.filter(space_id=row.space_id, delivery=row).order_by("position"))

    assert [one.sop_instance_uid for one in found] == ["2.25.0", "2.25.1", "2.25.2"]
    assert {(one.size_bytes, one.document, bytes(one.frame_table)) for one in found} == {
        (1 << 40, SPOKEN, TABLE)
    }
    assert {(one.state, one.code, one.blob_id) for one in found} == {("missing", "", None)}


def test_a_column_that_the_database_fills_is_left_to_it(world: World) -> None:
    with acting_as(world.administrator.principal, [world.space_id]):
        blob = Blob(space_id=world.space_id, organisation_id=uuid7(), sha256="0" * 64, size_bytes=1)
        insert_rows([blob])
        found = Blob.objects.get(space_id=world.space_id, id=blob.id)

    assert found.created_at is not None


def test_a_row_that_is_there_already_is_not_inserted_again(world: World) -> None:
    with acting_as(world.administrator.principal, [world.space_id]):
        row = delivery(world)

        with pytest.raises(IntegrityError):
            insert_rows([described(row, 1), described(row, 1)])


def test_outcomes_are_saved_as_they_are(world: World) -> None:
    with acting_as(world.administrator.principal, [world.space_id]):
        row = delivery(world)
        one = described(row, 1)
        insert_rows([one])
        one.state, one.code, one.reason = ObjectState.REFUSED, "a.b", 'Says "no"; ü.'
        one.document, one.frame_table = SPOKEN * 2, TABLE * 2
        save_outcomes([one])
        found = DeliveryObject.objects.get(space_id=row.space_id, id=one.id)

    assert (found.state, found.code, found.reason) == ("refused", "a.b", 'Says "no"; ü.')
    assert (found.document, bytes(found.frame_table)) == (SPOKEN * 2, TABLE * 2)
