"""Deliveries over HTTP: the gateway's protocol. Bytes move here; what they mean is decided in services."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from collegium.imaging.archive import storage
from collegium.imaging.connections import queries as connections
from collegium.imaging.connections.edge import (
    BodyStalled,
    answer,
    chunks,
    gateway,
    guarded,
    in_thread,
    said,
)
from collegium.imaging.ingest import queries, services
from collegium.imaging.ingest.corridor import Arrival
from collegium.imaging.ingest.errors import DeliveryIncomplete, DigestWrong, ManifestInvalid
from collegium.imaging.ingest.judgement import conforms_to
from collegium.imaging.ingest.services import Refusal
from collegium.imaging.ingest.upload import Upload
from collegium.kit.blobs import StorageFull
from collegium.kit.database import acting_as
from collegium.kit.multipart import MultipartError, boundary_of
from collegium.trust.access.queries import actor_in
from collegium_wire import Manifest, Missing, ObjectsAnswer, Receipt, RefusedObject, paths

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping
    from uuid import UUID

    from starlette.requests import Request
    from starlette.responses import Response

    from collegium.imaging.connections.queries import KnownGateway

_MANIFEST_BYTES = 64 << 20
BATCH_BYTES = 1 << 20
"""Chunks are handed to the thread in batches: a hop costs as much as hashing 100 KB."""


@guarded
async def open_delivery(request: Request) -> Response:
    """PUT the manifest; the answer names what is missing."""
    known = await gateway(request)
    manifest = await said(request, Manifest, at_most=_MANIFEST_BYTES)
    if manifest.delivery_id != str(request.path_params["delivery_id"]):
        raise ManifestInvalid("The manifest names another delivery than the address.")

    def work() -> Missing:
        with acting_as(known.principal, [known.space_id]):
            actor = actor_in(known.principal, known.space_id)
            return Missing(missing=services.open_delivery(actor=actor, manifest=manifest))

    return answer(await in_thread(work))


@guarded
async def delivery_state(request: Request) -> Response:
    """GET what is missing, or the receipt."""
    known = await gateway(request)
    delivery_id: UUID = request.path_params["delivery_id"]

    def work() -> Receipt | Missing:
        with acting_as(known.principal, [known.space_id]):
            actor = actor_in(known.principal, known.space_id)
            state = services.state_of(actor=actor, delivery_id=delivery_id)
            return state if isinstance(state, Receipt) else Missing(missing=state)

    return answer(await in_thread(work))


@guarded
async def receive_objects(request: Request) -> Response:
    """POST objects. What had arrived whole when a request breaks off is kept."""
    known = await gateway(request)
    boundary = boundary_of(request.headers.get("content-type", ""))
    delivery_id: UUID = request.path_params["delivery_id"]
    begin = await in_thread(lambda: _door(known, delivery_id))
    upload = Upload.of(boundary, begin)
    fault: MultipartError | BodyStalled | StorageFull | None = None
    try:
        async for batch in batches(chunks(request)):
            await in_thread(lambda batch=batch: upload.feed(batch))  # type: ignore[misc]  # bound now
        await in_thread(upload.close)
    except (MultipartError, BodyStalled, StorageFull) as error:
        fault = error
    finally:
        upload.abort()
    told = await in_thread(lambda: _enter(known, delivery_id, upload))
    if fault is not None:
        raise fault
    return answer(told)


def _door(known: KnownGateway, delivery_id: UUID) -> _Begin:
    with acting_as(known.principal, [known.space_id]):
        actor = actor_in(known.principal, known.space_id)
        row = queries.delivery(actor, delivery_id)
        channel = connections.own_channel(actor, str(row.channel_id))
        recipe_text = connections.cleaning_recipe(channel, row.recipe_digest or channel.recipe_digest)
        if recipe_text is None:
            raise ManifestInvalid(services.OTHER_RECIPE)
        assert actor.organisation_id
        return _Begin(actor.organisation_id, known.space_id, recipe_text)


class _Begin:
    """Opens an arrival for each part; knows the space's key and the channel's recipe."""

    def __init__(self, organisation_id: UUID, space_id: UUID, recipe_text: str) -> None:
        self._organisation_id, self._space_id = organisation_id, space_id
        self._judge = conforms_to(recipe_text)

    def __call__(self, headers: Mapping[str, str]) -> Arrival:
        expected = headers.get("content-id", "").strip("<>")
        return Arrival(
            lambda: storage.blobs().create(organisation_id=self._organisation_id, space_id=self._space_id),
            self._judge,
            expected_sha256=expected,
        )


def _enter(known: KnownGateway, delivery_id: UUID, upload: Upload) -> ObjectsAnswer:
    refused = [
        Refusal(
            one.content_id, one.error.code, one.error.text, is_final=not isinstance(one.error, DigestWrong)
        )
        for one in upload.refused
    ]
    with acting_as(known.principal, [known.space_id]):
        stored, turned_away = services.receive_objects(
            actor=actor_in(known.principal, known.space_id),
            delivery_id=delivery_id,
            arrived=upload.arrived,
            refused=refused,
        )
    return ObjectsAnswer(
        stored=stored,
        refused=tuple(
            RefusedObject(sha256=one.sha256, code=one.code, message=one.message) for one in turned_away
        ),
    )


@guarded
async def complete_delivery(request: Request) -> Response:
    """POST: everything is there, or 409 with what is missing."""
    known = await gateway(request)
    delivery_id: UUID = request.path_params["delivery_id"]

    def work() -> Receipt:
        with acting_as(known.principal, [known.space_id]):
            actor = actor_in(known.principal, known.space_id)
            return services.complete_delivery(actor=actor, delivery_id=delivery_id)

    try:
        return answer(await in_thread(work))
    except DeliveryIncomplete as error:
        return answer(Missing(missing=error.missing), 409)


async def batches(stream: AsyncIterator[bytes]) -> AsyncIterator[list[bytes]]:
    """Chunks in groups of about a megabyte."""
    group: list[bytes] = []
    size = 0
    async for chunk in stream:
        group.append(chunk)
        size += len(chunk)
        if size >= BATCH_BYTES:
            yield group
            group, size = [], 0
    if group:
        yield group


def _typed(path: str) -> str:
    return path.replace("{delivery_id}", "{delivery_id:uuid}")


routes = [
    Route(_typed(paths.DELIVERY), open_delivery, methods=["PUT"]),
    Route(_typed(paths.DELIVERY), delivery_state, methods=["GET"]),
    Route(_typed(paths.DELIVERY_OBJECTS), receive_objects, methods=["POST"]),
    Route(_typed(paths.DELIVERY_COMPLETE), complete_delivery, methods=["POST"]),
]
