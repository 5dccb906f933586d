"""Have everything that was received examined, and write down what came of it.

Nothing is batched for sending that did not come through here. Threads of this process hand objects to
worker processes, one each, and commit their findings: records on disk first, rows second, records that
are no longer needed away last.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from collegium_connect import machine
from collegium_connect.channels import Channels
from collegium_connect.clock import from_ms
from collegium_connect.deidentify import Codes
from collegium_connect.inspection.crew import Found, Hand, Here, Worker
from collegium_connect.inspection.findings import NotNow, Passed, Recleaned, Selects, Unfit
from collegium_connect.inspection.worker import Bench
from collegium_connect.journal import inspection, selected
from collegium_connect.journal.database import Journal
from collegium_connect.journal.inspection import ReceivedObject
from collegium_connect.log import EventLog
from collegium_connect.settings import Settings
from collegium_connect.spool import Place, Stores

log = EventLog("inspection")

_MOST_AT_ONCE: Final = 256
_SLOW_AT_ONCE: Final = 4
_PAUSE_S: Final = 0.2


@dataclass(frozen=True)
class Progress:
    """Where inspection stands."""

    pids: tuple[int, ...]
    """Of the worker processes that run; none before there is something to look at."""
    busy: int
    """Objects that somebody looks at, or is about to."""
    waiting: int
    """Objects that nobody has looked at, those included."""
    waiting_bytes: int
    oldest_at: datetime | None
    inspected: int
    """Since the start; `set_aside` of them are in quarantine now."""
    set_aside: int


class Inspector:
    """Inspects what was received: `start`, then `stop`."""

    def __init__(  # noqa: PLR0913, PLR0917 - the rooms it stands between
        self,
        settings: Settings,
        journal: Journal,
        stores: Stores,
        channels: Channels,
        codes: Codes,
        key: bytes,
    ) -> None:
        self._journal, self._stores, self._channels, self._codes = journal, stores, channels, codes
        self._bench = Bench(settings, key)
        self._processes = settings.inspect.processes
        if self._processes < 0:
            self._processes = machine.HERE.processors()
        self._lock, self._stopping = threading.Lock(), threading.Event()
        self._busy: set[str] = set()
        self._inspected = self._set_aside = 0
        self._hands = [self._hand() for _ in range(max(1, self._processes))]
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        for number, hand in enumerate(self._hands):
            thread = threading.Thread(target=self._go_on, args=(hand,), name=f"inspect-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def ask_to_stop(self) -> None:
        self._stopping.set()

    def stop(self, timeout_s: float) -> None:
        """End all workers; what they were looking at is looked at again after the next start."""
        self.ask_to_stop()
        for thread in self._threads:
            thread.join(timeout_s)

    def progress(self) -> Progress:
        with self._journal.look() as db:
            left = inspection.backlog(db)
        with self._lock:
            return Progress(
                pids=tuple(hand.pid for hand in self._hands if hand.pid is not None),
                busy=len(self._busy),
                waiting=left.objects,
                waiting_bytes=left.size_bytes,
                oldest_at=None if left.oldest_ms is None else from_ms(left.oldest_ms),
                inspected=self._inspected,
                set_aside=self._set_aside,
            )

    def _hand(self) -> Hand:
        if not self._processes:
            limit = self._bench.settings.inspect.object_bytes
            return Here(self._stores, self._channels, self._codes, object_bytes=limit)
        return Worker(self._stores, self._bench, self._channels, self._codes, self._stopping.is_set)

    def _go_on(self, hand: Hand) -> None:
        while not self._stopping.is_set():
            try:
                done, is_slow = self._round(hand)
            except Exception as error:  # noqa: BLE001 - the queue must go on; the log says what happened
                log.fault("inspection.failed", error)
                self._stopping.wait(1.0)
                continue
            # A few at a time would cost the journal a sync each, while a PACS waits for the same disk.
            if done < _MOST_AT_ONCE and not is_slow:
                self._stopping.wait(_PAUSE_S)
        hand.close()

    def _round(self, hand: Hand) -> tuple[int, bool]:
        """Have some objects examined: how many, and whether they were of the kind that takes long."""
        due = self._take()
        try:
            found = list(hand.look_at(due))
            told = [(item, finding) for item, finding in found if not isinstance(finding, NotNow)]
            if told:
                self._settle(told)
        finally:
            with self._lock:
                self._busy.difference_update(item.object_id for item in due)
        return len(told), bool(told) and not told[0][0].is_clean

    def _take(self) -> list[ReceivedObject]:
        """The oldest objects that nobody works on; few of those that take long, so that all have work."""
        with self._lock, self._journal.look() as db:
            idle = [channel.setup.channel_id for channel in self._channels.idle]
            due = inspection.received(db, _MOST_AT_ONCE, but=self._busy, idle=idle)
            slow = next((number for number, item in enumerate(due) if not item.is_clean), len(due))
            due = due[:slow] or due[:_SLOW_AT_ONCE]
            self._busy.update(item.object_id for item in due)
        return due

    def _settle(self, told: Sequence[Found]) -> None:
        new = [stored for _, finding in told if (stored := getattr(finding, "stored", None)) is not None]
        self._stores.segments.sync(stored.place.segment for stored in new)
        unneeded: list[Place | None] = []
        with self._journal.change() as db:
            inspection.pass_unchanged(
                db, [(item.object_id, finding.facts) for item, finding in told if isinstance(finding, Passed)]
            )
            for item, finding in told:
                if isinstance(finding, Recleaned):
                    unneeded += inspection.pass_cleaned(
                        db, item, finding.product, finding.stored, finding.facts
                    )
                elif isinstance(finding, Selects):
                    named = [(one.study_uid, one.sop_instance_uid) for one in finding.named]
                    selected.note(
                        db, item.object_id, subject_code=finding.subject_code, named=named, at_ms=item.received_ms
                    )  # fmt: skip
                elif isinstance(finding, Unfit):
                    unneeded.append(
                        inspection.set_aside(
                            db, item, finding.code, finding.words, finding.stored, finding.product
                        )
                    )
        for place in unneeded:
            if place is not None:
                self._stores.forget(place)
        self._tell(told)

    def _tell(self, told: Sequence[Found]) -> None:
        unfit = [(item, finding) for item, finding in told if isinstance(finding, Unfit)]
        for item, finding in unfit:
            log.warning(
                "object.quarantined", object=item.object_id, channel=item.channel_id, code=finding.code
            )
        with self._lock:
            self._inspected += len(told)
            self._set_aside += len(unfit)
