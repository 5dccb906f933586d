"""One object's way in: clean it, write it, remember it; only then is it acknowledged.

Between socket and disk the header is rewritten. What reaches the disk is the cleaned object with its
original header sealed behind it (the whole original where its pixels were changed) or, if it cannot be
cleaned, the whole object sealed. Files and their
folder are on disk before the journal's row, the row before the answer. Memory bound: the object once,
as received, and a copy for the engine.
"""

import hashlib
import sqlite3
import uuid
from enum import IntEnum

from collegium_connect import deidentify
from collegium_connect.channels import Channel
from collegium_connect.clock import Clock, to_ms
from collegium_connect.errors import SpoolFull
from collegium_connect.journal import objects
from collegium_connect.journal.database import GroupCommit, Journal
from collegium_connect.journal.objects import CleanArrival, Kept, SealedArrival
from collegium_connect.keys import Secrets
from collegium_connect.links import LinkTable
from collegium_connect.log import EventLog
from collegium_connect.sealed import seal
from collegium_connect.spool import Spool, Stores
from collegium_deid import Rejected

log = EventLog("intake")


class Status(IntEnum):
    """C-STORE statuses that this gateway answers (PS3.4 Table B.2-1, PS3.7 annex C)."""

    SUCCESS = 0x0000
    PROCESSING_FAILURE = 0x0110
    OUT_OF_RESOURCES = 0xA700


class Intake:
    """Takes objects from any number of threads."""

    def __init__(
        self, journal: Journal, stores: Stores, links: LinkTable, secrets: Secrets, clock: Clock
    ) -> None:
        self._journal, self._stores, self._links = journal, stores, links
        self._secrets, self._clock = secrets, clock
        self._commits: GroupCommit[CleanArrival | SealedArrival, Kept] = GroupCommit(self._commit)

    @property
    def has_room(self) -> bool:
        return self._stores.usage.has_room()

    def store(self, channel: Channel, data: memoryview) -> Status:
        """Take one Part 10 object, which is `data` for the length of this call only.

        A duplicate and an object that went to quarantine are successes: it is safe here. Any other
        answer means that nothing was kept and the sender should try again.
        """
        try:
            self._store(channel, data)
        except SpoolFull:
            log.warning("object.refused", channel=channel.channel_id, reason="spool full")
            return Status.OUT_OF_RESOURCES
        except sqlite3.Error as error:
            log.fault("object.refused", error, channel=channel.channel_id)
            return Status.OUT_OF_RESOURCES
        except Exception as error:  # noqa: BLE001 - not acknowledged, so the sender keeps it and tries again
            log.fault("object.refused", error, channel=channel.channel_id)
            return Status.PROCESSING_FAILURE
        return Status.SUCCESS

    def _store(self, channel: Channel, data: memoryview) -> None:
        try:
            clean = deidentify.clean(channel, data, self._links)
        except Rejected as rejected:
            self._store_sealed(channel, data, rejected)
            return
        self._store_clean(channel, clean)

    def _store_clean(self, channel: Channel, clean: deidentify.Clean) -> None:
        cleaned = clean.cleaned
        pieces: list[bytes | memoryview] = [cleaned.head, *clean.pixels]
        digest = hashlib.sha256()
        for piece in pieces:
            digest.update(piece)
        sha256 = digest.hexdigest()
        with self._journal.look() as db:
            if objects.is_known(db, channel.channel_id, cleaned.sop_instance_uid, sha256):
                return
        object_id = str(uuid.uuid4())
        sealed = b"".join(seal(self._secrets.sealing, object_id, clean.original))
        size = sum(map(len, pieces))
        arrival = CleanArrival(
            object_id=object_id,
            new_exam_id=str(uuid.uuid4()),
            channel_id=channel.channel_id,
            study_uid=cleaned.study_uid,
            subject_code=cleaned.subject_code,
            sop_instance_uid=cleaned.sop_instance_uid,
            sop_class_uid=cleaned.sop_class_uid,
            series_uid=cleaned.series_uid,
            transfer_syntax_uid=cleaned.transfer_syntax_uid,
            sha256=sha256,
            size_bytes=size,
            sealed_bytes=len(sealed),
            recipe_name=channel.recipe.name,
            recipe_version=channel.recipe.version,
            recipe_digest=channel.recipe.digest,
            counts=dict(cleaned.report.counts),
            seconds=clean.seconds,
            received_ms=to_ms(self._clock()),
        )
        kept = self._keep(self._stores.spool, arrival, [*pieces, sealed], size + len(sealed))
        if kept is Kept.HELD:
            log.warning(
                "object.held", object=object_id, channel=channel.channel_id, reason="two patients in one exam"
            )

    def _store_sealed(self, channel: Channel, data: memoryview, rejected: Rejected) -> None:
        mac = self._secrets.lookup_parts(data)
        with self._journal.look() as db:
            if objects.is_known_sealed(db, channel.channel_id, mac):
                return
        object_id = str(uuid.uuid4())
        pieces: list[bytes | memoryview] = list(seal(self._secrets.sealing, object_id, data))
        size = sum(map(len, pieces))
        arrival = SealedArrival(
            object_id=object_id,
            channel_id=channel.channel_id,
            input_mac=mac,
            sealed_bytes=size,
            reason_code=rejected.code,
            reason=rejected.message,
            received_ms=to_ms(self._clock()),
        )
        self._keep(self._stores.quarantine, arrival, pieces, size)
        log.warning("object.quarantined", object=object_id, channel=channel.channel_id, code=rejected.code)

    def _keep(
        self,
        spool: Spool,
        arrival: CleanArrival | SealedArrival,
        pieces: list[bytes | memoryview],
        size: int,
    ) -> Kept:
        """Write the file, then the row. Returns when both are on disk."""
        usage = self._stores.usage
        usage.reserve(size)
        try:
            spool.write(arrival.object_id, pieces)
        except BaseException:
            usage.release(size)
            raise
        # Should the commit fail, the file stays: whether the row was written is for the next start to see.
        kept = self._commits.submit(arrival)
        if kept is Kept.DUPLICATE:
            spool.remove(arrival.object_id)
            usage.release(size)
        return kept

    def _commit(self, arrivals: list[CleanArrival | SealedArrival]) -> list[Kept]:
        self._stores.spool.sync_names()
        if any(isinstance(arrival, SealedArrival) for arrival in arrivals):
            self._stores.quarantine.sync_names()
        with self._journal.change() as db:
            return [
                objects.record_clean(db, arrival)
                if isinstance(arrival, CleanArrival)
                else objects.record_sealed(db, arrival)
                for arrival in arrivals
            ]


def recover(journal: Journal, stores: Stores) -> None:
    """Make disk and journal agree after any end, however sudden.

    A file without a live row was never acknowledged, or is delivered: it goes. A row without its whole
    file is marked missing and shown; nothing is made up for it.
    """
    with journal.look() as db:
        live = {item.object_id: item for item in objects.files_on_disk(db)}
    removed = 0
    for spool in (stores.spool, stores.quarantine):
        for name in spool.names():
            if name not in live:
                spool.remove(name)
                removed += 1
    missing = []
    for item in live.values():
        spool = stores.quarantine if item.state is objects.State.QUARANTINED else stores.spool
        size = item.size_bytes + item.sealed_bytes
        if spool.size_of(item.object_id) == size:
            stores.usage.add(size)
        else:
            missing.append(item.object_id)
    if missing:
        with journal.change() as db:
            for object_id in missing:
                objects.mark_missing(db, object_id)
                log.error("object.missing", object=object_id)
    log.info("journal.recovered", objects=len(live), orphans_removed=removed, missing=len(missing))
