"""Move dates by whole days; times of day never change, so intervals stay exact to the second.

A date known only to its year or month moves as its middle would and stays as vague as it was: the
distance to other dates stays right to within what was known, and no day is made up.
"""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final

# YYYYMMDD, and the dots of ACR-NEMA that some scanners still send: accepted, rewritten without.
_DA: Final = re.compile(r"(\d{4})\.?(\d{2})\.?(\d{2})")
# PS3.5 table 6.2-1: date, then any prefix of HHMMSS.FFFFFF, then an optional zone.
_DT: Final = re.compile(r"(\d{4})(\d{2})(\d{2})((?:\d{2}){0,3}(?:\.\d{1,6})?(?:[+-]\d{4})?)")
_VAGUE: Final = re.compile(r"(\d{4})(\d{2})?([+-]\d{4})?")
_TM: Final = re.compile(r"\d{2}(?:\d{2}(?:\d{2}(?:\.\d{1,6})?)?)?|\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?")
_ZONE: Final = re.compile(r"[+-](0\d|1[0-4])[0-5]\d")


def shift_date(value: str, days: int) -> str | None:
    """One DA value moved; None when it is no whole date, or leaves the calendar."""
    found = _DA.fullmatch(value)
    return None if found is None else _moved(found, days)


def shift_datetime(value: str, days: int) -> str | None:
    """One DT value moved; time and zone stay. None when it is no DT, or leaves the calendar."""
    found = _DT.fullmatch(value)
    if found is None:
        return _moved_vague(value, days)
    moved = _moved(found, days)
    return None if moved is None else moved + found[4]


def is_date(value: str) -> bool:
    """A DA value that names a day of the calendar."""
    return shift_date(value, 0) is not None


def is_datetime(value: str) -> bool:
    """A DT value, whole or vague."""
    return shift_datetime(value, 0) is not None


def is_time(value: str) -> bool:
    """A TM value, also with the colons of older editions."""
    return _TM.fullmatch(value) is not None


def is_zone(value: str) -> bool:
    """An offset from UTC such as +0100."""
    return _ZONE.fullmatch(value) is not None


def _moved_vague(value: str, days: int) -> str | None:
    """YYYY or YYYYMM, by the 1st of July or the 15th of the month."""
    found = _VAGUE.fullmatch(value)
    if found is None:
        return None
    year, month, zone = found[1], found[2], found[3] or ""
    middle = _DA.fullmatch(f"{year}{month}15" if month else f"{year}0701")
    moved = None if middle is None else _moved(middle, days)
    return None if moved is None else moved[: 6 if month else 4] + zone


def _moved(found: re.Match[str], days: int) -> str | None:
    try:
        moved = date(int(found[1]), int(found[2]), int(found[3])) + timedelta(days=days)
    except (ValueError, OverflowError):
        return None
    return f"{moved:%Y%m%d}".rjust(8, "0")
