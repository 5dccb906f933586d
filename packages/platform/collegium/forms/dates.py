"""Dates as people type them, year first, and as they are stored: `2024`, `2024-02` or `2024-02-29`."""

from __future__ import annotations

import re
from datetime import date, timedelta

from collegium.forms.definition import NOT_FUTURE
from collegium.kit import clock
from collegium.kit.rules import read_date, span

_TYPED = re.compile(r"([0-9]{4})(?:[-./ ]([0-9]{1,2})(?:[-./ ]([0-9]{1,2}))?)?")
_EIGHT = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_OLDEST = 1850
"""The earliest year of birth or of a diagnosis that a person can mean."""


def read_typed_date(text: str) -> str | None:
    """The canonical text, None when it is no date. `2024/3/5`, `2024.03` and `20240305` are understood."""
    found = _EIGHT.fullmatch(text) or _TYPED.fullmatch(text)
    if found is None or int(found[1]) < _OLDEST:
        return None
    canonical = "-".join(part.zfill(2) for part in found.groups() if part)
    try:
        read_date(canonical)
    except ValueError:
        return None
    return canonical


def is_partial(text: str) -> bool:
    return len(text) < len("2024-02-29")


def is_within(text: str, earliest: str, latest: str) -> bool:
    """Whether a date can lie between two limits, each of which may be empty."""
    first, last = span(read_date(text))
    if earliest and last < span(read_date(earliest))[0]:
        return False
    return not latest or first <= _last_day(latest)


def _last_day(latest: str) -> date:
    if latest != NOT_FUTURE:
        return span(read_date(latest))[1]
    # It is tomorrow already for some readers: the easternmost clock is 14 hours ahead of UTC.
    return (clock.now() + timedelta(hours=14)).date()
