"""One object's way in: a new header or a seal, a record, a row; only then is it acknowledged.

Between socket and disk the header is rewritten. Where nobody needs to look at the pixels, the record
holds the object as it will leave, its headers sealed; else, and where it cannot be cleaned, the whole
original, sealed. Records are on disk before the journal's row, the row before the answer. Memory
bound: `store`, the object once, as received, and a copy for the engine; `begin`, that of `streaming`.
"""

import sqlite3
import uuid
from enum import IntEnum

from collegium_connect import deidentify, part10
from collegium_connect.channels import Channel
from collegium_connect.clock import Clock, to_ms
from collegium_connect.deidentify import Codes, Rewritten, Waits
from collegium_connect.errors import JournalDamaged, SpoolFull
from collegium_connect.journal.objects import Arrival, Kept, Product
from collegium_connect.keys import Secrets
from collegium_connect.ledger import Ledger, Written
from collegium_connect.log import EventLog
from collegium_connect.notes import note_of, product_of, product_of_parts
from collegium_connect.selection import may_be_selection
from collegium_connect.spool import Stored, Stores
from collegium_connect.streaming import CleanStream, LargeObject, SealedStream
from collegium_deid import Rejected

log = EventLog("intake")


class Status(IntEnum):
    """C-STORE statuses that this gateway answers (PS3.4 Table B.2-1, PS3.7 annex C)."""

    SUCCESS = 0x0000
    PROCESSING_FAILURE = 0x0110
    OUT_OF_RESOURCES = 0xA700


class Intake:
    """Takes objects from any number of threads."""

    def __init__(self, ledger: Ledger, stores: Stores, codes: Codes, secrets: Secrets, clock: Clock) -> None:
        self._ledger, self._stores, self._codes = ledger, stores, codes
        self._secrets, self._clock = secrets, clock

    @property
    def has_room(self) -> bool:
        return self._ledger.is_well and self._stores.usage.has_room()

    def store(self, channel: Channel, data: memoryview) -> Status:
        """Take one Part 10 object, which is `data` for the length of this call only.

        A duplicate and an object that went to quarantine are successes: it is safe here. Any other
        answer means that nothing was kept and the sender should try again.
        """
        try:
            self.take_whole(channel, data)
        except Exception as error:  # noqa: BLE001 - not acknowledged, so the sender keeps it and tries again
            return refused(channel, error)
        return Status.SUCCESS

    def begin(
        self, channel: Channel, sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str
    ) -> "Sink":
        """Take an object whose data set (no preamble, no group 0002) comes piece by piece."""
        large = LargeObject(
            channel, self, stores=self._stores, secrets=self._secrets, codes=self._codes,
            transfer_syntax_uid=transfer_syntax_uid,
        )  # fmt: skip
        return Sink(channel, large, part10.head(sop_class_uid, sop_instance_uid, transfer_syntax_uid))

    def take_whole(self, channel: Channel, data: memoryview) -> None:
        """Put one object that is in memory on the disk and into the journal."""
        if channel.setup.selected_only and may_be_selection(data):
            # Inspection reads it; it holds the notes of whoever made it, so it is sealed whole.
            self._take_sealed(channel, data, None, "", "")
            return
        try:
            done = deidentify.rewrite(channel, data, self._codes)
        except Waits as waits:
            product = product_of_parts(channel, waits.cleaned, seconds=waits.cleaned.report.seconds)
            self._take_sealed(channel, data, product, waits.code, waits.message)
            return
        except Rejected as rejected:
            self._take_sealed(channel, data, None, rejected.code, rejected.message)
            return
        if done.pixels is None:
            self._take_sealed(channel, data, product_of(channel, done), "", "")
        else:
            self._take_clean(channel, done, done.pixels)

    def take_clean(self, channel: Channel, stream: CleanStream) -> None:
        """Finish an object that was cleaned while it came."""
        product = product_of_parts(
            channel,
            stream.cleaned,
            sha256=stream.sha256,
            size_bytes=stream.size_bytes,
            seconds=stream.seconds,
        )
        if self._ledger.is_known(channel.channel_id, product.sop_instance_uid, product.sha256):
            stream.discard()
            return
        arrival = self._arrival(stream.object_id, channel, product, is_clean=True)
        self._record(arrival, stream.finish(note_of(arrival)))

    def take_sealed(self, channel: Channel, stream: SealedStream) -> None:
        """Finish an object that was sealed while it came."""
        mac = stream.close()
        if self._ledger.is_known_input(channel.channel_id, mac):
            stream.discard()
            return
        cleaned = stream.cleaned
        product = None
        if cleaned is not None:
            product = product_of_parts(channel, cleaned, seconds=cleaned.report.seconds)
        arrival = self._arrival(
            stream.object_id, channel, product, is_clean=False, input_mac=mac,
            reason_code=stream.reason_code, reason=stream.reason,
        )  # fmt: skip
        self._record(arrival, stream.finish(note_of(arrival)))

    def _take_clean(self, channel: Channel, done: Rewritten, pixels: list[bytes | memoryview]) -> None:
        product = product_of(channel, done)
        if self._ledger.is_known(channel.channel_id, product.sop_instance_uid, product.sha256):
            return
        arrival = self._arrival(str(uuid.uuid4()), channel, product, is_clean=True)
        stored = self._stores.keep_clean(
            arrival.object_id,
            note_of(arrival),
            head=done.cleaned.head,
            original=done.original,
            is_whole=done.is_whole,
            pixels=pixels,
        )
        self._record(arrival, stored)

    def _take_sealed(
        self, channel: Channel, data: memoryview, product: Product | None, code: str, words: str
    ) -> None:
        mac = self._secrets.lookup_parts(data)
        if self._ledger.is_known_input(channel.channel_id, mac):
            return
        arrival = self._arrival(
            str(uuid.uuid4()), channel, product, is_clean=False, input_mac=mac, reason_code=code, reason=words
        )
        self._record(arrival, self._stores.keep_sealed(arrival.object_id, note_of(arrival), data))

    def _record(self, arrival: Arrival, stored: Stored) -> None:
        (kept,) = self._ledger.record([Written(arrival, stored)])
        if kept is Kept.HELD:
            log.warning(
                "object.held",
                object=arrival.object_id,
                channel=arrival.channel_id,
                reason="two patients in one exam",
            )
        elif kept is Kept.STORED and arrival.reason_code:
            log.warning(
                "object.quarantined",
                object=arrival.object_id,
                channel=arrival.channel_id,
                code=arrival.reason_code,
            )

    def _arrival(  # noqa: PLR0913 - the parts of one row
        self,
        object_id: str,
        channel: Channel,
        product: Product | None,
        *,
        is_clean: bool,
        input_mac: bytes | None = None,
        reason_code: str = "",
        reason: str = "",
    ) -> Arrival:
        return Arrival(
            object_id=object_id,
            new_exam_id=str(uuid.uuid4()),
            channel_id=channel.channel_id,
            received_ms=to_ms(self._clock()),
            is_clean=is_clean,
            product=product,
            input_mac=input_mac,
            reason_code=reason_code,
            reason=reason,
        )


class Sink:
    """Takes one object in pieces; a piece is the caller's again when `write` returns. For one thread.

    A fault shows in the answer of `finish`, so that the sender's bytes can be read to their end.
    """

    def __init__(self, channel: Channel, large: LargeObject, head: bytes) -> None:
        self._channel, self._large = channel, large
        self._failure: Exception | None = None
        self.write(head)

    def write(self, data: bytes | memoryview) -> None:
        if self._failure is not None:
            return
        try:
            self._large.write(data)
        except Exception as error:  # noqa: BLE001 - told when the object ends
            self._fail(error)

    def finish(self) -> Status:
        """The object is complete; the answer is that of `Intake.store`."""
        if self._failure is None:
            try:
                self._large.finish()
            except Exception as error:  # noqa: BLE001 - not acknowledged, so the sender keeps it and tries again
                self._fail(error)
        return Status.SUCCESS if self._failure is None else refused(self._channel, self._failure)

    def abandon(self) -> None:
        """It will never be complete: keep nothing of it."""
        self._large.abandon()

    def _fail(self, error: Exception) -> None:
        self._failure = error
        self._large.abandon()


def refused(channel: Channel, error: Exception) -> Status:
    """What the sender hears of an object that was not kept; the log, why."""
    if isinstance(error, SpoolFull):
        log.warning("object.refused", channel=channel.channel_id, reason="spool full")
        return Status.OUT_OF_RESOURCES
    log.fault("object.refused", error, channel=channel.channel_id)
    if isinstance(error, sqlite3.Error | JournalDamaged):
        return Status.OUT_OF_RESOURCES
    return Status.PROCESSING_FAILURE
