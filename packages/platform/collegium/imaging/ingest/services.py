"""Open, fill and complete deliveries. Blob first, rows second; one transaction completes.

Nothing here streams: `api` moves bytes through the corridor outside of any
transaction and hands over what arrived.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from collegium.imaging.archive import queries as archive
from collegium.imaging.archive import services as archiving
from collegium.imaging.archive import storage
from collegium.imaging.connections import queries as connections
from collegium.imaging.ingest import queries
from collegium.imaging.ingest.errors import (
    DeliveryChanged,
    DeliveryIncomplete,
    HeldNotFound,
    ManifestDisagrees,
    ManifestInvalid,
    NotInManifest,
    SubjectDisagrees,
)
from collegium.imaging.ingest.models import Delivery, DeliveryObject, ObjectState, Source
from collegium.imaging.ingest.proof import prove
from collegium.imaging.ingest.rows import save_outcomes
from collegium.imaging.ingest.settlement import delete_after_commit, settle
from collegium.kit import clock, ids
from collegium.kit.canonical import canonical
from collegium.kit.rows import insert_rows
from collegium.trust.access.policies import Permission, require
from collegium.trust.audit.actions import Action
from collegium.trust.audit.services import record
from collegium_wire import Manifest, ManifestObject, Receipt

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from collegium.imaging.archive.errors import ObjectInvalid
    from collegium.imaging.archive.services import StoredBlob
    from collegium.imaging.ingest.corridor import Arrived
    from collegium.kit.principals import Actor

OTHER_RECIPE = "The delivery was cleaned with a recipe that this channel does not accept."
ORPHANS_AFTER = timedelta(hours=24)
"""No request that writes a blob takes this long to write its row."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """One object that does not come in."""

    sha256: str
    code: str
    message: str
    is_final: bool
    """Sending the same bytes again would change nothing."""


def open_delivery(*, actor: Actor, manifest: Manifest) -> tuple[str, ...]:
    """Open a gateway's delivery, or find it open; returns the digests that are missing.

    Raises:
        ChannelNotFound: the manifest names no live channel of this gateway.
        ManifestInvalid: it was cleaned with a recipe that the channel was never told, or that is refused by now.
        DeliveryChanged: the id was opened with another manifest.
        StorageFull: there is no room for what it announces.
    """
    require(actor, Permission.EXAM_UPLOAD)
    channel = connections.own_channel(actor, manifest.channel_id)
    if connections.cleaning_recipe(channel, manifest.recipe_digest) is None:
        raise ManifestInvalid(OTHER_RECIPE)
    digest = manifest.digest()
    storage.require_room(
        sum(one.size_bytes for one in manifest.objects), used_bytes=archive.used_bytes(actor)
    )
    fresh = Delivery(
        id=ids.uuid7(),
        space_id=actor.space,
        delivery_id=UUID(manifest.delivery_id),
        source=Source.GATEWAY,
        principal=actor.principal.behalf.text,
        channel_id=channel.id,
        recipe_digest=manifest.recipe_digest,
        study_uid=manifest.study_uid,
        subject_code=manifest.subject_code,
        is_supplement=manifest.supplement,
        is_test=manifest.is_test,
        manifest_text=manifest.to_json().decode(),
        manifest_digest=digest,
    )
    Delivery.objects.bulk_create([fresh], ignore_conflicts=True)
    row = queries.delivery(actor, fresh.delivery_id, lock=True)
    if row.manifest_digest != digest:
        raise DeliveryChanged
    if row.id == fresh.id:
        insert_rows(_object(row, position, one, one) for position, one in enumerate(manifest.objects))
        record(
            actor,
            Action.DELIVERY_OPENED,
            "ingest.delivery",
            row.delivery_id,
            new={"manifest": digest, "objects": len(manifest.objects), "recipe": manifest.recipe_digest},
        )
    return queries.missing(row)


def receive_objects(
    *, actor: Actor, delivery_id: UUID, arrived: Sequence[Arrived], refused: Sequence[Refusal]
) -> tuple[tuple[str, ...], tuple[Refusal, ...]]:
    """Enter objects whose blobs are durable; returns digests that are stored, and who is refused.

    Receiving the same object twice is a success both times. Blobs that turn out not to
    be needed are deleted after commit.
    """
    require(actor, Permission.EXAM_UPLOAD)
    row = queries.delivery(actor, delivery_id)
    digests = {one.blob.sha256 for one in arrived} | {one.sha256 for one in refused}
    expected = {
        one.sha256: one
        for one in queries.objects(row).filter(sha256__in=digests).select_for_update(of=("self",))
    }
    stored: list[str] = []
    unneeded: list[UUID] = []
    wanted: list[StoredBlob] = []
    turned_away = list(refused)
    for one in arrived:
        known = expected.get(one.blob.sha256)
        fault = _fault(row, known, one)
        if fault is not None:
            turned_away.append(Refusal(one.blob.sha256, fault.code, fault.text, is_final=True))
        else:
            stored.append(one.blob.sha256)
        if fault is None and known is not None and known.state == ObjectState.MISSING:
            wanted.append(one.blob)
            known.state, known.blob_id = ObjectState.RECEIVED, one.blob.id
            known.document, known.frame_table = canonical(one.document), one.frame_table
        else:
            unneeded.append(one.blob.id)
    for refusal in turned_away:
        known = expected.get(refusal.sha256)
        if known is not None and known.state == ObjectState.MISSING and refusal.is_final:
            known.state, known.code, known.reason = ObjectState.REFUSED, refusal.code, refusal.message[:300]
    archiving.add_blobs(actor=actor, blobs=wanted)
    save_outcomes(expected.values())
    delete_after_commit(actor, unneeded)
    return tuple(stored), tuple(turned_away)


def _fault(row: Delivery, known: DeliveryObject | None, one: Arrived) -> ObjectInvalid | None:
    """Why an object is not the one its manifest describes."""
    if known is None:
        return NotInManifest()
    described = (known.sop_instance_uid, known.sop_class_uid, known.transfer_syntax_uid, known.series_uid)
    found = (one.sop_instance_uid, one.sop_class_uid, one.transfer_syntax_uid, one.series_uid)
    if described != found or row.study_uid != one.study_uid or known.size_bytes != one.blob.size_bytes:
        return ManifestDisagrees()
    return SubjectDisagrees() if one.subject_code != row.subject_code else None


def complete_delivery(*, actor: Actor, delivery_id: UUID) -> Receipt:
    """Write the archive's rows, the audit, the receipt and the event, all in this transaction.

    Of a test nothing but the receipt and an entry in the audit stays. Completing again returns the same receipt.

    Raises:
        DeliveryIncomplete: objects are missing; nothing was changed.
    """
    require(actor, Permission.EXAM_UPLOAD)
    row = queries.delivery(actor, delivery_id, lock=True)
    if row.receipt_text:
        return Receipt.from_json(row.receipt_text.encode())
    missing = queries.missing(row)
    if missing:
        raise DeliveryIncomplete(missing)
    return prove(actor, row) if row.is_test else settle(actor, row)


def state_of(*, actor: Actor, delivery_id: UUID) -> Receipt | tuple[str, ...]:
    """The receipt, or the digests that are missing."""
    require(actor, Permission.EXAM_UPLOAD)
    row = queries.delivery(actor, delivery_id)
    return Receipt.from_json(row.receipt_text.encode()) if row.receipt_text else queries.missing(row)


def take_objects(*, actor: Actor, arrived: Sequence[Arrived]) -> tuple[Receipt, ...]:
    """Take objects that came without a manifest (STOW-RS): one delivery for each study."""
    require(actor, Permission.EXAM_UPLOAD)
    by_study: dict[tuple[str, str], dict[str, Arrived]] = {}
    unneeded: list[UUID] = []
    for one in arrived:
        group = by_study.setdefault((one.study_uid, one.subject_code), {})
        if one.sop_instance_uid in group or any(o.blob.sha256 == one.blob.sha256 for o in group.values()):
            unneeded.append(one.blob.id)
        else:
            group[one.sop_instance_uid] = one
    receipts = []
    for (study_uid, subject), group in by_study.items():
        row = _own_delivery(actor, study_uid, subject, group.values())
        receipts.append(settle(actor, row))
    delete_after_commit(actor, unneeded)
    return tuple(receipts)


def _own_delivery(actor: Actor, study_uid: str, subject: str, group: Iterable[Arrived]) -> Delivery:
    arrived = list(group)
    listed = [{"sha256": one.blob.sha256, "sop_instance_uid": one.sop_instance_uid} for one in arrived]
    text = canonical({"objects": listed, "study_uid": study_uid, "subject_code": subject})
    row = Delivery.objects.create(
        space_id=actor.space,
        delivery_id=ids.uuid7(),
        source=Source.STOW,
        principal=actor.principal.behalf.text,
        study_uid=study_uid,
        subject_code=subject[:64],
        manifest_text=text,
        manifest_digest=hashlib.sha256(text.encode()).hexdigest(),
    )
    archiving.add_blobs(actor=actor, blobs=(one.blob for one in arrived))
    insert_rows(_arrived_object(row, position, one) for position, one in enumerate(arrived))
    return row


def _arrived_object(row: Delivery, position: int, one: Arrived) -> DeliveryObject:
    made = _object(row, position, one, one.blob)
    made.state, made.blob_id = ObjectState.RECEIVED, one.blob.id
    made.document, made.frame_table = canonical(one.document), one.frame_table
    return made


def _object(
    row: Delivery, position: int, one: ManifestObject | Arrived, content: ManifestObject | StoredBlob
) -> DeliveryObject:
    """The row of one object, which has not come yet as far as this says."""
    return DeliveryObject(
        id=ids.uuid7(),
        space_id=row.space_id,
        delivery=row,
        position=position,
        sop_instance_uid=one.sop_instance_uid,
        sop_class_uid=one.sop_class_uid,
        transfer_syntax_uid=one.transfer_syntax_uid,
        series_uid=one.series_uid,
        sha256=content.sha256,
        size_bytes=content.size_bytes,
    )


def refuse_held(*, actor: Actor, object_id: UUID, reason: str) -> None:
    """Decide that a held object does not come in; its bytes are deleted, what was decided stays.

    Raises:
        HeldNotFound: nothing of this id is held in the actor's space.
    """
    require(actor, Permission.EXAM_UPLOAD)
    row = (
        DeliveryObject.objects.select_for_update()
        .filter(space_id=actor.space, id=object_id, state=ObjectState.HELD)
        .first()
    )
    if row is None:
        raise HeldNotFound
    blob_id, row.blob_id = row.blob_id, None
    row.state = ObjectState.REFUSED
    row.save(update_fields=["state", "blob"])
    if blob_id:
        archiving.remove_blob_rows(actor=actor, blob_ids=[blob_id])
        delete_after_commit(actor, [blob_id])
    record(
        actor,
        Action.HELD_DECIDED,
        "ingest.object",
        row.id,
        old={"state": "held", "instance": row.sop_instance_uid, "sha256": row.sha256},
        new={"state": "refused"},
        reason=reason,
    )


def sweep_orphans(*, older_than: timedelta) -> tuple[int, int]:
    """Delete aged blobs that have no row, and the rests of writers that were killed.

    A command at the console, not a person's act: it looks at all spaces, each as the
    installation itself.

    Returns:
        How many were deleted, and their stored bytes.
    """
    store = storage.blobs().store
    deleted, freed = 0, 0
    for found in store.listing():
        if clock.now() - found.modified_at < older_than or (found.key and archive.blob_exists(found.key)):
            continue
        store.discard(found)
        deleted, freed = deleted + 1, freed + found.stored_bytes
    return deleted, freed
