"""One object's way in: a new header or a seal, a record, a row; only then is it acknowledged.

Between socket and disk the header is rewritten. Where nobody needs to look at the pixels, the record
holds the object as it will leave, its headers sealed; else, and where it cannot be cleaned, the whole
original, sealed. Records are on disk before the journal's row, the row before the answer. Memory
bound: the object once, as received, and a copy for the engine.
"""

import hashlib
import json
import sqlite3
import uuid
from dataclasses import asdict
from enum import IntEnum
from typing import NamedTuple

from collegium_connect import deidentify
from collegium_connect.channels import Channel
from collegium_connect.clock import Clock, to_ms
from collegium_connect.deidentify import Rewritten
from collegium_connect.errors import SpoolFull
from collegium_connect.journal import objects
from collegium_connect.journal.database import GroupCommit, Journal
from collegium_connect.journal.objects import Arrival, Kept, Product
from collegium_connect.keys import Secrets
from collegium_connect.links import LinkTable
from collegium_connect.log import EventLog
from collegium_connect.spool import Stored, Stores
from collegium_deid import Rejected

log = EventLog("intake")


class Status(IntEnum):
    """C-STORE statuses that this gateway answers (PS3.4 Table B.2-1, PS3.7 annex C)."""

    SUCCESS = 0x0000
    PROCESSING_FAILURE = 0x0110
    OUT_OF_RESOURCES = 0xA700


class _Written(NamedTuple):
    arrival: Arrival
    stored: Stored


class Intake:
    """Takes objects from any number of threads."""

    def __init__(
        self, journal: Journal, stores: Stores, links: LinkTable, secrets: Secrets, clock: Clock
    ) -> None:
        self._journal, self._stores, self._links = journal, stores, links
        self._secrets, self._clock = secrets, clock
        self._commits: GroupCommit[_Written, Kept] = GroupCommit(self._commit)

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
            done = deidentify.rewrite(channel, data, self._links)
        except Rejected as rejected:
            self._store_sealed(channel, data, None, rejected.code, rejected.message)
            return
        if done.pixels is None:
            self._store_sealed(channel, data, product_of(channel, done), "", "")
        else:
            self._store_clean(channel, done, done.pixels)

    def _store_clean(self, channel: Channel, done: Rewritten, pixels: list[bytes | memoryview]) -> None:
        product = product_of(channel, done)
        with self._journal.look() as db:
            if objects.is_known(db, channel.channel_id, product.sop_instance_uid, product.sha256):
                return
        arrival = self._arrival(channel, product, is_clean=True)
        stored = self._stores.keep_clean(
            arrival.object_id,
            note_of(arrival),
            head=done.cleaned.head,
            original=done.original,
            is_whole=done.is_whole,
            pixels=pixels,
        )
        if self._commits.submit(_Written(arrival, stored)) is Kept.HELD:
            log.warning(
                "object.held",
                object=arrival.object_id,
                channel=channel.channel_id,
                reason="two patients in one exam",
            )

    def _store_sealed(
        self, channel: Channel, data: memoryview, product: Product | None, code: str, words: str
    ) -> None:
        mac = self._secrets.lookup_parts(data)
        with self._journal.look() as db:
            if objects.is_known_input(db, channel.channel_id, mac):
                return
        arrival = self._arrival(
            channel, product, is_clean=False, input_mac=mac, reason_code=code, reason=words
        )
        stored = self._stores.keep_sealed(arrival.object_id, note_of(arrival), data)
        self._commits.submit(_Written(arrival, stored))
        if product is None:
            log.warning("object.quarantined", object=arrival.object_id, channel=channel.channel_id, code=code)

    def _arrival(  # noqa: PLR0913 - the parts of one row
        self,
        channel: Channel,
        product: Product | None,
        *,
        is_clean: bool,
        input_mac: bytes | None = None,
        reason_code: str = "",
        reason: str = "",
    ) -> Arrival:
        return Arrival(
            object_id=str(uuid.uuid4()),
            new_exam_id=str(uuid.uuid4()),
            channel_id=channel.channel_id,
            received_ms=to_ms(self._clock()),
            is_clean=is_clean,
            product=product,
            input_mac=input_mac,
            reason_code=reason_code,
            reason=reason,
        )

    def _commit(self, group: list[_Written]) -> list[Kept]:
        # Should the commit fail, the records stay: whether the rows were written is for the next start to see.
        self._stores.segments.sync(item.stored.place.segment for item in group)
        with self._journal.change() as db:
            kept = [objects.record(db, item.arrival, item.stored) for item in group]
        for item, outcome in zip(group, kept, strict=True):
            if outcome is Kept.DUPLICATE:
                self._stores.forget(item.stored.place)
        return kept


def product_of(channel: Channel, done: Rewritten) -> Product:
    """What the journal and a manifest say of a cleaned object."""
    cleaned = done.cleaned
    pieces = None if done.pixels is None else [cleaned.head, *done.pixels]
    digest = hashlib.sha256()
    for piece in pieces or ():
        digest.update(piece)
    return Product(
        study_uid=cleaned.study_uid,
        series_uid=cleaned.series_uid,
        sop_instance_uid=cleaned.sop_instance_uid,
        sop_class_uid=cleaned.sop_class_uid,
        transfer_syntax_uid=cleaned.transfer_syntax_uid,
        subject_code=cleaned.subject_code,
        sha256=digest.hexdigest() if pieces else "",
        size_bytes=sum(map(len, pieces or ())),
        recipe_name=channel.recipe.name,
        recipe_version=channel.recipe.version,
        recipe_digest=channel.recipe.digest,
        counts=dict(cleaned.report.counts),
        seconds=done.seconds,
    )


def note_of(arrival: Arrival) -> bytes:
    """An arrival as its record's note: the row can be made again from it."""
    content = asdict(arrival) | {"input_mac": arrival.input_mac and arrival.input_mac.hex()}
    return json.dumps(content, separators=(",", ":")).encode()
