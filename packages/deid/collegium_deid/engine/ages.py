"""Ages: people above the cap are few enough to be found again, so they all get one age.

Source: 45 CFR 164.514(b)(2)(i)(C), ages over 89; the cap itself is the recipe's.
"""

from __future__ import annotations

import re
from typing import Final

_PER_YEAR: Final = {"Y": 1.0, "M": 12.0, "W": 52.1775, "D": 365.2425}
# 92 y, 92Y, 092Y, 92yo, 92-year-old, age 92, aged: 92, 1100 months
_IN_TEXT: Final = re.compile(
    r"(?<![\d.,])(\d{1,5})[ -]?"
    r"(y(?:ears?|rs?|/?o)?|m(?:onths?|os?)|w(?:eeks?|ks?)|days?|jahren?|jährige?r?|ans?|años?|anni|jaar)(?![a-zß-ÿ])"
    r"(?:[ -]?old\b)?"
    r"|\b(?:age|aged|alter|edad|leeftijd)\b[ :=]*(\d{1,3})(?![\d.,])",
    re.IGNORECASE,
)


def capped(age: str, cap: int) -> str:
    """One AS value; (cap + 1) years when it is more than `cap` years."""
    return f"{cap + 1:03d}Y" if int(age[:3]) / _PER_YEAR[age[3]] >= cap + 1 else age


def without_great_ages(text: str, cap: int) -> str:
    """The text with every age above the cap left out."""

    def replaced(found: re.Match[str]) -> str:
        years = int(found[1] or found[3])
        if found[1]:
            years = int(years / _PER_YEAR.get(found[2][0].upper(), 1.0))
        return " " if years > cap else found[0]

    return _IN_TEXT.sub(replaced, text)
