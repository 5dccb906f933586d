"""Bars as numbers of an SVG: plain shapes that also read in black and white; the numbers stand beside them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from collegium.research.oversight.board.queries import SHOWN

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collegium.research.oversight.board.queries import StepProgress, Week

WIDTH, HEIGHT = 720, 132
_BASE, _TOP = 112, 14


@dataclass(frozen=True, slots=True)
class Bar:
    """A rectangle of a chart, in its units."""

    kind: str
    x: float
    y: float
    width: float
    height: float
    says: str = ""


def strip(step: StepProgress) -> list[Bar]:
    """The tasks of a step as one bar of 100 units, a part for each state; the finished ones first."""
    bars, at = [], 0.0
    for state in reversed(SHOWN):
        part = 100 * step.counts[state] / step.total if step.total else 0.0
        if part:
            bars.append(Bar(state.value, round(at, 2), 0, round(part, 2), 10))
        at += part
    return bars


def most(weeks: Sequence[Week]) -> int:
    """What the highest column stands for."""
    return max((max(week.exams, week.signed) for week in weeks), default=0) or 1


def columns(weeks: Sequence[Week], words: tuple[str, str]) -> list[Bar]:
    """Two columns a week: what arrived and what was signed."""
    highest = most(weeks)
    each = WIDTH / max(len(weeks), 1)
    bars = []
    for number, week in enumerate(weeks):
        for place, (kind, value) in enumerate((("exams", week.exams), ("signed", week.signed))):
            height = (_BASE - _TOP) * value / highest
            bars.append(
                Bar(
                    kind,
                    round(number * each + each * (0.18 + 0.34 * place), 1),
                    round(_BASE - height, 1),
                    round(each * 0.3, 1),
                    round(height, 1),
                    f"{week.begins:%Y-%m-%d}: {value} {words[place]}",
                )
            )
    return bars


def marks(weeks: Sequence[Week]) -> list[tuple[float, str]]:
    """Where the first day of every third week is written below its columns."""
    each = WIDTH / max(len(weeks), 1)
    return [
        (round((number + 0.5) * each, 1), f"{week.begins:%m-%d}")
        for number, week in enumerate(weeks)
        if number % 3 == 2
    ]
