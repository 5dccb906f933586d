"""Storage Commitment Push Model (PS3.4 annex J): tell a PACS what has arrived for good.

"Committed" here means: the server's receipt names the object. A request is written down, sealed, before it
is answered, and reported over an association of our own once every object it names is delivered, or
can no longer be, or a day has passed. This gateway is no archive, and the guide says so.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from io import BytesIO
from typing import Final, Protocol

from pydicom.dataset import Dataset
from pydicom.filereader import read_dataset

from collegium_connect.channels import Channel
from collegium_connect.clock import Clock, to_ms
from collegium_connect.errors import SealBroken, SettingsInvalid
from collegium_connect.journal import commitments
from collegium_connect.journal.commitments import Commitment
from collegium_connect.journal.database import Journal
from collegium_connect.journal.objects import State
from collegium_connect.log import EventLog
from collegium_connect.peer import LOST, NoAssociation, Peer, associated
from collegium_connect.peer_tls import towards
from collegium_connect.receive import dimse
from collegium_connect.receive.negotiation import IMPLICIT_LITTLE
from collegium_connect.sealed import seal, unseal
from collegium_connect.settings import CallerSettings

log = EventLog("commitment")

_INSTANCE: Final = "1.2.840.10008.1.20.1.1"  # the well-known instance of the service
_ALL_COMMITTED, _SOME_FAILED = 1, 2  # event types, PS3.4 Table J.3-2
_MOST_REFERENCES: Final = 20_000
_PATIENCE_MS: Final = 24 * 3600 * 1000
_ATTEMPTS: Final = 50
_AT_ONCE: Final = 8
_LOOK_MS, _RETRY_MS = 2_000, 60_000
_CALL_S: Final = 15.0


class Status(IntEnum):
    """N-ACTION statuses and failure reasons (PS3.7 annex C)."""

    SUCCESS = 0x0000
    PROCESSING_FAILURE = 0x0110
    NO_SUCH_INSTANCE = 0x0112
    INVALID_ARGUMENT = 0x0115


class Registry(Protocol):
    def by_id(self, channel_id: str) -> Channel | None: ...


@dataclass(frozen=True)
class _Request:
    """What a sender asked, as it lies sealed in the journal."""

    transaction: str
    references: tuple[tuple[str, str], ...]
    """SOP class and instance UIDs, as the sender knows them."""
    calling_ae: str
    called_ae: str
    address: str
    port: int


class Commitments:
    """Takes requests from any thread; `run_once` reports, from one thread."""

    def __init__(
        self,
        journal: Journal,
        channels: Registry,
        callers: Sequence[CallerSettings],
        sealing_key: bytes,
        clock: Clock,
    ) -> None:
        self._journal, self._channels, self._callers = journal, channels, callers
        self._key, self._clock = sealing_key, clock

    def ask(self, channel: Channel, calling_ae: str, address: str, data: bytes, transfer_syntax: str) -> int:
        """Write a request down; the N-ACTION status."""
        caller = self._takes_reports(calling_ae, address)
        if caller is None:
            log.warning(
                "commitment.refused", channel=channel.channel_id, reason="no commit_port for the caller"
            )
            return Status.PROCESSING_FAILURE
        try:
            asked = read_dataset(BytesIO(data), transfer_syntax == IMPLICIT_LITTLE, is_little_endian=True)
            transaction = str(asked.TransactionUID)
            references = tuple(
                (str(item.ReferencedSOPClassUID), str(item.ReferencedSOPInstanceUID))
                for item in asked.ReferencedSOPSequence
            )
        except Exception as error:  # noqa: BLE001 - a peer's bytes: whatever pydicom makes of them, they are no request
            log.fault("commitment.refused", error, channel=channel.channel_id)
            return Status.INVALID_ARGUMENT
        if not transaction or not 0 < len(references) <= _MOST_REFERENCES:
            return Status.INVALID_ARGUMENT
        self._write_down(
            channel,
            _Request(
                transaction, references, calling_ae, channel.setup.called_ae, address, caller.commit_port
            ),
        )
        return Status.SUCCESS

    def run_once(self) -> bool:
        """Look at what is due, report what can be said; whether there may be more at once."""
        now_ms = to_ms(self._clock())
        with self._journal.look() as db:
            due = commitments.due(db, now_ms, _AT_ONCE)
        for item in due:
            self._look_at(item, now_ms)
        return len(due) == _AT_ONCE

    def _write_down(self, channel: Channel, request: _Request) -> None:
        commitment_id = str(uuid.uuid4())
        content = json.dumps(request.__dict__).encode()
        sealed = b"".join(seal(self._key, commitment_id, content))
        row = Commitment(commitment_id, channel.channel_id, sealed, to_ms(self._clock()), 0)
        with self._journal.change() as db:
            commitments.add(db, row)
        log.info(
            "commitment.asked",
            commitment=commitment_id,
            channel=channel.channel_id,
            objects=len(request.references),
        )

    def _look_at(self, item: Commitment, now_ms: int) -> None:
        try:
            request = self._open(item)
        except SealBroken:
            self._forget(item, "it cannot be opened any more", failed=0)
            return
        failed = self._failures(item, request, now_ms)
        if failed is None:
            self._later(item, now_ms + _LOOK_MS, item.attempts)
        elif self._report(item, request, failed):
            self._forget(item, "reported", failed=len(failed))
        elif item.attempts + 1 >= _ATTEMPTS:
            self._forget(item, "the sender takes no report", failed=len(failed))
        else:
            self._later(item, now_ms + _RETRY_MS, item.attempts + 1)

    def _takes_reports(self, calling_ae: str, address: str) -> CallerSettings | None:
        """The caller's entry, if it says where reports go."""
        return next(
            (item for item in self._callers if item.covers(calling_ae, address) and item.commit_port), None
        )

    def _report(self, item: Commitment, request: _Request, failed: dict[str, Status]) -> bool:
        """Whether the report was taken; it goes as the caller's entry says today, over TLS or in clear."""
        caller = self._takes_reports(request.calling_ae, request.address)
        problem = "the caller's entry has no commit_port any more"
        if caller is not None:
            try:
                tls = towards(caller.commit_tls, request.address)
                sender = Peer(
                    request.address, request.port, request.calling_ae, request.called_ae, tls, _CALL_S
                )
                return _report(sender, request, failed)
            except SettingsInvalid as error:
                problem = str(error)
        log.warning("commitment.not_reported", commitment=item.commitment_id, reason=problem)
        return False

    def _failures(self, item: Commitment, request: _Request, now_ms: int) -> dict[str, Status] | None:
        """Instances that are not committed, with reasons; None while it is too early to say."""
        channel = self._channels.by_id(item.channel_id)
        is_late = now_ms - item.asked_ms > _PATIENCE_MS
        if channel is None:
            return (
                dict.fromkeys((uid for _, uid in request.references), Status.PROCESSING_FAILURE)
                if is_late
                else None
            )
        failed: dict[str, Status] = {}
        with self._journal.look() as db:
            for _, uid in request.references:
                # A recipe that retains UIDs leaves the old one, every other makes the keyed one.
                states = commitments.states(db, item.channel_id, (uid, channel.key.uid(uid)))
                if not states:
                    failed[uid] = Status.NO_SUCH_INSTANCE
                elif states & {State.REFUSED, State.MISSING}:
                    failed[uid] = Status.PROCESSING_FAILURE
                elif State.DELIVERED not in states:
                    if not is_late:
                        return None
                    failed[uid] = Status.PROCESSING_FAILURE
        return failed

    def _open(self, item: Commitment) -> _Request:
        content = json.loads(unseal(self._key, item.commitment_id, item.sealed))
        content["references"] = tuple((kind, instance) for kind, instance in content["references"])
        return _Request(**content)

    def _later(self, item: Commitment, at_ms: int, attempts: int) -> None:
        with self._journal.change() as db:
            commitments.look_again(db, item.commitment_id, at_ms, attempts)

    def _forget(self, item: Commitment, ending: str, failed: int) -> None:
        with self._journal.change() as db:
            commitments.remove(db, item.commitment_id)
        log.info(
            "commitment.ended",
            commitment=item.commitment_id,
            channel=item.channel_id,
            ending=ending,
            failed=failed,
        )


def _report(sender: Peer, request: _Request, failed: dict[str, Status]) -> bool:
    """Send the N-EVENT-REPORT over an association of our own; whether it was taken."""
    event = _SOME_FAILED if failed else _ALL_COMMITTED
    try:
        with associated(sender, [(dimse.STORAGE_COMMITMENT, None)], as_provider=True) as association:
            answer, _ = association.send_n_event_report(
                _event(request, failed), event, dimse.STORAGE_COMMITMENT, _INSTANCE
            )
    except (NoAssociation, *LOST):
        return False
    return "Status" in answer and int(answer.Status) == Status.SUCCESS


def _event(request: _Request, failed: dict[str, Status]) -> Dataset:
    event = Dataset()
    event.TransactionUID = request.transaction
    if len(failed) < len(request.references):
        event.ReferencedSOPSequence = [
            _reference(kind, instance) for kind, instance in request.references if instance not in failed
        ]
    if failed:
        event.FailedSOPSequence = [
            _reference(kind, instance, failed[instance])
            for kind, instance in request.references
            if instance in failed
        ]
    return event


def _reference(kind: str, instance: str, reason: Status | None = None) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = kind, instance
    if reason is not None:
        item.FailureReason = int(reason)
    return item
