"""The moment a delivery becomes an exam: every object gets its outcome, in the caller's transaction."""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING

from django.db import transaction

from collegium.imaging.archive import queries as archive
from collegium.imaging.archive import services as archiving
from collegium.imaging.archive import storage
from collegium.imaging.archive.errors import FramesUnreadable
from collegium.imaging.archive.pixels import pixel_digest
from collegium.imaging.archive.sameness import differing
from collegium.imaging.archive.services import NewInstance
from collegium.imaging.ingest import queries
from collegium.imaging.ingest.cleaners import Cleaners
from collegium.imaging.ingest.errors import (
    CleanedOtherwise,
    CleanerUnknown,
    ExamOfAnotherSubject,
    OtherHeader,
    OtherPixels,
    SeriesOfAnotherExam,
)
from collegium.imaging.ingest.events import ExamArrived
from collegium.imaging.ingest.models import Delivery, DeliveryObject, ObjectState, Source
from collegium.imaging.ingest.rows import save_outcomes
from collegium.kit import clock
from collegium.kit.events import announce
from collegium.trust.audit.actions import Action
from collegium.trust.audit.services import record
from collegium_wire import NEWEST, PROTOCOL, Manifest, Outcome, Receipt, ReceiptItem

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from collegium.imaging.archive.errors import ObjectInvalid
    from collegium.imaging.archive.models import Exam, Instance
    from collegium.kit.principals import Actor

_OUTCOMES = (Outcome.STORED, Outcome.DUPLICATE, Outcome.HELD, Outcome.REFUSED)
"""Of an exam; a test has its own (`proof`)."""


def settle(actor: Actor, row: Delivery) -> Receipt:
    """Judge every received object of a locked delivery, store the new ones, write the receipt."""
    objects = list(queries.objects(row).select_related("blob"))
    exam, is_new = archiving.lock_exam(
        actor=actor, study_uid=row.study_uid, subject_code=row.subject_code, channel_id=row.channel_id
    )
    received = [one for one in objects if one.state == ObjectState.RECEIVED]
    _judge(actor, row, exam, received)
    stored = [one for one in received if one.state == ObjectState.STORED]
    if stored:
        archiving.add_instances(
            actor=actor, exam=exam, is_new=is_new, instances=[_new_instance(one) for one in stored]
        )
    elif is_new:
        exam.delete()
    if row.source == Source.GATEWAY and stored:
        _note_unmet(row, exam)
    unneeded = [one.blob_id for one in received if one.blob_id and _is_unneeded(one)]
    for one in received:
        one.document, one.frame_table = "", b""
        if _is_unneeded(one):
            one.blob_id = None
    save_outcomes(received)
    archiving.remove_blob_rows(actor=actor, blob_ids=unneeded)
    delete_after_commit(actor, unneeded)
    return _close(actor, row, exam if stored or not is_new else None, objects, stored)


def _note_unmet(row: Delivery, exam: Exam) -> None:
    """Keep what the gateway found the exam to lack, or that it found nothing any more.

    A manifest that says neither leaves what was found before, and is not read, which takes long.
    """
    if '"unmet":' in row.manifest_text or '"met":' in row.manifest_text:
        told = Manifest.from_json(row.manifest_text.encode())
        if told.unmet or told.met:
            archiving.note_unmet(exam=exam, unmet=told.unmet)


def _judge(actor: Actor, row: Delivery, exam: Exam, received: list[DeliveryObject]) -> None:
    """Give each object its state: stored, duplicate, held or refused."""
    if exam.subject_code != row.subject_code:
        for one in received:
            _mark(one, ObjectState.REFUSED, ExamOfAnotherSubject())
        return
    there = archive.known_instances(actor, (one.sop_instance_uid for one in received))
    strangers = archive.series_elsewhere(actor, exam.id, (one.series_uid for one in received))
    held = queries.held_among(actor, there) if there else set()
    cleaners = Cleaners(actor, row, {known.blob_id for known in there.values()})
    for one in received:
        known = there.get(one.sop_instance_uid)
        if one.series_uid in strangers:
            _mark(one, ObjectState.REFUSED, SeriesOfAnotherExam())
        elif known is None:
            _mark(one, ObjectState.STORED)
        elif known.blob.sha256 == one.sha256 or (one.sop_instance_uid, one.sha256) in held:
            _mark(one, ObjectState.DUPLICATE)
        else:
            _mark(one, *_compared(actor, cleaners, known, one))


def _mark(one: DeliveryObject, state: ObjectState, why: ObjectInvalid | None = None) -> None:
    one.state = state
    one.code, one.reason = (why.code, why.text) if why else ("", "")


def _compared(
    actor: Actor, cleaners: Cleaners, known: Instance, one: DeliveryObject
) -> tuple[ObjectState, ObjectInvalid | None]:
    """What becomes of other bytes of an instance that is there already: by its decoded pixels, then by its header.

    Only headers that the same recipe and program cleaned can tell what the site changed.
    """
    blobs = storage.blobs()
    assert one.blob_id
    before = blobs.read_all(archive.blob_key(actor, known.blob_id))
    now = blobs.read_all(archive.blob_key(actor, one.blob_id))
    if not _show_the_same(actor, known, before, now):
        return ObjectState.HELD, OtherPixels()
    names = differing(before, now)
    if not names:
        return ObjectState.DUPLICATE, None
    same = cleaners.agree(known.blob_id)
    if not same:
        return ObjectState.DUPLICATE, CleanerUnknown() if same is None else CleanedOtherwise()
    return ObjectState.HELD, OtherHeader(names)


def _show_the_same(
    actor: Actor, known: Instance, before: bytes | memoryview, now: bytes | memoryview
) -> bool:
    try:
        digest = known.pixel_digest or pixel_digest(before)
        if not known.pixel_digest:
            archiving.set_pixel_digest(actor=actor, instance_id=known.id, digest=digest)
        return digest == pixel_digest(now)
    except FramesUnreadable:
        return False  # when in doubt it is held, and a person looks


def _is_unneeded(one: DeliveryObject) -> bool:
    return one.state in (ObjectState.DUPLICATE, ObjectState.REFUSED)


def _new_instance(one: DeliveryObject) -> NewInstance:
    assert one.blob_id
    return NewInstance(
        one.sop_instance_uid,
        one.sop_class_uid,
        one.transfer_syntax_uid,
        one.series_uid,
        one.blob_id,
        json.loads(one.document),
        bytes(one.frame_table),
    )


def _close(
    actor: Actor,
    row: Delivery,
    exam: Exam | None,
    objects: list[DeliveryObject],
    stored: list[DeliveryObject],
) -> Receipt:
    receipt = write_receipt(row, exam, objects)
    counts = {outcome.value: sum(i.outcome is outcome for i in receipt.items) for outcome in _OUTCOMES}
    for kind, why in (("cleaned_otherwise", CleanedOtherwise), ("cleaner_unknown", CleanerUnknown)):
        if told := sum(one.code == why.code for one in objects):
            counts[kind] = told
    record(
        actor,
        Action.DELIVERY_COMPLETED,
        "ingest.delivery",
        row.delivery_id,
        new={"manifest": row.manifest_digest, "exam": receipt.exam_id, **counts},
    )
    if exam and stored:
        announce(
            actor.principal,
            ExamArrived(
                space_id=row.space_id,
                exam_id=exam.id,
                subject_code=exam.subject_code,
                channel_id=str(row.channel_id or ""),
                supplement=row.is_supplement or exam.instance_count > len(stored),
            ),
        )
    return receipt


def write_receipt(row: Delivery, exam: Exam | None, objects: Iterable[DeliveryObject]) -> Receipt:
    """The receipt of a delivery whose objects all have their outcome, kept with it."""
    receipt = Receipt(
        protocol=NEWEST if row.is_test else PROTOCOL,
        delivery_id=str(row.delivery_id),
        manifest_digest=row.manifest_digest,
        exam_id=str(exam.id) if exam else None,
        items=tuple(
            ReceiptItem(
                sop_instance_uid=one.sop_instance_uid,
                sha256=one.sha256,
                outcome=Outcome(one.state),
                reason=one.reason,
            )
            for one in objects
        ),
        at=clock.now(),
    )
    row.receipt_text = receipt.to_json().decode()
    row.completed_at, row.exam = receipt.at, exam
    row.save(update_fields=["receipt_text", "completed_at", "exam"])
    return receipt


def delete_after_commit(actor: Actor, blob_ids: Iterable[UUID]) -> None:
    """Take blobs out of the store once the transaction that forgot them is committed."""
    keys = [archive.blob_key(actor, blob_id) for blob_id in blob_ids]
    if keys:
        transaction.on_commit(partial(_delete, keys))


def _delete(keys: list[str]) -> None:
    for key in keys:
        storage.blobs().delete(key)
