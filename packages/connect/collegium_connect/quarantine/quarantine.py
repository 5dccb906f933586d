"""What is set aside, for people: list, look, release, take back, delete; each by a named one, in the trail."""

import json
import sqlite3
import uuid
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from collegium_connect.actor import PEOPLE, Actor, require_role
from collegium_connect.channels import Channels
from collegium_connect.clock import Clock, from_ms, to_ms
from collegium_connect.errors import ConnectError
from collegium_connect.journal import aside, overview
from collegium_connect.journal.aside import AsideObject, Look, Release
from collegium_connect.journal.database import Journal
from collegium_connect.journal.objects import Arrival, State
from collegium_connect.journal.overview import QuarantineLine
from collegium_connect.links import LinkTable
from collegium_connect.log import EventLog
from collegium_connect.notes import note_of
from collegium_connect.quarantine.advice import advice_of
from collegium_connect.quarantine.errors import (
    LookNeeded,
    NotReleasable,
    NotSetAside,
    NotShown,
    TooLate,
)
from collegium_connect.quarantine.showing import Showing
from collegium_connect.quarantine.view import Boxes, View
from collegium_connect.quarantine.viewer import Session, Viewer
from collegium_connect.reason import checked
from collegium_connect.spool import Stores
from collegium_connect.trail import Line, Trail

log = EventLog("quarantine")

_LOOK_MS: Final = 30 * 60 * 1000
_MOST_AT_ONCE: Final = 100


@dataclass(frozen=True)
class Aside:
    """One object that is set aside, as the list shows it: no identifier."""

    object_id: str
    channel_id: str
    channel_name: str
    exam_id: str
    state: State
    reason_code: str
    reason: str
    subject_code: str
    """Empty where none was found yet."""
    received_at: datetime
    size_bytes: int
    can_be_released: bool
    released_by: str
    """Who released it before, should it have come back."""


@dataclass(frozen=True)
class Seen:
    """What a person was shown. With `look_id` they may release it; empty where it cannot leave like this."""

    object: Aside
    local_id: str = field(repr=False)
    """The patient id, for signed-in local people only; empty where it has none."""
    boxes: Boxes
    view: View
    look_id: str
    advice: str
    """What can be done about it, in words."""


class Quarantine:
    """The quarantine of one gateway. Safe between threads."""

    def __init__(  # noqa: PLR0913 - the parts of a gateway that it works with
        self,
        journal: Journal,
        stores: Stores,
        channels: Channels,
        *,
        links: LinkTable,
        trail: Trail,
        clock: Clock,
        viewer: Viewer,
    ) -> None:
        self._journal, self._stores, self._channels = journal, stores, channels
        self._trail, self._clock = trail, clock
        self._showing = Showing(stores, channels, links, viewer)

    def reasons(self) -> list[QuarantineLine]:
        """How much is set aside for which reason."""
        with self._journal.look() as db:
            return overview.quarantine(db)

    def objects(
        self, *, reason_code: str = "", exam_id: str = "", offset: int = 0, limit: int = 50
    ) -> list[Aside]:
        """What is set aside, newest first; of one reason or one exam where it is given."""
        with self._journal.look() as db:
            found = aside.listed(db, reason_code, exam_id, offset=offset, limit=limit)
            return [self._aside(db, item) for item in found]

    def object(self, object_id: str) -> Aside:
        """One of them.

        Raises:
            NotSetAside: it is not, or not any more.
        """
        with self._journal.look() as db:
            return self._aside(db, _one(db, object_id))

    def history(self, object_id: str) -> list[Line]:
        """What people did to it, newest first."""
        return self._trail.of(object_id)

    def look(self, actor: Actor, object_id: str, *, boxes: Boxes = (), frame: int = 0) -> Seen:
        """Show one object to a person: as it came, and as it would leave with these boxes hidden.

        Args:
            actor: a signed-in person; that they looked is in the trail.
            object_id: which.
            boxes: left, top, right, bottom in pixels, hidden on every frame besides what is found.
            frame: which one is shown, from 0.

        Raises:
            NotAllowed: no named person.
            NotSetAside: there is no such object in quarantine.
            NotShown: it is too large or damaged, its channel cannot be used, or looking at it failed.
        """
        require_role(actor, *PEOPLE)
        with self._showing.session() as session:
            return self._look(session, actor, object_id, boxes, frame)

    def unseen(self, actor: Actor, object_id: str, why: NotShown) -> Seen:
        """The same of what could not be shown: the reason in its place, and what can be done.

        Raises:
            NotAllowed: no named person.
            NotSetAside: there is no such object in quarantine.
        """
        require_role(actor, *PEOPLE)
        with self._journal.look() as db:
            item = _one(db, object_id)
            shown = self._aside(db, item)
        view = View(frame=0, no_picture=str(why), code=why.code, words=str(why))
        return Seen(shown, "", (), view, "", advice_of(item, view))

    def look_at_exam(self, actor: Actor, exam_id: str, *, boxes: Boxes = ()) -> list[Seen]:
        """Show the first frame of what of one exam waits for a release, the same boxes hidden on each.

        At most a hundred at once, the newest. What cannot be shown is left out and stays where it is.

        Raises:
            NotAllowed: no named person.
            NotShown: too many boxes.
        """
        require_role(actor, *PEOPLE)
        waiting = [
            item for item in self.objects(exam_id=exam_id, limit=_MOST_AT_ONCE) if item.can_be_released
        ]
        seen = []
        with self._showing.session() as session:
            for item in waiting:
                with suppress(ConnectError):
                    seen.append(self._look(session, actor, item.object_id, boxes, 0))
        return seen

    def _look(self, session: Session, actor: Actor, object_id: str, boxes: Boxes, frame: int) -> Seen:
        with self._journal.look() as db:
            item = _one(db, object_id)
            shown = self._aside(db, item)
        who, view = self._showing.shown(session, item, boxes, frame)
        may_leave = shown.can_be_released and view.is_fit and view.is_shown
        look_id = str(uuid.uuid4()) if may_leave else ""
        with self._journal.change() as db:
            if look_id:
                look = Look(
                    look_id=look_id, object_id=object_id, person=actor.name, boxes=json.dumps(boxes),
                    sha256=view.sha256, at_ms=to_ms(self._clock()),
                )  # fmt: skip
                aside.save_look(db, look)
            self._trail.note(
                db, actor, "quarantine.object.seen", channel_id=item.channel_id, ref=object_id,
                facts={"frame": frame, "boxes": len(boxes), "is_fit": view.is_fit},
            )  # fmt: skip
        return Seen(shown, who, boxes, view, look_id, advice_of(item, view))

    def dry_run(
        self, actor: Actor, channel_id: str, data: bytes, *, boxes: Boxes = (), frame: int = 0
    ) -> tuple[str, View]:
        """What a channel would make of a file that is only shown: its patient id, and the view (C20).

        Nothing is kept, no subject code is made (one that is not there yet is shown as `NEW`), and the trail
        says only that somebody tried a file.

        Raises:
            NotAllowed: no named person.
            NotShown: too large, no such channel, or looking at it failed.
        """
        require_role(actor, *PEOPLE)
        who, view = self._showing.tried(channel_id, data, boxes, frame)
        with self._journal.change() as db:
            self._trail.note(
                db, actor, "quarantine.file.tried", channel_id=channel_id, facts={"is_fit": view.is_fit}
            )
        return who, view

    def release(self, actor: Actor, look_id: str, reason: str) -> str:
        """Let an object leave as this person saw it, once inspection finds the same again; its id.

        Raises:
            NotAllowed: no named person.
            LookNeeded: it is not this person's look, or older than half an hour.
            ReasonMissing, NotSetAside, NotReleasable.
        """
        (object_id,) = self.release_all(actor, [look_id], reason)
        return object_id

    def release_all(self, actor: Actor, look_ids: Sequence[str], reason: str) -> list[str]:
        """The same for several looks, all of them or none; the objects' ids. Raises as `release` does."""
        require_role(actor, *PEOPLE)
        if not look_ids:
            raise LookNeeded
        reason = checked(reason)
        with self._journal.change() as db:
            released = [self._release(db, actor, look_id, reason) for look_id in look_ids]
        for item in released:
            log.info("object.released", object=item.object_id, channel=item.channel_id)
        return [item.object_id for item in released]

    def _release(self, db: sqlite3.Connection, actor: Actor, look_id: str, reason: str) -> AsideObject:
        now_ms = to_ms(self._clock())
        look = aside.look(db, look_id)
        if look is None or look.person != actor.name or now_ms - look.at_ms > _LOOK_MS:
            raise LookNeeded
        item = _one(db, look.object_id)
        if not _can_be_released(item):
            raise NotReleasable
        release = Release(
            object_id=item.object_id, person=actor.name, boxes=look.boxes, sha256=look.sha256,
            reason_code=item.reason_code, reason=item.reason, at_ms=now_ms,
        )  # fmt: skip
        aside.send_back(db, release)
        self._trail.note(
            db, actor, "quarantine.object.released", channel_id=item.channel_id, ref=item.object_id,
            reason=reason, facts={"code": item.reason_code, "boxes": len(json.loads(look.boxes))},
        )  # fmt: skip
        return item

    def take_back(self, actor: Actor, object_id: str, reason: str) -> None:
        """Undo a release that is not in a delivery yet; the object is sealed whole and waits again.

        Raises:
            NotAllowed: no named person.
            NotSetAside: it was not released.
            TooLate: a delivery names it.
            ReasonMissing, SpoolFull.
        """
        require_role(actor, *PEOPLE)
        reason = checked(reason)
        while not self._taken_back(actor, object_id, reason):
            log.info("object.changed_meanwhile", object=object_id)

    def _taken_back(self, actor: Actor, object_id: str, reason: str) -> bool:
        """One attempt; False where inspection was done with the object in the middle of it."""
        with self._journal.look() as db:
            released = _released(db, object_id)
        sealed = None
        with ExitStack() as undone:
            if released.is_clean and released.place is not None:
                whole = self._stores.original(object_id, released.place, is_clean=True)
                sealed = self._stores.keep_sealed(object_id, _note(released), whole, to_empty_it=True)
                undone.callback(self._stores.segments.forget, sealed.place, sealed.record_bytes)
                self._stores.segments.sync([sealed.place.segment])
            with self._journal.change() as db:
                if _released(db, object_id) != released:
                    return False
                aside.take_back(db, object_id, sealed)
                self._trail.note(
                    db, actor, "quarantine.release.taken_back", channel_id=released.channel_id,
                    ref=object_id, reason=reason,
                )  # fmt: skip
            undone.pop_all()
        if sealed is not None and released.place is not None:
            self._stores.segments.forget(released.place, released.record_bytes)
        log.info("object.taken_back", object=object_id, channel=released.channel_id)
        return True

    def delete(self, actor: Actor, object_id: str, reason: str) -> None:
        """Give an object up: its row goes now, its bytes within seconds, or at the next start. No way back.

        Raises:
            NotAllowed: no named person.
            ReasonMissing, NotSetAside.
        """
        require_role(actor, *PEOPLE)
        reason = checked(reason)
        with self._journal.change() as db:
            item = _one(db, object_id)
            aside.delete(db, item)
            self._trail.note(
                db, actor, "quarantine.object.deleted", channel_id=item.channel_id, ref=object_id,
                reason=reason, facts={"code": item.reason_code, "bytes": item.record_bytes},
            )  # fmt: skip
        self.forget(object_id)
        log.info("object.deleted", object=object_id, channel=item.channel_id)

    def forget(self, object_id: str) -> None:
        """Keep nothing in memory of what is deleted."""
        self._showing.forget(object_id)

    def _aside(self, db: sqlite3.Connection, item: AsideObject) -> Aside:
        channel, release = self._channels.by_id(item.channel_id), aside.release(db, item.object_id)
        return Aside(
            object_id=item.object_id,
            channel_id=item.channel_id,
            channel_name=channel.setup.name if channel else "",
            exam_id=item.exam_id or "",
            state=item.state,
            reason_code=item.reason_code,
            reason=item.reason,
            subject_code=item.subject_code,
            received_at=from_ms(item.received_ms),
            size_bytes=item.record_bytes,
            can_be_released=_can_be_released(item),
            released_by=release.person if release else "",
        )


def _one(db: sqlite3.Connection, object_id: str) -> AsideObject:
    item = aside.one(db, object_id)
    if item is None:
        raise NotSetAside
    return item


def _released(db: sqlite3.Connection, object_id: str) -> AsideObject:
    item = aside.released(db, object_id)
    if item is None:
        raise NotSetAside
    if item.state not in (State.RECEIVED, State.WAITING):
        raise TooLate
    return item


def _can_be_released(item: AsideObject) -> bool:
    """What waits for a list or for a decision on its whole exam is not released alone."""
    return item.state is State.QUARANTINED and item.reason_code != aside.OTHER_PATIENT


def _note(item: AsideObject) -> bytes:
    return note_of(
        Arrival(
            object_id=item.object_id,
            new_exam_id=item.exam_id or str(uuid.uuid4()),
            channel_id=item.channel_id,
            received_ms=item.received_ms,
            is_clean=False,
            product=None,
            input_mac=item.input_mac,
            reason_code=item.reason_code,
            reason=item.reason,
        )
    )
