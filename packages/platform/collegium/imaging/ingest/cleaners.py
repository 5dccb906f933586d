"""Who made the headers of stored objects: asked once for a delivery, however many of its headers differ."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from collegium.imaging.ingest import queries
from collegium.imaging.ingest.models import Source
from collegium_wire import Manifest

if TYPE_CHECKING:
    from collections.abc import Collection
    from uuid import UUID

    from collegium.imaging.ingest.models import Delivery
    from collegium.kit.principals import Actor


class Cleaners:
    """Whether the same recipe and program made the header of an object of a delivery and of what is stored.

    Lives for one settlement. Nothing is asked before the first header differs. Memory: one manifest at a time.
    """

    def __init__(self, actor: Actor, row: Delivery, blob_ids: Collection[UUID]) -> None:
        """Args: `blob_ids` of all that is stored of the delivery's instances."""
        self._actor, self._row, self._blob_ids = actor, row, blob_ids

    def agree(self, blob_id: UUID) -> bool | None:
        """Whether the same made both headers; None where nobody can know it."""
        brought = self._brought_by.get(blob_id)
        if brought is None or brought.source != self._row.source:
            return None
        if brought.source != Source.GATEWAY:
            return True
        return brought.delivery_id in self._alike

    @cached_property
    def _brought_by(self) -> dict[UUID, queries.Brought]:
        return queries.brought(self._actor, self._blob_ids)

    @cached_property
    def _alike(self) -> set[UUID]:
        """The deliveries of the same recipe whose manifests name the same program."""
        ours = self._row.recipe_digest
        likely = {one.delivery_id for one in self._brought_by.values() if one.recipe_digest == ours}
        if not likely:
            return set()
        software = _software(self._row.manifest_text)
        manifests = queries.manifests(self._actor, likely)
        return {delivery_id for delivery_id, text in manifests if _software(text) == software}


def _software(manifest_text: str) -> str:
    return Manifest.from_json(manifest_text.encode()).software
