"""Exams that are held for what they lack, or for want of a selection: a person lets one go as it is."""

from collegium_connect.actor import PEOPLE, Actor, require_role
from collegium_connect.clock import Clock, to_ms
from collegium_connect.journal import exams, selected
from collegium_connect.journal.database import Journal
from collegium_connect.journal.exams import Acquisition
from collegium_connect.log import EventLog
from collegium_connect.quarantine.errors import NotSetAside
from collegium_connect.reason import checked
from collegium_connect.trail import Trail

log = EventLog("quarantine")


class UnmetExams:
    """What people decide about them. Safe between threads."""

    def __init__(self, journal: Journal, trail: Trail, clock: Clock) -> None:
        self._journal, self._trail, self._clock = journal, trail, clock

    def let_go(self, actor: Actor, exam_id: str, reason: str) -> None:
        """It leaves as it is, and what still comes of it; the server is told what it lacks of the requirements.

        Raises:
            NotAllowed: no named person.
            NotSetAside: no such exam is held for this.
            ReasonMissing.
        """
        require_role(actor, *PEOPLE)
        reason = checked(reason)
        with self._journal.change() as db:
            unselected, unmet = selected.let_go(db, exam_id), exams.unmet_of(db, exam_id)
            if exams.acquisition_of(db, exam_id) is Acquisition.HELD:
                exams.judge(db, exam_id, Acquisition.LET_GO, unmet, to_ms(self._clock()))
            elif not unselected:
                raise NotSetAside("There is no such exam that is held for what it lacks.")
            self._trail.note(
                db, actor, "quarantine.exam.let_go", channel_id=exams.channel_of(db, exam_id), ref=exam_id,
                reason=reason, facts={"unmet": len(unmet), "unselected": unselected},
            )  # fmt: skip
        log.info("exam.let_go", exam=exam_id, unmet=len(unmet), unselected=unselected)
