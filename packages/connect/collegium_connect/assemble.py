"""Close exams by quiet time: what has come becomes a delivery; what comes later, a supplement to it."""

import uuid

from collegium_connect import SOFTWARE
from collegium_connect.channels import Channels
from collegium_connect.clock import Clock, from_ms, to_ms
from collegium_connect.journal import deliveries, exams
from collegium_connect.journal.database import Journal
from collegium_connect.journal.exams import Batch
from collegium_connect.log import EventLog
from collegium_wire import PROTOCOL, DeidSummary, Manifest

log = EventLog("assemble")


class Assembler:
    """Turns quiet exams into deliveries; call `run_once` again and again."""

    def __init__(self, journal: Journal, channels: Channels, clock: Clock) -> None:
        self._journal, self._channels, self._clock = journal, channels, clock

    def run_once(self) -> int:
        """Queue a delivery for every exam that has been quiet long enough; how many."""
        now_ms = to_ms(self._clock())
        with self._journal.look() as db:
            waiting = exams.waiting_exams(db)
        queued = 0
        for exam in waiting:
            # The exam of a channel that was withdrawn still belongs to its project: it goes out as it is.
            channel = self._channels.by_id(exam.channel_id)
            quiet_ms = 1000 * channel.setup.quiet_time_s if channel else 0
            if exam.last_ms + quiet_ms <= now_ms and self._queue(exam.exam_id, now_ms):
                queued += 1
        return queued

    def _queue(self, exam_id: str, now_ms: int) -> bool:
        with self._journal.change() as db:
            batch = exams.next_batch(db, exam_id)
            if batch is None:
                return False
            manifest = manifest_of(batch)
            deliveries.add(db, exam_id, manifest, batch.object_ids, now_ms)
        log.info(
            "delivery.queued",
            delivery=manifest.delivery_id,
            exam=exam_id,
            objects=len(manifest.objects),
            supplement=manifest.supplement,
        )
        return True


def manifest_of(batch: Batch) -> Manifest:
    return Manifest(
        protocol=PROTOCOL,
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
    )
