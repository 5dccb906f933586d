"""Deliveries of an actor's space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from collegium.imaging.ingest.errors import DeliveryNotFound
from collegium.imaging.ingest.models import Delivery, DeliveryObject, ObjectState

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
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


@dataclass(frozen=True, slots=True)
class Brought:
    """What is known of the delivery that brought a blob, without its large texts."""

    delivery_id: UUID
    """Of the row."""
    source: str
    recipe_digest: str


def brought(actor: Actor, blob_ids: Collection[UUID]) -> dict[UUID, Brought]:
    """By which delivery some blobs came; those of no delivery are not in it."""
    rows = DeliveryObject.objects.filter(space_id=actor.space, blob_id__in=blob_ids)
    found = rows.values_list("blob_id", "delivery_id", "delivery__source", "delivery__recipe_digest")
    return {blob_id: Brought(row_id, source, digest) for blob_id, row_id, source, digest in found}


def manifests(actor: Actor, delivery_ids: Collection[UUID]) -> Iterator[tuple[UUID, str]]:
    """The manifests of some deliveries by the ids of their rows, one after another."""
    rows = Delivery.objects.filter(space_id=actor.space, id__in=delivery_ids).order_by("id")
    return rows.values_list("id", "manifest_text").iterator(chunk_size=10)


def held_among(actor: Actor, sop_instance_uids: Collection[str]) -> set[tuple[str, str]]:
    """Instance and digest of those bytes of some instances that wait for a person's decision."""
    rows = DeliveryObject.objects.filter(space_id=actor.space, state=ObjectState.HELD)
    return set(rows.filter(sop_instance_uid__in=sop_instance_uids).values_list("sop_instance_uid", "sha256"))


def held(actor: Actor) -> list[DeliveryObject]:
    """Objects that wait for a person's decision, oldest first."""
    rows = DeliveryObject.objects.filter(space_id=actor.space, state=ObjectState.HELD)
    return list(rows.select_related("delivery").order_by("id")[:500])


def deliveries(actor: Actor) -> QuerySet[Delivery]:
    """Deliveries to the actor's space, newest first."""
    return Delivery.objects.filter(space_id=actor.space).order_by("-opened_at", "-id")
