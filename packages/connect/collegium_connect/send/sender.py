"""Work off the queue: several deliveries at once, their objects over connections that all share."""

import math
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Final

from collegium_connect.actor import PEOPLE, Actor, Role, require_role
from collegium_connect.channels import Channels
from collegium_connect.clock import Clock, to_ms
from collegium_connect.journal import channels as stored
from collegium_connect.journal import deliveries
from collegium_connect.journal.database import Journal
from collegium_connect.journal.deliveries import Beginning, DueDelivery
from collegium_connect.log import EventLog
from collegium_connect.loops import Loop
from collegium_connect.send.attempt import Attempt, Gate
from collegium_connect.send.backoff import delay_s
from collegium_connect.send.client import CONNECTIONS, ServerClient
from collegium_connect.send.errors import AttemptFailed, Stopping
from collegium_connect.send.lanes import Lanes
from collegium_connect.send.line import Line
from collegium_connect.send.meter import Meter
from collegium_connect.send.pace import Pace
from collegium_connect.send.window import is_open
from collegium_connect.spool import Stores
from collegium_connect.trail import Trail
from collegium_wire import Receipt

log = EventLog("send")

AT_ONCE: Final = 3
"""Deliveries under way at once; between the parts of one the line would stand still."""
# Who queues a delivery rings; this is for what nobody rings for: a wait that is over, a window that opens.
_LOOK_S: Final = 0.5
# Every piece that leaves asks; the journal is asked this often.
_SHARED_S: Final = 1.0


class Sender:
    """Delivers what is queued, from `start` to `stop`; `ring` when a delivery was queued."""

    def __init__(  # noqa: PLR0913 - what it works with, handed in
        self,
        journal: Journal,
        stores: Stores,
        client: ServerClient,
        channels: Channels,
        *,
        trail: Trail,
        clock: Clock,
        stopping: threading.Event,
    ) -> None:
        self._journal, self._stores, self._channels = journal, stores, channels
        self._trail, self._clock, self._stopping = trail, clock, stopping
        self._chance = random.Random()  # noqa: S311 - jitter, nothing secret
        self._lanes = Lanes(CONNECTIONS)
        self._attempt = Attempt(client, stores, self._lanes)
        self._pace, self.meter, self.line = Pace(), Meter(), Line(self._chance)
        self._busy: set[str] = set()
        self._lock = threading.Lock()
        self._is_shared, self._shared_asked_s = False, -math.inf
        self._loops = [Loop(f"send-{number}", self.run_once, lambda: _LOOK_S) for number in range(AT_ONCE)]

    @property
    def is_busy(self) -> bool:
        """Whether a delivery is under way."""
        with self._lock:
            return bool(self._busy)

    def start(self) -> None:
        for loop in self._loops:
            loop.start()

    def stop(self, timeout_s: float) -> None:
        """Return when nothing is sent any more, or after the time; `stopping` must be set."""
        for loop in self._loops:
            loop.ask_to_stop()
        ends_s = time.monotonic() + timeout_s
        for loop in self._loops:
            loop.stop(max(0.0, ends_s - time.monotonic()))
        self._lanes.close()

    def ring(self) -> None:
        """There may be something to send; from any thread."""
        for loop in self._loops:
            loop.ring()

    def run_once(self) -> bool:
        """Try the delivery that is due; False if none may be tried now."""
        due = self._claim()
        if due is None:
            return False
        try:
            self._deliver(due)
        finally:
            with self._lock:
                self._busy.discard(due.delivery_id)
            self.ring()
        return True

    def retry_now(self, *, actor: Actor, exam_id: str) -> bool:
        """Somebody does not want to wait: try this exam at once; False if nothing of it is queued.

        Raises:
            NotAllowed: by role.
        """
        require_role(actor, *PEOPLE, Role.CONSOLE)
        with self._journal.change() as db:
            count = deliveries.retry_exam(db, exam_id, to_ms(self._clock()))
            if count:
                self._trail.note(db, actor, "send.exam.retried", ref=exam_id)
        self.line.try_now()
        self.ring()
        return count > 0

    def let_go_of_expired(self) -> int:
        """Erase records whose days after the receipt are over; how many."""
        with self._journal.change() as db:
            places = deliveries.let_go_of_expired(db, to_ms(self._clock()))
        for place in places:
            self._stores.forget(place)
        if places:
            log.info("records.expired", objects=len(places))
        return len(places)

    def _claim(self) -> DueDelivery | None:
        """The delivery to try next, which is this thread's until it is done with it."""
        if self._stopping.is_set():
            return None
        with self._lock:
            if not self.line.is_free(len(self._busy)):
                return None
            with self._journal.look() as db:
                if stored.shared_since_ms(db) is not None:
                    return None
                due = deliveries.next_due(db, to_ms(self._clock()), self._busy, self._closed())
            if due is not None:
                self._busy.add(due.delivery_id)
            return due

    def _closed(self) -> list[str]:
        """Channels whose window is closed now."""
        at = self._clock().astimezone()
        return [setup.channel_id for setup in self._channels.setups if not is_open(setup.send_window, at)]

    def _is_over(self, channel_id: str) -> bool:
        setup = self._channels.setup_of(channel_id)
        if self._stopping.is_set() or self._shared():
            return True
        return setup is not None and not is_open(setup.send_window, self._clock().astimezone())

    def _shared(self) -> bool:
        """Whether another gateway uses this enrolment, as it was known a moment ago."""
        at_s = time.monotonic()
        if at_s - self._shared_asked_s >= _SHARED_S:
            self._shared_asked_s = at_s
            with self._journal.look() as db:
                self._is_shared = stored.shared_since_ms(db) is not None
        return self._is_shared

    def _deliver(self, due: DueDelivery) -> None:
        setup, manifest = self._channels.setup_of(due.channel_id), due.manifest
        gate = Gate(
            due.channel_id, setup.max_mbps if setup else 0, self._pace, self.meter,
            lambda: self._is_over(due.channel_id),
        )  # fmt: skip
        with self._journal.look() as db:
            objects = deliveries.object_files(db, due.delivery_id)
        try:
            receipt = self._attempt.make(manifest, objects, gate, self._beginning(due.delivery_id))
        except Stopping:
            return
        except AttemptFailed as failure:
            if not self._stopping.is_set():  # else it was cut by the end of the gateway: nobody's failure
                self._postpone(due, failure)
            return
        self.line.holds()
        self._finish(due, receipt)

    @contextmanager
    def _beginning(self, delivery_id: str) -> Iterator[None]:
        """Note that something leaves from now on; not so where the server surely took nothing.

        Raises:
            Stopping: the delivery was taken back, because its exam is held.
        """
        with self._journal.change() as db:
            beginning = deliveries.begin(db, delivery_id, to_ms(self._clock()))
        if beginning is Beginning.GONE:
            raise Stopping
        try:
            yield
        except AttemptFailed as failure:
            if failure.is_unheard and beginning is Beginning.FIRST:
                with self._journal.change() as db:
                    deliveries.take_beginning_back(db, delivery_id)
            raise
        if beginning is Beginning.FIRST:
            self._stop_if_held(delivery_id)

    def _stop_if_held(self, delivery_id: str) -> None:
        """Where the exam was held while the server heard of it, no object leaves."""
        with self._journal.look() as db:
            is_held = deliveries.is_held(db, delivery_id)
        if is_held:
            with self._journal.change() as db:
                deliveries.take_beginning_back(db, delivery_id)
            raise Stopping

    def _postpone(self, due: DueDelivery, failure: AttemptFailed) -> None:
        own_failures = due.own_failures + (not failure.is_everywhere)
        if failure.is_everywhere:
            wait_s = self.line.failed(failure.message)
        else:
            self.line.holds()
            wait_s = delay_s(own_failures, self._chance)
        setup, at = self._channels.setup_of(due.channel_id), self._clock()
        limit = setup.attempts_limit if setup else 0
        is_given_up = not failure.is_everywhere and 0 < limit <= own_failures
        with self._journal.change() as db:
            deliveries.postpone(
                db, due.delivery_id, failure.code, failure.message, to_ms(at + timedelta(seconds=wait_s)),
                is_own=not failure.is_everywhere,
            )  # fmt: skip
            if is_given_up:
                deliveries.stop(db, due.delivery_id, to_ms(at))
        log.warning(
            "delivery.given_up" if is_given_up else "delivery.postponed",
            delivery=due.delivery_id,
            attempt=due.attempts + 1,
            code=failure.code,
            wait_s=round(wait_s, 1),
        )

    def _finish(self, due: DueDelivery, receipt: Receipt) -> None:
        setup, at = self._channels.setup_of(due.channel_id), self._clock()
        days = setup.retention_days if setup else 0
        keep_until_ms = to_ms(at + timedelta(days=days)) if days else None
        with self._journal.change() as db:
            done = deliveries.finish(db, due.delivery_id, receipt, to_ms(at), keep_until_ms)
        for place in done:
            self._stores.forget(place)
        log.info(
            "delivery.receipted",
            delivery=due.delivery_id,
            delivered=receipt.delivered,
            objects=len(receipt.items),
        )
