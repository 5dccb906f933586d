"""Write what became of many objects in one statement.

Django's `bulk_update` builds a CASE of every value: for 300 objects it spent 0.4 s of processor time
where the database needs 10 ms. Only `services` and `settlement` use this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.db import connection

if TYPE_CHECKING:
    from collections.abc import Collection

    from collegium.imaging.ingest.models import DeliveryObject

_UPDATE = """
update imaging_ingest_deliveryobject as object
set state = new.state, code = new.code, reason = new.reason,
    blob_id = new.blob_id, document = new.document, frame_table = new.frame_table
from unnest(
    %s::uuid[], %s::text[], %s::text[], %s::text[], %s::uuid[], %s::text[], %s::bytea[]
) as new (id, state, code, reason, blob_id, document, frame_table)
where object.id = new.id and object.space_id = %s
"""


def save_outcomes(objects: Collection[DeliveryObject]) -> None:
    """Save state, reason, blob and what was read of these objects, all of one space."""
    rows = list(objects)
    if not rows:
        return
    columns: list[list[Any]] = [  # Any: one type a column
        [one.id for one in rows],
        [str(one.state) for one in rows],
        [one.code for one in rows],
        [one.reason for one in rows],
        [one.blob_id for one in rows],
        [one.document for one in rows],
        [bytes(one.frame_table) for one in rows],
    ]
    with connection.cursor() as cursor:
        cursor.execute(_UPDATE, [*columns, rows[0].space_id])
