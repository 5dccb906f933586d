"""Look at results and take them out. Both leave an entry in the trail."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from collegium.kit import clock
from collegium.research.results import queries
from collegium.research.results.csv_file import Shape, write_csv
from collegium.trust.access.policies import Permission, require
from collegium.trust.audit.actions import Action
from collegium.trust.audit.services import record

if TYPE_CHECKING:
    from collegium.kit.principals import Actor
    from collegium.research.results.queries import ResultTable


@dataclass(frozen=True, slots=True)
class Export:
    """A file of results and the digest that stands in the audit."""

    name: str
    body: bytes
    sha256: str


def view_results(*, actor: Actor, step: str) -> ResultTable:
    """The table of a step; that it was seen is recorded. Raises Refused, NotFound."""
    table = queries.results(actor, step)
    record(
        actor, Action.RESULTS_VIEWED, "research.results", step,
        new={"invalid": table.invalid_count, "rows": len(table.rows)},
    )  # fmt: skip
    return table


def export_csv(*, actor: Actor, step: str, language: str = "en", shape: Shape = Shape.WIDE) -> Export:
    """The table of a step as CSV; its digest and the moment are recorded.

    Raises:
        Refused: the role may not take results out.
        NotFound: the project has no such step.
        TableTooLarge: no file was made; a file is never silently incomplete.
    """
    require(actor, Permission.RESULTS_EXPORT)
    require(actor, Permission.RESULTS_VIEW)
    table = queries.results(actor, step)
    body = write_csv(table, language, shape)
    sha256 = hashlib.sha256(body).hexdigest()
    moment = clock.now()
    record(
        actor, Action.RESULTS_EXPORTED, "research.results", step,
        new={
            "bytes": len(body),
            "invalid": table.invalid_count,
            "rows": len(table.rows),
            "sha256": sha256,
            "shape": shape.value,
            "taken_at": moment.isoformat(),
        },
    )  # fmt: skip
    return Export(f"{step}-{shape}-{moment:%Y%m%d-%H%M%S}.csv", body, sha256)
