"""A test of the whole way: a gateway's own invented picture came whole. It is checked, receipted and forgotten.

No exam, no subject and no event comes of it. Whoever marks a delivery as a test, its objects are proven only
where they show nothing at all; what shows something is refused, so that the gateway keeps it and tells.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from collegium.imaging.archive import queries as archive
from collegium.imaging.archive import services as archiving
from collegium.imaging.archive import storage
from collegium.imaging.archive.errors import FramesUnreadable
from collegium.imaging.archive.pixels import pixel_digest
from collegium.imaging.connections import services as connections
from collegium.imaging.ingest import queries
from collegium.imaging.ingest.errors import NoTest
from collegium.imaging.ingest.models import Delivery, DeliveryObject, ObjectState
from collegium.imaging.ingest.rows import save_outcomes
from collegium.imaging.ingest.settlement import delete_after_commit, write_receipt
from collegium.trust.audit.actions import Action
from collegium.trust.audit.services import record
from collegium_wire import TEST_SIDE

if TYPE_CHECKING:
    from collegium.kit.principals import Actor
    from collegium_wire import Receipt

_EMPTY = hashlib.sha256(repr((TEST_SIDE, TEST_SIDE)).encode() + bytes(8 * TEST_SIDE**2)).hexdigest()
"""What `pixel_digest` makes of a picture of zeros."""


def prove(actor: Actor, row: Delivery) -> Receipt:
    """Settle a locked delivery that is a test: nothing of its objects stays."""
    objects = list(queries.objects(row))
    received = [one for one in objects if one.state == ObjectState.RECEIVED]
    blob_ids = [one.blob_id for one in received if one.blob_id]
    for one in received:
        if _is_empty(actor, one):
            one.state = ObjectState.PROVEN
        else:
            one.state, one.code, one.reason = ObjectState.REFUSED, NoTest.code, NoTest().text
        one.document, one.frame_table, one.blob_id = "", b"", None
    save_outcomes(received)
    archiving.remove_blob_rows(actor=actor, blob_ids=blob_ids)
    delete_after_commit(actor, blob_ids)
    receipt = write_receipt(row, None, objects)
    proven = sum(one.state == ObjectState.PROVEN for one in objects)
    if receipt.delivered and row.channel_id:
        connections.note_test(
            actor=actor,
            channel_id=row.channel_id,
            at=receipt.at,
            seconds=(receipt.at - row.opened_at).total_seconds(),
        )
    record(
        actor,
        Action.TEST_PROVEN if receipt.delivered else Action.TEST_REFUSED,
        "ingest.delivery",
        row.delivery_id,
        new={"manifest": row.manifest_digest, "proven": proven, "refused": len(objects) - proven},
    )
    return receipt


def _is_empty(actor: Actor, one: DeliveryObject) -> bool:
    assert one.blob_id
    try:
        content = storage.blobs().read_all(archive.blob_key(actor, one.blob_id))
        return pixel_digest(content) == _EMPTY
    except FramesUnreadable:
        return False
