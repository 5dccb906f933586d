"""What was done to one object, free of any identifier: safe to send, store and show."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ACTIONS: Final = "DZXKCU"


@dataclass(frozen=True)
class Report:
    """`counts`: elements per action code of PS3.15 (D Z X K C U), at every depth."""

    recipe_name: str
    recipe_version: str
    recipe_digest: str
    counts: dict[str, int]
    seconds: float

    @staticmethod
    def count(codes: str) -> dict[str, int]:
        """Counts of one letter per element."""
        return {action: codes.count(action) for action in ACTIONS}
