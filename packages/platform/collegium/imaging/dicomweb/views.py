"""Two ways to look at the archive, one shape: a member's view of a space, a holder's view of a grant.

Runs in a thread, outside of `acting_as`: each question opens its own short
transaction, or none when this process knows the answer already.
"""

from __future__ import annotations

import gzip
from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from collegium.imaging.archive import frames, qido, storage
from collegium.imaging.archive import queries as archive
from collegium.imaging.archive.errors import ImageNotFound
from collegium.imaging.dicomweb.content import Kept, SeriesContent, kept_content, series_content
from collegium.imaging.dicomweb.search import Search, study_lines
from collegium.kit.database import acting_as
from collegium.kit.errors import NotFound
from collegium.trust.access.policies import Permission
from collegium.trust.access.queries import actor_in, may
from collegium.trust.audit.actions import Action
from collegium.trust.audit.services import record

if TYPE_CHECKING:
    from uuid import UUID

    from collegium.imaging.archive.queries import StoredInstance
    from collegium.kit.principals import Actor, Principal

_OPENING_S = 900.0
"""Looking at a series again within this time is the same opening and makes no second entry."""

_decisions: Kept[Actor] = Kept(10_000, seconds=5.0)
_places: Kept[tuple[UUID, int]] = Kept(50_000, seconds=5.0)
_documents: Kept[Metadata] = Kept(64 << 20)
_openings: Kept[bool] = Kept(50_000, seconds=_OPENING_S)


@dataclass(frozen=True, slots=True)
class Frame:
    """A frame as it is stored."""

    content: bytes | memoryview
    transfer_syntax_uid: str


class Metadata:
    """A series' metadata, ready to send, compressed at most once."""

    def __init__(self, plain: bytes) -> None:
        self.plain = plain

    @cached_property
    def zipped(self) -> bytes:
        return gzip.compress(self.plain, 4, mtime=0)


class View(ABC):
    """What one principal sees through one door. UIDs are those of the door."""

    principal: Principal
    actor: Actor

    @abstractmethod
    def studies(self, search: Search) -> bytes: ...

    @abstractmethod
    def series(self, study_uid: str) -> bytes: ...

    def instances(self, study_uid: str, series_uid: str) -> bytes:
        """QIDO-RS for the instances of a series. Raises ImageNotFound."""
        content = self._find(study_uid, series_uid)
        lines = [
            qido.instance(
                study_uid=study_uid,
                series_uid=series_uid,
                sop_instance_uid=uid,
                sop_class_uid=one.sop_class_uid,
                frames=one.number_of_frames,
            )
            for uid, one in self._shown(content).items()
        ]
        return ("[" + ",".join(lines) + "]").encode()

    @abstractmethod
    def _find(self, study_uid: str, series_uid: str) -> SeriesContent: ...

    @abstractmethod
    def _shown(self, content: SeriesContent) -> dict[str, StoredInstance]:
        """The visible instances of a series by the UIDs this view shows."""

    @abstractmethod
    def _document(self, content: SeriesContent) -> bytes: ...

    @property
    @abstractmethod
    def door(self) -> str:
        """For the trail: which door this is."""

    def metadata(self, study_uid: str, series_uid: str) -> Metadata:
        """All metadata of a series this view may have, as DICOM JSON. Raises ImageNotFound."""
        content = self._find(study_uid, series_uid)
        self._enter_trail(content)
        key = (self.door, content.id, content.revision)
        kept = _documents.get(key)
        if kept is None:
            made = Metadata(self._document(content))
            kept = _documents.put(key, made, len(made.plain))
        return kept

    def frame(self, study_uid: str, series_uid: str, instance_uid: str, number: int) -> Frame:
        """Frame `number` (from 1) of an instance, as stored. Raises ImageNotFound."""
        content = self._find(study_uid, series_uid)
        found = self._shown(content).get(instance_uid)
        place = found and frames.nth(found.frame_table, number - 1)
        if not found or not place:
            raise ImageNotFound
        self._enter_trail(content)
        piece = storage.blobs().read(found.blob_key, place.offset, place.length)
        return Frame(place.content(piece), found.transfer_syntax_uid)

    def _enter_trail(self, content: SeriesContent) -> None:
        """One entry for each opening of a series, committed before any of it is served."""
        key = (self.principal.text, self.door, content.id)
        if _openings.get(key):
            return
        with acting_as(self.principal, [self.actor.space]):
            record(
                self.actor,
                Action.SERIES_OPENED,
                "imaging.series",
                content.id,
                new={"exam": str(content.exam_id), "door": self.door},
            )
        _openings.put(key, value=True)


class SpaceView(View):
    """A member with the permission sees the space's archive as it is."""

    def __init__(self, principal: Principal, space_id: UUID) -> None:
        """Decide, or rely on a decision of the last 5 s. Raises ImageNotFound."""
        self.principal = principal
        kept = _decisions.get((principal.text, space_id))
        if kept is None:
            try:
                with acting_as(principal, [space_id]):
                    kept = actor_in(principal, space_id)
            except NotFound:
                raise ImageNotFound from None
            _decisions.put((principal.text, space_id), kept)
        if not may(kept, Permission.EXAM_VIEW):
            raise ImageNotFound  # holders of a grant alone do not learn that this door exists
        self.actor = kept
        self._space_id = space_id

    @property
    def door(self) -> str:
        return f"space:{self._space_id}"

    def studies(self, search: Search) -> bytes:
        with acting_as(self.principal, [self._space_id]):
            return ("[" + ",".join(study_lines(self.actor, search)) + "]").encode()

    def series(self, study_uid: str) -> bytes:
        with acting_as(self.principal, [self._space_id]):
            exam = archive.exam_by_uid(self.actor, study_uid)
            lines = [one.qido_json for one in archive.series_of(self.actor, [exam.id])]
        return ("[" + ",".join(lines) + "]").encode()

    def _find(self, study_uid: str, series_uid: str) -> SeriesContent:
        key = (self._space_id, study_uid, series_uid)
        place = _places.get(key)
        content = kept_content(self.actor, *place) if place else None
        if content is not None:
            return content
        with acting_as(self.principal, [self._space_id]):
            row = archive.series_by_uid(self.actor, study_uid, series_uid)
            _places.put(key, (row.id, row.revision))
            return series_content(self.actor, row.id, row.revision)

    def _shown(self, content: SeriesContent) -> dict[str, StoredInstance]:
        return content.instances

    def _document(self, content: SeriesContent) -> bytes:
        with acting_as(self.principal, [self._space_id]):
            return archive.document(self.actor, content.id, content.revision).render()
