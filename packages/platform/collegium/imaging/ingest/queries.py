"""Deliveries of an actor's space."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collegium.imaging.ingest.errors import DeliveryNotFound
from collegium.imaging.ingest.models import Delivery, DeliveryObject, ObjectState

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import QuerySet

    from collegium.kit.principals import Actor


def delivery(actor: Actor, delivery_id: UUID, *, lock: bool = False) -> Delivery:
    """The actor's own delivery, by the id it chose.

    Raises:
        DeliveryNotFound: there is none, or it is somebody else's.
    """
    rows = Delivery.objects.filter(
        space_id=actor.space, delivery_id=delivery_id, principal=actor.principal.behalf.text
    )
    found = (rows.select_for_update() if lock else rows).first()
    if found is None:
        raise DeliveryNotFound
    return found


def objects(delivery_row: Delivery) -> QuerySet[DeliveryObject]:
    """The objects of a delivery, in the order of the manifest."""
    return DeliveryObject.objects.filter(space_id=delivery_row.space_id, delivery=delivery_row).order_by(
        "position"
    )


def missing(delivery_row: Delivery) -> tuple[str, ...]:
    """Digests that were not received yet."""
    rows = objects(delivery_row).filter(state=ObjectState.MISSING)
    return tuple(rows.values_list("sha256", flat=True))


def delivery_of_blob(actor: Actor, blob_id: UUID) -> Delivery | None:
    """The delivery that brought these bytes."""
    rows = DeliveryObject.objects.filter(space_id=actor.space, blob_id=blob_id).select_related("delivery")
    found = rows.first()
    return found.delivery if found else None


def is_held(actor: Actor, sop_instance_uid: str, sha256: str) -> bool:
    """Whether these very bytes wait for a person's decision already."""
    rows = DeliveryObject.objects.filter(space_id=actor.space, state=ObjectState.HELD)
    return rows.filter(sop_instance_uid=sop_instance_uid, sha256=sha256).exists()


def held(actor: Actor) -> list[DeliveryObject]:
    """Objects that wait for a person's decision, oldest first."""
    rows = DeliveryObject.objects.filter(space_id=actor.space, state=ObjectState.HELD)
    return list(rows.select_related("delivery").order_by("id")[:500])


def deliveries(actor: Actor) -> QuerySet[Delivery]:
    """Deliveries to the actor's space, newest first."""
    return Delivery.objects.filter(space_id=actor.space).order_by("-opened_at", "-id")
