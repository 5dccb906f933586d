"""Dates of which only the year or the month is known, and what can be said when two dates are compared.

Source: FHIRPath 2, section 6.2 (Comparison): dates of unlike precision compare only as far as both are known.
"""

import calendar
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

_ISO = re.compile(r"([0-9]{4})(?:-([0-9]{2}))?(?:-([0-9]{2}))?")


@dataclass(frozen=True, slots=True)
class PartialDate:
    """A date somewhere from `first` to `last`, both included."""

    first: date
    last: date


def read_date(text: str) -> date | PartialDate:
    """`2024-02-29`, `2024-02` or `2024`.

    Raises:
        ValueError: anything else, or no day of the calendar.
    """
    found = _ISO.fullmatch(text)
    if found is None:
        raise ValueError(text)
    year, month, day = (int(part) if part else None for part in found.groups())
    assert year is not None  # the pattern asks for it
    if month is None:
        return PartialDate(date(year, 1, 1), date(year, 12, 31))
    if day is None:
        first = date(year, month, 1)
        return PartialDate(first, first.replace(day=calendar.monthrange(year, month)[1]))
    return date(year, month, day)


def span(value: date | PartialDate) -> tuple[date, date]:
    """The first and the last day a date can be."""
    return (value.first, value.last) if isinstance(value, PartialDate) else (value, value)


Comparison = Callable[[date | PartialDate, date | PartialDate], bool | None]


def _equal(a: date | PartialDate, b: date | PartialDate) -> bool | None:
    (a_first, a_last), (b_first, b_last) = span(a), span(b)
    if a_last < b_first or b_last < a_first:
        return False
    return True if a_first == a_last == b_first == b_last else None


def _unequal(a: date | PartialDate, b: date | PartialDate) -> bool | None:
    same = _equal(a, b)
    return None if same is None else not same


def _before(a: date | PartialDate, b: date | PartialDate) -> bool | None:
    (a_first, a_last), (b_first, b_last) = span(a), span(b)
    if a_last < b_first:
        return True
    return False if a_first >= b_last else None


def _not_after(a: date | PartialDate, b: date | PartialDate) -> bool | None:
    after = _before(b, a)
    return None if after is None else not after


COMPARISONS: dict[str, Comparison] = {
    "=": _equal,
    "!=": _unequal,
    "<": _before,
    "<=": _not_after,
    ">": lambda a, b: _before(b, a),
    ">=": lambda a, b: _not_after(b, a),
}
