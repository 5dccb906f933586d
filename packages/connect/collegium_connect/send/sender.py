"""Work off the queue: one delivery at a time, its objects over a few connections at once.

Every step may be repeated: a manifest is put again, the server names what it still lacks, complete
gives the same receipt. So an attempt that was cut at any point is simply made again.
"""

import queue
import random
import threading
from collections.abc import Iterable
from typing import Final

from collegium_connect.clock import Clock, to_ms
from collegium_connect.journal import deliveries
from collegium_connect.journal.database import Journal
from collegium_connect.journal.deliveries import DueDelivery, ObjectFile
from collegium_connect.journal.objects import State
from collegium_connect.log import EventLog
from collegium_connect.send.backoff import delay_s
from collegium_connect.send.client import ServerClient
from collegium_connect.send.errors import AttemptFailed, Stopping
from collegium_connect.send.multipart import Part, Upload, batches
from collegium_connect.spool import Stores
from collegium_wire import Manifest, Receipt

log = EventLog("send")

CONNECTIONS: Final = 3
_ROUNDS: Final = 3


class Sender:
    """Delivers what is queued; call `run_once` again and again from one thread."""

    def __init__(
        self,
        journal: Journal,
        stores: Stores,
        client: ServerClient,
        clock: Clock,
        stopping: threading.Event,
    ) -> None:
        self._journal, self._stores = journal, stores
        self._client, self._clock, self._stopping = client, clock, stopping
        self._chance = random.Random()  # noqa: S311 - jitter, nothing secret
        self._line_failures = 0
        self.pause_s = 0.0
        """Seconds to leave the line alone, after a failure that no single delivery is to blame for."""

    def run_once(self) -> bool:
        """Try the delivery that is due; False if there is none (or the gateway is stopping)."""
        with self._journal.look() as db:
            due = deliveries.next_due(db, to_ms(self._clock()))
        if due is None or self._stopping.is_set():
            return False
        try:
            receipt = self._attempt(due.manifest)
        except Stopping:
            return False
        except AttemptFailed as failure:
            self._postpone(due, failure)
            return True
        self._line_failures, self.pause_s = 0, 0.0
        self._finish(due.manifest, receipt)
        return True

    def _attempt(self, manifest: Manifest) -> Receipt:
        """Everything from manifest to receipt.

        Raises:
            AttemptFailed, Stopping
        """
        with self._journal.look() as db:
            files = {item.sha256: item for item in deliveries.object_files(db, manifest.delivery_id)}
        if any(item.state is State.MISSING for item in files.values()):
            raise AttemptFailed("connect.spool.damaged", "An object of this exam is missing on the disk.")
        missing = self._client.open_delivery(manifest).missing
        for _ in range(_ROUNDS):
            self._send(manifest.delivery_id, [files[sha256] for sha256 in missing if sha256 in files])
            answer = self._client.complete(manifest.delivery_id)
            if isinstance(answer, Receipt):
                return _checked(answer, manifest)
            missing = answer.missing
        raise AttemptFailed(
            "connect.delivery.incomplete", "The server still lacks objects after several tries."
        )

    def _send(self, delivery_id: str, files: list[ObjectFile]) -> None:
        """Upload these objects over CONNECTIONS at once; raises what failed first."""
        work: queue.SimpleQueue[Upload] = queue.SimpleQueue()
        for upload in batches([self._part(item) for item in files]):
            work.put(upload)
        failures: list[Exception] = []
        threads = [
            threading.Thread(
                target=self._upload, args=(delivery_id, work, failures), name="upload", daemon=True
            )
            for _ in range(min(CONNECTIONS, work.qsize()))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def _upload(self, delivery_id: str, work: "queue.SimpleQueue[Upload]", failures: list[Exception]) -> None:
        while not failures:
            try:
                upload = work.get_nowait()
            except queue.Empty:
                return
            try:
                answer = self._client.send_objects(delivery_id, upload)
            except Exception as error:  # noqa: BLE001 - raised again in the thread that waits for this one
                failures.append(error)
                return
            for refused in answer.refused:
                log.warning("object.refused_by_server", delivery=delivery_id, code=refused.code)

    def _part(self, item: ObjectFile) -> Part:
        def read() -> Iterable[bytes]:
            return self._stores.outbound(item.object_id, item.place)

        return Part(item.sha256, item.size_bytes, read)

    def _postpone(self, due: DueDelivery, failure: AttemptFailed) -> None:
        self._line_failures = self._line_failures + 1 if failure.is_everywhere else 0
        wait_s = delay_s(self._line_failures or due.attempts + 1, self._chance)
        self.pause_s = wait_s if failure.is_everywhere else 0.0
        until_ms = to_ms(self._clock()) + round(1000 * wait_s)
        with self._journal.change() as db:
            deliveries.postpone(db, due.delivery_id, failure.code, failure.message, until_ms)
        log.warning(
            "delivery.postponed",
            delivery=due.delivery_id,
            attempt=due.attempts + 1,
            code=failure.code,
            wait_s=round(wait_s, 1),
        )

    def _finish(self, manifest: Manifest, receipt: Receipt) -> None:
        with self._journal.change() as db:
            done = deliveries.finish(db, manifest.delivery_id, receipt, to_ms(self._clock()))
        for place in done:
            self._stores.forget(place)
        log.info(
            "delivery.receipted",
            delivery=manifest.delivery_id,
            delivered=receipt.delivered,
            objects=len(receipt.items),
        )


def _checked(receipt: Receipt, manifest: Manifest) -> Receipt:
    """The receipt, if it is for exactly this manifest and names every object of it.

    Raises:
        AttemptFailed: it is not; nothing counts as delivered.
    """
    wanted = {(item.sop_instance_uid, item.sha256) for item in manifest.objects}
    named = {(item.sop_instance_uid, item.sha256) for item in receipt.items}
    if (
        receipt.delivery_id != manifest.delivery_id
        or receipt.manifest_digest != manifest.digest()
        or named != wanted
    ):
        raise AttemptFailed("connect.receipt.mismatch", "The server's receipt is not for what was sent.")
    return receipt
