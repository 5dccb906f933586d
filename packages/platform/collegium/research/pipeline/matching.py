"""Which visit an exam belongs to, and which answer a condition reads. Pure; no database.

The server knows no date offset: days are counted between a subject's own exams.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from collegium.kit.rules import Absent
from collegium.research.pipeline.models import Unplaced

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from collegium.kit.rules import Answer
    from collegium.research.projects.definition import VisitDefinition


def match_visit(
    planned: Sequence[VisitDefinition], taken: Mapping[str, date | None], exam_date: date | None
) -> tuple[str, Unplaced]:
    """The code of the visit an exam belongs to, or why there is none.

    Args:
        planned: the project's visits, in their order.
        taken: date of the first exam of each visit that the subject has had.
        exam_date: the exam's date, if it has one.
    """
    first = planned[0].code
    if first not in taken or len(planned) == 1:
        return first, Unplaced.NOTHING
    start = taken[first]
    if exam_date is None or start is None:
        return "", Unplaced.NO_DATE
    day = (exam_date - start).days
    if day < 0:
        return "", Unplaced.BEFORE_FIRST
    if day == 0:
        return first, Unplaced.NOTHING
    fitting = [visit.code for visit in planned[1:] if _fits(visit, day)]
    # Where windows overlap, an exam of a day that is known already belongs to the visit of that day.
    return _one_of([code for code in fitting if taken.get(code) == exam_date] or fitting)


def _one_of(fitting: Sequence[str]) -> tuple[str, Unplaced]:
    match fitting:
        case [code]:
            return code, Unplaced.NOTHING
        case []:
            return "", Unplaced.NO_VISIT
        case _:
            return "", Unplaced.AMBIGUOUS


def _fits(visit: VisitDefinition, day: int) -> bool:
    return (
        visit.first_day is not None
        and visit.last_day is not None
        and visit.first_day <= day <= visit.last_day
    )


def date_of(dicom_date: str) -> date | None:
    """A DICOM DA value as a date; None when empty or not one."""
    try:
        return datetime.strptime(dicom_date, "%Y%m%d").date()  # noqa: DTZ007  a DA has no zone
    except ValueError:
        return None


def agreed(reads: Sequence[Mapping[str, Answer]]) -> dict[str, Answer]:
    """What several signed reads of a step say together; where they differ nobody knows."""
    names = {name for answers in reads for name in answers}
    together: dict[str, Answer] = {}
    for name in names:
        said = {answers.get(name, Absent.MISSING) for answers in reads}
        together[name] = said.pop() if len(said) == 1 else Absent.UNKNOWN
    return together
