"""Close exams by quiet time: what has come becomes a delivery; what comes later, a supplement to it.

An exam that has fewer images than its project asks for, or than a selection names, waits longer; so does one
while an object of its channel is not inspected of which nobody knows the exam. What does
not meet the project's acquisition requirements then is told with the delivery, or held for a person, as the
channel says. Where a channel sends what is selected only, the rest is held here.
"""

import sqlite3
import uuid
from enum import Enum, auto
from typing import Final

from collegium_connect import SOFTWARE
from collegium_connect.channels import Channels
from collegium_connect.clock import Clock, from_ms, to_ms
from collegium_connect.errors import JournalDamaged
from collegium_connect.journal import channels as stored
from collegium_connect.journal import deliveries, exams, selected, test_exams
from collegium_connect.journal.database import Journal
from collegium_connect.journal.exams import Acquisition, Batch, WaitingExam
from collegium_connect.log import EventLog
from collegium_connect.requirements import WORDS, judge
from collegium_wire import (
    MOST_UNMET,
    NEWEST,
    PROTOCOL,
    AcquisitionRequirements,
    ChannelSetup,
    DeidSummary,
    Manifest,
    Unmet,
)

log = EventLog("assemble")

PATIENCE: Final = 4
"""So many quiet times an exam that lacks images is waited for."""


class _Next(Enum):
    SEND = auto()
    WAIT = auto()
    HOLD = auto()


class Assembler:
    """Turns quiet exams into deliveries; call `run_once` again and again."""

    def __init__(self, journal: Journal, channels: Channels, clock: Clock) -> None:
        self._journal, self._channels, self._clock = journal, channels, clock
        # Exams that wait for more, as they were when they were judged: they need no second look till they change.
        self._short: dict[str, tuple[WaitingExam, AcquisitionRequirements]] = {}
        # Exams that could not be assembled, as they were: that is logged once, not with every try.
        self._failed: set[WaitingExam] = set()
        self._unplaced: dict[str, int] = {}

    def run_once(self) -> int:
        """Queue a delivery for every exam that has been quiet long enough; how many."""
        now_ms = to_ms(self._clock())
        with self._journal.look() as db:
            waiting, self._unplaced = exams.waiting_exams(db), exams.unplaced_since(db)
        self._short = {
            exam.exam_id: self._short[exam.exam_id] for exam in waiting if exam.exam_id in self._short
        }
        self._failed.intersection_update(waiting)
        return sum(self._is_due(exam, now_ms) and self._try(exam, now_ms) for exam in waiting)

    def _is_due(self, exam: WaitingExam, now_ms: int) -> bool:
        if exam.is_test:
            return True  # one object, and the doctor waits
        # The exam of a channel that was withdrawn, or cannot be used, still belongs to its project.
        setup = self._setup(exam)
        quiet_ms = 1000 * setup.quiet_time_s if setup else 0
        is_short = setup is not None and self._short.get(exam.exam_id) == (exam, setup.requirements)
        # An object of which nobody knows yet that it is of this exam may be found to identify somebody.
        unplaced_ms = self._unplaced.get(exam.channel_id)
        may_stop = unplaced_ms is not None and unplaced_ms <= exam.last_ms + quiet_ms
        return exam.last_ms + quiet_ms * (PATIENCE if is_short or may_stop else 1) <= now_ms

    def _setup(self, exam: WaitingExam) -> ChannelSetup | None:
        return self._channels.setup_of(exam.channel_id)

    def _try(self, exam: WaitingExam, now_ms: int) -> bool:
        try:
            return self._queue(exam, now_ms)
        except (sqlite3.Error, JournalDamaged):
            raise  # no fault of this exam
        except Exception as error:  # noqa: BLE001 - one exam never stops the others; it is tried again
            if exam not in self._failed:
                log.fault("exam.failed", error, exam=exam.exam_id)
            self._failed.add(exam)
            return False

    def _queue(self, exam: WaitingExam, now_ms: int) -> bool:
        if exam.is_test:
            return self._queue_test(exam, now_ms)
        with self._journal.change() as db:
            if not self._is_selected(db, exam, now_ms) or self._judge(db, exam, now_ms) is not _Next.SEND:
                return False
            batch = exams.next_batch(db, exam.exam_id)
            if batch is None:
                return False
            is_met = exams.acquisition_of(db, exam.exam_id) is Acquisition.MET
            manifest = manifest_of(batch, exams.unmet_of(db, exam.exam_id), is_met=is_met)
            deliveries.add(db, exam.exam_id, manifest, batch.object_ids, now_ms)
        log.info(
            "delivery.queued",
            delivery=manifest.delivery_id,
            exam=exam.exam_id,
            objects=len(manifest.objects),
            supplement=manifest.supplement,
            unmet=len(manifest.unmet),
        )
        return True

    def _queue_test(self, exam: WaitingExam, now_ms: int) -> bool:
        """Send the doctor's own picture as a test; nothing else of its patient leaves, as a test or otherwise."""
        with self._journal.change() as db:
            batch = exams.next_batch(db, exam.exam_id)
            if batch is None:
                return False
            words = ""
            if not test_exams.is_foreseen(db, batch):
                words = "It came under the patient of a test exam, and is not that exam."
            elif stored.server_protocol(db) < NEWEST:
                words = "The server is of before and does not know test exams."
            if words:
                test_exams.set_aside(db, exam.exam_id, words)
                log.warning("exam.test_not_sent", exam=exam.exam_id, channel=exam.channel_id)
                return False
            manifest = manifest_of(batch, is_test=True)
            deliveries.add(db, exam.exam_id, manifest, batch.object_ids, now_ms)
        log.info("delivery.queued", delivery=manifest.delivery_id, exam=exam.exam_id, objects=1, test=True)
        return True

    def _is_selected(self, db: sqlite3.Connection, exam: WaitingExam, now_ms: int) -> bool:
        """Hold what may not leave because no selection names it; whether what is left may go, and is all."""
        setup = self._setup(exam)
        if setup is None or not setup.selected_only:
            return True
        found = selected.sort_out(db, exam.exam_id)
        if found.missing and now_ms < exam.last_ms + 1000 * setup.quiet_time_s * PATIENCE:
            self._short[exam.exam_id] = (exam, setup.requirements)
            return False
        return found.waiting > 0

    def _judge(self, db: sqlite3.Connection, exam: WaitingExam, now_ms: int) -> _Next:
        """Write down how the exam stands with its project's requirements; what to do with it."""
        setup, stands = self._setup(exam), exams.acquisition_of(db, exam.exam_id)
        asked = setup.requirements if setup else AcquisitionRequirements()
        objects = exams.acquired(db, exam.exam_id) if asked.items else None
        if asked.items and objects is None and stands in {Acquisition.HELD, Acquisition.LET_GO}:
            # What is not known proves nothing: it stays as it was judged, with what came since.
            exams.judge(db, exam.exam_id, stands, exams.unmet_of(db, exam.exam_id), now_ms)
            return _Next.HOLD if stands is Acquisition.HELD else _Next.SEND
        if setup is None or objects is None:
            if stands is not Acquisition.UNASKED:
                exams.judge(db, exam.exam_id, Acquisition.UNASKED, (), now_ms)
            return _Next.SEND
        found = judge(asked, objects)
        if not found.unmet:
            exams.judge(db, exam.exam_id, Acquisition.MET, (), now_ms)
            return _Next.SEND
        if stands is Acquisition.LET_GO:
            exams.judge(db, exam.exam_id, Acquisition.LET_GO, found.unmet, now_ms)
            return _Next.SEND
        if found.is_short and now_ms < exam.last_ms + 1000 * setup.quiet_time_s * PATIENCE:
            self._short[exam.exam_id] = (exam, asked)
            exams.judge(db, exam.exam_id, Acquisition.SHORT, found.unmet, now_ms)
            return _Next.WAIT
        holds = setup.when_unmet is Unmet.HOLD
        log.warning(
            "exam.unmet", exam=exam.exam_id, channel=exam.channel_id, unmet=len(found.unmet), held=holds
        )
        exams.judge(db, exam.exam_id, Acquisition.HELD if holds else Acquisition.UNMET, found.unmet, now_ms)
        return _Next.HOLD if holds else _Next.SEND


def manifest_of(
    batch: Batch, unmet: tuple[str, ...] = (), *, is_met: bool = False, is_test: bool = False
) -> Manifest:
    # Only then may the server have been told that something is unmet.
    ends_telling = is_met and batch.is_supplement
    return Manifest(
        protocol=NEWEST if unmet or ends_telling or is_test else PROTOCOL,
        delivery_id=str(uuid.uuid4()),
        study_uid=batch.study_uid,
        subject_code=batch.subject_code,
        supplement=batch.is_supplement,
        channel_id=batch.channel_id,
        recipe_name=batch.recipe_name,
        recipe_version=batch.recipe_version,
        recipe_digest=batch.recipe_digest,
        software=SOFTWARE,
        received_at=from_ms(batch.first_ms),
        objects=batch.objects,
        report=DeidSummary(counts=batch.counts, seconds=round(batch.seconds, 6)),
        unmet=tuple(words[:WORDS] for words in unmet[:MOST_UNMET]),
        met=ends_telling,
        is_test=is_test,
    )
