"""Signed reads as a table. Each signature is checked again: against the frozen record and against the live rows."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from collegium.kit.errors import NotFound
from collegium.research.projects import queries as projects
from collegium.research.reads import queries as reads
from collegium.research.reads.record import records_of
from collegium.research.results.columns import columns_of
from collegium.research.results.final import final_rows
from collegium.research.results.rows import ResultRow, row_of
from collegium.trust.access.policies import Permission, require

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collegium.forms.definition import FormDefinition
    from collegium.kit.principals import Actor
    from collegium.research.projects.definition import Step
    from collegium.research.results.columns import Column

LIMIT = 20_000
"""Rows of one table; beyond it an export has to be cut by step or date."""


@dataclass(frozen=True)
class ResultTable:
    """The signed reads of one step, `form` its newest form; answers of older forms keep their names."""

    name: str
    step: Step
    form: FormDefinition
    rows: Sequence[ResultRow]
    is_final: bool = False
    """Final values, by agreement or adjudication, in place of each read."""
    waiting: int = 0
    """Units of a final table that are not settled yet."""

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        return columns_of(self.form, self.rows)

    @property
    def has_groups(self) -> bool:
        """Whether rows can have been struck out."""
        return any(form.groups for form in (self.form, *(row.form for row in self.rows)))

    @property
    def invalid_count(self) -> int:
        return sum(not row.is_valid for row in self.rows)


FINAL = "final."
"""Before the name of an adjudication step: the table of final values."""


def steps(actor: Actor) -> tuple[Step, ...]:
    """The steps of the project that give results."""
    version = projects.newest_version(actor)
    return projects.definition(version).pipeline if version else ()


def results(actor: Actor, name: str) -> ResultTable:
    """The table of a step, or `final.` and an adjudication step: the final values. Oldest signature first.

    Raises:
        Refused: the role has no permission to see results.
        NotFound: the project has no such step.
    """
    require(actor, Permission.RESULTS_VIEW)
    wanted = name.removeprefix(FINAL)
    step = next((step for step in steps(actor) if step.name == wanted), None)
    if step is None or (name != wanted and step.adjudication is None):
        raise NotFound
    definition = projects.definition(projects.current_version(actor))
    if name != wanted and step.adjudication:
        form = definition.forms[definition.step(step.adjudication.of).form]
        rows, waiting = final_rows(actor, step)
        return ResultTable(name, step, form, rows, is_final=True, waiting=waiting)
    form = definition.forms[step.form]
    versions = list(reads.signed_versions(actor).filter(read__task__step=wanted)[:LIMIT])
    derived = records_of(actor, versions)
    rows = [row_of(version, derived[version.id]) for version in versions]
    return ResultTable(name, step, form, rows)
