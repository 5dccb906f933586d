"""One attempt at one delivery: manifest, the objects that the server lacks, receipt.

Every step may be repeated: a manifest is put again, the server names what it still lacks, complete
gives the same receipt. So an attempt that was cut at any point is simply made again.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import AbstractContextManager
from functools import partial
from typing import Final

from collegium_connect.journal.deliveries import ObjectFile
from collegium_connect.journal.objects import State
from collegium_connect.log import EventLog
from collegium_connect.send.client import ServerClient
from collegium_connect.send.errors import AttemptFailed, Stopping
from collegium_connect.send.lanes import Lanes
from collegium_connect.send.meter import Meter
from collegium_connect.send.multipart import Part, Upload, batches
from collegium_connect.send.pace import PIECE_BYTES, Pace
from collegium_connect.spool import Stores
from collegium_wire import Manifest, Outcome, Receipt

log = EventLog("send")

_ROUNDS: Final = 3


class Gate:
    """Lets the bytes of one attempt through: at its channel's pace, and no more once it is over."""

    def __init__(
        self, channel_id: str, max_mbps: int, pace: Pace, meter: Meter, is_over: Callable[[], bool]
    ) -> None:
        self._channel_id, self._max_mbps, self._pace, self._meter = channel_id, max_mbps, pace, meter
        self._is_over, self._closed = is_over, threading.Event()

    def close(self) -> None:
        """Cut what is under way."""
        self._closed.set()

    def require_open(self) -> None:
        """See that more may be sent.

        Raises:
            Stopping: the attempt is over.
        """
        if self._closed.is_set() or self._is_over():
            raise Stopping

    def through(self, body: Iterator[bytes]) -> Iterator[bytes]:
        for chunk in body:
            for piece in self._pieces(chunk):
                self.require_open()
                self._closed.wait(self._pace.wait_s(self._channel_id, self._max_mbps, len(piece)))
                yield piece
                self._meter.add(len(piece))

    def _pieces(self, chunk: bytes) -> Iterator[bytes]:
        if not self._max_mbps:
            yield chunk
            return
        for start in range(0, len(chunk), PIECE_BYTES):
            yield chunk[start : start + PIECE_BYTES]


class Attempt:
    """What all attempts share: the server, the spool and the lanes."""

    def __init__(self, client: ServerClient, stores: Stores, lanes: Lanes) -> None:
        self._client, self._stores, self._lanes = client, stores, lanes

    def make(
        self,
        manifest: Manifest,
        objects: Sequence[ObjectFile],
        gate: Gate,
        beginning: AbstractContextManager[None],
    ) -> Receipt:
        """Everything from manifest to receipt.

        Args:
            manifest: of the delivery.
            objects: all that it names.
            gate: what lets bytes through.
            beginning: around the manifest, the first that leaves; raises Stopping if nothing may any more.

        Raises:
            AttemptFailed: it is over, with the reason.
            Stopping: the gateway stops, another uses its enrolment, the channel may not send any more for now, or
                the delivery was taken back.
        """
        files = {item.sha256: item for item in objects}
        with beginning:
            missing = self._client.open_delivery(manifest).missing
        for _ in range(_ROUNDS):
            wanted = [files[sha256] for sha256 in missing if sha256 in files]
            if any(
                item.state is State.MISSING for item in wanted
            ):  # the server may have it: a rebuilt journal
                raise AttemptFailed("connect.spool.damaged", "An object of this exam is missing on the disk.")
            self._send(manifest.delivery_id, wanted, gate)
            answer = self._client.complete(manifest.delivery_id)
            if isinstance(answer, Receipt):
                return _checked(answer, manifest)
            missing = answer.missing
        raise AttemptFailed(
            "connect.delivery.incomplete", "The server still lacks objects after several tries."
        )

    def _send(self, delivery_id: str, files: Sequence[ObjectFile], gate: Gate) -> None:
        """Upload these objects over all lanes; raises what failed first.

        No more is handed in than the lanes can take, so that deliveries share them evenly.
        """
        under_way: set[Future[None]] = set()
        try:
            for upload in batches([self._part(item) for item in files]):
                gate.require_open()
                under_way.add(self._lanes.submit(partial(self._upload, delivery_id, upload, gate)))
                if len(under_way) >= self._lanes.count:
                    under_way = _settled(under_way)
            while under_way:
                under_way = _settled(under_way)
        finally:
            if under_way:
                gate.close()
                wait([future for future in under_way if not future.cancel()])

    def _upload(self, delivery_id: str, upload: Upload, gate: Gate) -> None:
        answer = self._client.send_objects(delivery_id, upload, gate.through)
        for refused in answer.refused:
            log.warning("object.refused_by_server", delivery=delivery_id, code=refused.code)

    def _part(self, item: ObjectFile) -> Part:
        return Part(item.sha256, item.size_bytes, partial(self._stores.outbound, item.object_id, item.place))


def _settled(under_way: set[Future[None]]) -> set[Future[None]]:
    """Wait for the next upload to end, raise what it raised; what is still under way."""
    done, rest = wait(under_way, return_when=FIRST_COMPLETED)
    for future in done:
        future.result()
    return rest


def _checked(receipt: Receipt, manifest: Manifest) -> Receipt:
    """The receipt, if it is for exactly this manifest and names every object of it.

    Who answers an exam as if it were a test has forgotten it: that is no receipt.

    Raises:
        AttemptFailed: it is not; nothing counts as delivered.
    """
    wanted = {(item.sop_instance_uid, item.sha256) for item in manifest.objects}
    named = {(item.sop_instance_uid, item.sha256) for item in receipt.items}
    if (
        receipt.delivery_id != manifest.delivery_id
        or receipt.manifest_digest != manifest.digest()
        or named != wanted
        or (not manifest.is_test and any(item.outcome is Outcome.PROVEN for item in receipt.items))
    ):
        raise AttemptFailed("connect.receipt.mismatch", "The server's receipt is not for what was sent.")
    return receipt
