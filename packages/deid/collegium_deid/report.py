"""What was done to one object or one exam, free of any identifier: safe to send, store and show."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from collegium_deid.errors import DeidError

if TYPE_CHECKING:
    from collections.abc import Iterable

ACTIONS: Final = "DZXKCU"


@dataclass(frozen=True)
class Report:
    """`counts`: elements per action code of PS3.15 (D Z X K C U), at every depth."""

    recipe_name: str
    recipe_version: str
    recipe_digest: str
    counts: dict[str, int]
    seconds: float
    areas: int = 0
    """Areas of pixels that were hidden."""
    objects: int = 1

    @staticmethod
    def count(codes: str) -> dict[str, int]:
        """Counts of one letter per element."""
        return {action: codes.count(action) for action in ACTIONS}

    @staticmethod
    def merged(reports: Iterable[Report]) -> Report:
        """One report for an exam.

        Raises:
            DeidError: there is none, or they tell of different recipes.
        """
        found = list(reports)
        recipes = {(each.recipe_name, each.recipe_version, each.recipe_digest) for each in found}
        if len(recipes) != 1:
            raise DeidError("deid.report.mixed", "Reports of one recipe can be merged, no others.")
        total: Counter[str] = Counter()
        for each in found:
            total.update(each.counts)
        return Report(
            *recipes.pop(),
            counts={action: total[action] for action in ACTIONS},
            seconds=sum(each.seconds for each in found),
            areas=sum(each.areas for each in found),
            objects=sum(each.objects for each in found),
        )
