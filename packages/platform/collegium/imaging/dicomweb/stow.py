"""STOW-RS: clean objects from a member of the space, through the same corridor as a gateway's.

One transaction for each request. Source: DICOM PS3.18 10.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from collegium.imaging.archive import queries as archive
from collegium.imaging.archive import storage
from collegium.imaging.archive.errors import ImageNotFound, ObjectInvalid
from collegium.imaging.connections.edge import chunks, in_thread
from collegium.imaging.ingest import services
from collegium.imaging.ingest.api import batches
from collegium.imaging.ingest.corridor import Arrival
from collegium.imaging.ingest.judgement import says_clean
from collegium.imaging.ingest.upload import Upload
from collegium.kit.database import acting_as
from collegium.kit.errors import NotFound
from collegium.kit.multipart import boundary_of
from collegium.trust.access.policies import Permission, require
from collegium.trust.access.queries import actor_in, may
from collegium_wire import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping
    from uuid import UUID

    from starlette.requests import Request

    from collegium.imaging.archive.header import Header
    from collegium.kit.principals import Principal
    from collegium_wire import Receipt

# Failure reasons of PS3.18 table 10.5.3-1 and PS3.7 annex C.
_CANNOT_UNDERSTAND, _OTHER_STUDY, _DUPLICATE_UID, _PROCESSING = 0xC000, 0xA900, 0x0111, 0x0110


class OtherStudy(ObjectInvalid):
    code = "dicomweb.store.other_study"
    message = "The object belongs to another study than the address names."


@dataclass(frozen=True, slots=True)
class Door:
    """Where a member may put objects."""

    principal: Principal
    space_id: UUID
    organisation_id: UUID


@dataclass(frozen=True, slots=True)
class Stored:
    """The answer of STOW-RS."""

    status: int
    body: dict[str, Any]  # Any: DICOM JSON


def door(principal: Principal, space_id: UUID) -> Door:
    """Check that the principal may upload here, and that there is room.

    Raises:
        ImageNotFound: no such space for this principal, or it may not see exams there.
        Refused: a member without the permission.
        StorageFull: no room.
    """
    with acting_as(principal, [space_id]):
        try:
            actor = actor_in(principal, space_id)
        except NotFound:
            raise ImageNotFound from None
        if not may(actor, Permission.EXAM_VIEW):
            raise ImageNotFound  # holders of a grant alone do not learn that this door exists
        require(actor, Permission.EXAM_UPLOAD)
        storage.require_room(1, used_bytes=archive.used_bytes(actor))
        assert actor.organisation_id
        return Door(principal, space_id, actor.organisation_id)


async def take(request: Request, at: Door, study_uid: str) -> Stored:
    """Take the body of a request; nothing is stored of a request that breaks off."""
    boundary = boundary_of(request.headers.get("content-type", ""))
    upload = Upload.of(boundary, _Begin(at, study_uid))
    is_entered = False
    try:
        async for batch in batches(chunks(request)):
            await in_thread(lambda batch=batch: upload.feed(batch))  # type: ignore[misc]  # bound now
        await in_thread(upload.close)
        receipts = await in_thread(lambda: _enter(at, upload))
        is_entered = True
    finally:
        upload.abort()
        if not is_entered:
            await in_thread(lambda: _drop(at, upload))
    return _answer(upload, receipts)


class _Begin:
    def __init__(self, at: Door, study_uid: str) -> None:
        self._at, self._study_uid = at, study_uid

    def __call__(self, headers: Mapping[str, str]) -> Arrival:  # noqa: ARG002 - a part's headers decide nothing
        at = self._at
        return Arrival(
            lambda: storage.blobs().create(organisation_id=at.organisation_id, space_id=at.space_id),
            self._judge,
        )

    def _judge(self, header: Header) -> None:
        says_clean(header)
        if self._study_uid and header.text(0x0020000D) != self._study_uid:
            raise OtherStudy


def _enter(at: Door, upload: Upload) -> tuple[Receipt, ...]:
    with acting_as(at.principal, [at.space_id]):
        return services.take_objects(actor=actor_in(at.principal, at.space_id), arrived=upload.arrived)


def _drop(at: Door, upload: Upload) -> None:
    for one in upload.arrived:
        storage.blobs().delete(f"{at.organisation_id}/{at.space_id}/{one.blob.id}")


def _answer(upload: Upload, receipts: tuple[Receipt, ...]) -> Stored:
    classes = {one.sop_instance_uid: one.sop_class_uid for one in upload.arrived}
    good: list[dict[str, Any]] = []  # Any: DICOM JSON
    bad: list[dict[str, Any]] = []  # Any: DICOM JSON
    for receipt in receipts:
        for item in receipt.items:
            reference = _reference(classes[item.sop_instance_uid], item.sop_instance_uid)
            if item.outcome in (Outcome.STORED, Outcome.DUPLICATE):
                good.append(reference)
            else:
                reason = _DUPLICATE_UID if item.outcome is Outcome.HELD else _PROCESSING
                bad.append(reference | _failure(reason, item.reason))
    for one in upload.refused:
        reason = _OTHER_STUDY if isinstance(one.error, OtherStudy) else _CANNOT_UNDERSTAND
        bad.append(_reference(one.sop_class_uid, one.sop_instance_uid) | _failure(reason, one.error.text))
    body: dict[str, Any] = {}  # Any: DICOM JSON
    if good:
        body["00081199"] = {"vr": "SQ", "Value": good}
    if bad:
        body["00081198"] = {"vr": "SQ", "Value": bad}
    return Stored(200 if not bad else 202 if good else 409, body)


def _reference(sop_class_uid: str, sop_instance_uid: str) -> dict[str, Any]:  # Any: DICOM JSON
    pairs = (("00081150", sop_class_uid), ("00081155", sop_instance_uid))
    return {name: {"vr": "UI", "Value": [uid]} for name, uid in pairs if uid}


def _failure(reason: int, words: str) -> dict[str, Any]:  # Any: DICOM JSON
    """The standard's number, and why in words (Error Comment)."""
    return {"00081197": {"vr": "US", "Value": [reason]}, "00000902": {"vr": "LO", "Value": [words[:200]]}}
