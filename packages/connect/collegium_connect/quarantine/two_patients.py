"""Exams that came with two patient ids: a person says whose they are, or that they are two (C18)."""

from dataclasses import dataclass, field
from datetime import datetime

from collegium_connect.actor import PEOPLE, Actor, require_role
from collegium_connect.channels import Channels
from collegium_connect.clock import Clock, from_ms, to_ms
from collegium_connect.journal import aside, decisions, subjects
from collegium_connect.journal.aside import TwoPatientExam
from collegium_connect.journal.database import Journal
from collegium_connect.journal.decisions import Decision, Kind
from collegium_connect.keys import Secrets
from collegium_connect.links.table import local_id_of
from collegium_connect.log import EventLog
from collegium_connect.quarantine.errors import CannotDecide, DecidedAlready, NotSetAside, TooLate
from collegium_connect.reason import checked
from collegium_connect.trail import Trail

log = EventLog("quarantine")


@dataclass(frozen=True)
class Side:
    """One patient's part of the exam."""

    subject_code: str
    local_id: str = field(repr=False)
    """For signed-in local people only."""
    objects: int
    can_be_confirmed: bool


@dataclass(frozen=True)
class HeldExam:
    exam_id: str
    channel_name: str
    is_open: bool
    """Whether nobody has said yet whose it is; else what is not that patient's waits."""
    sides: tuple[Side, ...]
    can_be_split: bool
    in_deliveries: int
    """Objects that a delivery names already, forgotten ones with them; all of the first patient."""


@dataclass(frozen=True)
class DecidedExam:
    """One of which nothing has left since, so that the decision can be taken back."""

    exam_id: str
    channel_name: str
    subject_code: str
    """Whose it is now."""
    is_split: bool
    person: str
    decided_at: datetime


class TwoPatients:
    """The exams with two patient ids of one gateway. Safe between threads."""

    def __init__(
        self, journal: Journal, secrets: Secrets, channels: Channels, trail: Trail, clock: Clock
    ) -> None:
        self._journal, self._secrets, self._channels, self._trail = journal, secrets, channels, trail
        self._clock = clock

    def exams(self) -> tuple[HeldExam, ...]:
        """All that wait for a decision, with both ids; newest first."""
        with self._journal.look() as db:
            found = aside.two_patient_exams(db)
            ids = {
                (exam.exam_id, code): self._local_id(subjects.by_code(db, *self._scope(exam), code), exam)
                for exam in found
                for code in _codes(exam)
            }
        return tuple(self._held(exam, ids) for exam in found)

    def confirm(self, actor: Actor, exam_id: str, subject_code: str, reason: str) -> None:
        """It is this patient's exam. Objects with the other id are quarantined; the rest is inspected and goes on.

        Raises:
            NotAllowed: no named person.
            NotSetAside: no such exam waits.
            CannotDecide: it is of nobody with this code, or part of it left for another.
            DecidedAlready: it was said to be another's, and goes on as theirs.
            ReasonMissing.
        """
        require_role(actor, *PEOPLE)
        reason = checked(reason)
        with self._journal.change() as db:
            exam = _exam(aside.two_patient_exams(db), exam_id)
            if subject_code not in exam.objects or not _can_confirm(exam, subject_code):
                raise CannotDecide
            if not exam.is_held and subject_code != exam.subject_code:
                raise DecidedAlready
            decisions.save(db, exam_id, Kind.CONFIRMED, actor.name, to_ms(self._clock()))
            count = aside.confirm_patient(db, exam_id, subject_code)
            self._trail.note(
                db, actor, "quarantine.exam.confirmed", channel_id=exam.channel_id, ref=exam_id,
                reason=reason, facts={"subject": subject_code, "objects": count},
            )  # fmt: skip
        log.info("exam.confirmed", exam=exam_id, objects=count)

    def split(self, actor: Actor, exam_id: str, reason: str) -> None:
        """These are two exams: the second patient's objects are cleaned again, into an exam of their own.

        Raises:
            NotAllowed: no named person.
            NotSetAside: no such exam waits.
            CannotDecide: the recipe keeps study UIDs.
            ReasonMissing.
        """
        require_role(actor, *PEOPLE)
        reason = checked(reason)
        with self._journal.change() as db:
            exam = _exam(aside.two_patient_exams(db), exam_id)
            if not self._can_split(exam):
                raise CannotDecide("The channel's recipe keeps study UIDs, so its exams cannot be split.")
            decisions.save(db, exam_id, Kind.SPLIT, actor.name, to_ms(self._clock()))
            count = aside.split(db, exam_id)
            self._trail.note(
                db, actor, "quarantine.exam.split", channel_id=exam.channel_id, ref=exam_id,
                reason=reason, facts={"objects": count},
            )  # fmt: skip
        log.info("exam.split", exam=exam_id, objects=count)

    def decided(self) -> tuple[DecidedExam, ...]:
        """What was decided and can still be taken back, newest first."""
        with self._journal.look() as db:
            found = decisions.open_decisions(db)
        return tuple(map(self._decided, found))

    def take_back(self, actor: Actor, exam_id: str, reason: str) -> None:
        """Undo what was decided about an exam; it is held again, whole, until somebody decides anew.

        Raises:
            NotAllowed: no named person.
            NotSetAside: nothing was decided about it, or it is held again already.
            TooLate: something of it left.
            ReasonMissing.
        """
        require_role(actor, *PEOPLE)
        reason = checked(reason)
        with self._journal.change() as db:
            if decisions.has_left(db, exam_id):
                raise TooLate("Something of it left, or is leaving just now, so that cannot be taken back.")
            found = decisions.open_decision(db, exam_id)
            if found is None:
                raise NotSetAside("Nothing that was decided about this exam can be taken back.")
            count = decisions.take_back(db, exam_id)
            self._trail.note(
                db, actor, "quarantine.decision.taken_back", channel_id=found.channel_id, ref=exam_id,
                reason=reason, facts={"kind": str(found.kind), "objects": count},
            )  # fmt: skip
        log.info("exam.decision_taken_back", exam=exam_id, objects=count)

    def _decided(self, decision: Decision) -> DecidedExam:
        channel = self._channels.by_id(decision.channel_id)
        return DecidedExam(
            decision.exam_id,
            channel.setup.name if channel else "",
            decision.subject_code,
            decision.kind is Kind.SPLIT,
            decision.person,
            from_ms(decision.at_ms),
        )

    def _held(self, exam: TwoPatientExam, ids: dict[tuple[str, str], str]) -> HeldExam:
        channel = self._channels.by_id(exam.channel_id)
        return HeldExam(
            exam.exam_id,
            channel.setup.name if channel else "",
            exam.is_held,
            tuple(
                Side(
                    code, ids[exam.exam_id, code], exam.objects.get(code, 0),
                    code in exam.objects and exam.is_held and _can_confirm(exam, code),
                )
                for code in _codes(exam)
            ),
            self._can_split(exam),
            exam.in_deliveries,
        )  # fmt: skip

    def _can_split(self, exam: TwoPatientExam) -> bool:
        channel = self._channels.by_id(exam.channel_id)
        return channel is not None and not channel.recipe.uids_kept

    def _scope(self, exam: TwoPatientExam) -> tuple[int]:
        channel = self._channels.by_id(exam.channel_id)
        return (channel.scope_id if channel else 0,)

    def _local_id(self, link: subjects.StoredLink | None, exam: TwoPatientExam) -> str:
        if link is None:
            return ""
        return local_id_of(self._secrets, *self._scope(exam), link.code, link.sealed_local_id)


def _exam(found: list[TwoPatientExam], exam_id: str) -> TwoPatientExam:
    exam = next((exam for exam in found if exam.exam_id == exam_id), None)
    if exam is None:
        raise NotSetAside("There is no such exam that waits for a decision.")
    return exam


def _codes(exam: TwoPatientExam) -> list[str]:
    return sorted({exam.subject_code, *exam.objects})


def _can_confirm(exam: TwoPatientExam, subject_code: str) -> bool:
    return not exam.in_deliveries or subject_code == exam.subject_code
