"""A committee whose project has a third visit, and exams that come late, between or for none of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collegium.kit.database import acting_as
from collegium.notifications import queries as notifications
from collegium.research.pipeline import lateness, placing, queries, services
from collegium_testkit.committee import TEXT
from collegium_testkit.study import stored_exam

if TYPE_CHECKING:
    from uuid import UUID

    from collegium.research.pipeline.lateness import Late
    from collegium.research.pipeline.models import ExamPlacement, Task
    from collegium_testkit.committee import Committee

WEEK_16 = "  - {code: week16, label: {en: Week 16}, days: [90, 140]}\n"
THREE = TEXT.replace("days: [40, 80]}\n", "days: [40, 80]}\n" + WEEK_16)
FOUR = THREE.replace(WEEK_16, WEEK_16 + "  - {code: week24, label: {en: Week 24}, days: [150, 200]}\n")
OVERLAPPING = TEXT.replace("days: [40, 80]}\n", "days: [40, 80]}\n" + WEEK_16.replace("90, 140", "70, 140"))
BASELINE, WEEK8_ON, WEEK16_ON, FITS_NOTHING = "20240105", "20240301", "20240420", "20240108"


def unplaced(
    committee: Committee, study_date: str, subject: str = "S-001", site: str = "01"
) -> ExamPlacement:
    """An exam arrives that finds no visit."""
    with committee.acting() as actor:
        exam_id = stored_exam(committee.world, subject, study_date)
        return services.place_exam(actor=actor, exam_id=exam_id, subject_code=subject, site_code=site)


def place(
    committee: Committee, exam_id: UUID, code: str, who: str = "", reason: str = "The site says so."
) -> None:
    with committee.acting(who) as actor:
        placing.place_by_hand(actor=actor, exam_id=exam_id, visit_code=code, reason=reason)


def take_back(committee: Committee, exam_id: UUID, who: str = "") -> None:
    with committee.acting(who) as actor:
        placing.take_back(actor=actor, exam_id=exam_id, reason="The wrong one.")


def decide(committee: Committee, task: Task, decision: Late, who: str = "") -> None:
    with committee.acting(who) as actor:
        lateness.decide_late_visit(actor=actor, task_id=task.id, decision=decision, reason="Sent by post.")


def shown(committee: Committee, task: Task) -> list[queries.ShownVisit]:
    """The timepoints that a task shows now."""
    with committee.acting():
        return queries.visits_shown(task)


def exams_shown(committee: Committee, task: Task) -> list[UUID]:
    return [exam_id for one in shown(committee, task) for exam_id in one.exam_ids]


def told(committee: Committee, who: str) -> set[str]:
    person = committee.people[who] if who else committee.world.administrator
    with acting_as(person.principal):
        return {str(one.kind) for one in notifications.lines(person.principal) if not one.is_done}
