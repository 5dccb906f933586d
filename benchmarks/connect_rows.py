"""One line of the table, and how a figure and a ratio come from rounds."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Row:
    """A figure of ours, a peer's where there is one, and what was to be reached."""

    metric: str
    unit: str
    ours: float
    low: float
    high: float
    against: str = ""
    peer: float | None = None
    ratio: float | None = None
    target: str = ""
    holds: bool | None = None


def row(metric: str, unit: str, ours: Sequence[float], *, least: float = 0.0, most: float = 0.0) -> Row:
    """A figure by itself, at least or at most so much."""
    middle = statistics.median(ours)
    target = f">= {least:g}" if least else f"<= {most:g}" if most else ""
    holds = middle >= least if least else middle <= most if most else None
    return Row(metric, unit, middle, min(ours), max(ours), target=target, holds=holds)


def beside(  # noqa: PLR0913, PLR0917 - the cells of one line
    metric: str, unit: str, ours: Sequence[float], against: str, theirs: Sequence[float], least: float = 0.0
) -> Row:
    """A figure beside a peer's of the same rounds; the ratio is the median of the rounds' own."""
    if not any(theirs):
        return Row(metric, unit, statistics.median(ours), min(ours), max(ours), f"{against}: not installed")
    ratio = statistics.median(mine / other for mine, other in zip(ours, theirs, strict=True))
    return Row(
        metric, unit, statistics.median(ours), min(ours), max(ours), against, statistics.median(theirs), ratio,
        f">= {least:g}x" if least else "", ratio >= least if least else None,
    )  # fmt: skip
