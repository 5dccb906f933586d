"""What a leak check found, as a table and as JSON. Values are not shown unless asked for."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Leak:
    """A value that a person was told and must not be."""

    route: str
    person: str
    kind: str
    where: str
    value: str = ""
    address: str = ""


@dataclass
class Report:
    """The outcome of one check."""

    project: str
    people: tuple[str, ...] = ()
    routes: int = 0
    requests: int = 0
    values: Counter[str] = field(default_factory=Counter)
    """How many values of each kind were looked for."""
    unsearchable: Counter[str] = field(default_factory=Counter)
    """How many could not be: too short, or standing in texts that may be seen."""
    leaks: list[Leak] = field(default_factory=list)
    unplanned: tuple[str, ...] = ()
    """Routes the check does not know how to ask, and what to add."""
    broken: list[str] = field(default_factory=list)
    """Addresses that answered with a fault of the server."""

    @property
    def is_clean(self) -> bool:
        return not (self.leaks or self.unplanned or self.broken)

    def add(self, leaks: Iterable[Leak]) -> None:
        """One line for each route, person, kind and place, however often it leaks there."""
        known = {(leak.route, leak.person, leak.kind, leak.where) for leak in self.leaks}
        for leak in leaks:
            key = (leak.route, leak.person, leak.kind, leak.where)
            if key not in known:
                known.add(key)
                self.leaks.append(leak)

    def facts(self) -> dict[str, object]:
        """What the trail keeps of it."""
        return {
            "broken": len(self.broken), "leaks": len(self.leaks), "people": len(self.people),
            "requests": self.requests, "routes": self.routes, "unplanned": len(self.unplanned),
        }  # fmt: skip

    def to_json(self, *, show: bool = False) -> str:
        shown = {"address", "value"} if show else set()
        leaks = [
            {name: getattr(leak, name) for name in ("route", "person", "kind", "where", *sorted(shown))}
            for leak in self.leaks
        ]
        found = {
            "project": self.project, "is_clean": self.is_clean, "people": list(self.people), "routes": self.routes,
            "requests": self.requests, "values": dict(self.values), "not_looked_for": dict(self.unsearchable),
            "leaks": leaks, "unplanned": list(self.unplanned), "broken": self.broken,
        }  # fmt: skip
        return json.dumps(found, indent=1, ensure_ascii=False)

    def lines(self, *, show: bool = False) -> list[str]:
        """The report for a person at a terminal."""
        looked = _counted(self.values)
        found = [
            f"Asked {self.routes} routes with {self.requests} requests as {', '.join(self.people) or 'nobody'}.",
            f"Looked for, over all people: {looked or 'nothing'}.",
        ]
        if self.unsearchable:
            left = _counted(self.unsearchable)
            found.append(f"Not looked for, being too short or part of what may be seen: {left}.")
        if self.leaks:
            rows = [("ROUTE", "PERSON", "WHAT", "WHERE", "VALUE" if show else "")]
            rows += [
                (
                    leak.route,
                    leak.person,
                    leak.kind,
                    leak.where,
                    f"{leak.value}  {leak.address}" if show else "",
                )
                for leak in self.leaks
            ]
            widths = [max(len(row[column]) for row in rows) for column in range(4)]
            found += [
                "  ".join(
                    [*(cell.ljust(width) for cell, width in zip(row[:4], widths, strict=True)), row[4]]
                ).rstrip()
                for row in rows
            ]
        found += [f"NO PLAN  {route}" for route in self.unplanned]
        found += [f"BROKEN   {address}" for address in self.broken]
        found.append("Clean." if self.is_clean else "Not clean.")
        return found


def _counted(kinds: Counter[str]) -> str:
    """Counts by kind; the attributes of exams as one."""
    merged: Counter[str] = Counter()
    for kind, count in kinds.items():
        merged["attribute of an exam" if kind.endswith(" of an exam") else kind] += count
    return ", ".join(f"{count} {kind}" for kind, count in sorted(merged.items()))
