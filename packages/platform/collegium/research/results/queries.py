"""Signed reads as a table. Each signature is checked again: against the frozen record and against the live rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from collegium.kit.errors import NotFound
from collegium.research.pipeline.independence import unblinded_by_subject
from collegium.research.projects import queries as projects
from collegium.research.projects.unblinding.queries import unblinded_results
from collegium.research.reads import queries as reads
from collegium.research.reads.record import records_of
from collegium.research.results.columns import columns_of
from collegium.research.results.errors import TableTooLarge
from collegium.research.results.final import final_rows
from collegium.research.results.rows import ResultRow, row_of
from collegium.trust.access.policies import Permission, require
from collegium.trust.access.queries import may

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collegium.forms.definition import FormDefinition
    from collegium.kit.principals import Actor
    from collegium.research.projects.definition import Step
    from collegium.research.results.columns import Column

MOST = 100_000
"""Signed reads of one table: what a web process holds in memory. More is refused, never cut."""
CHUNK = 1000
"""Reads that are loaded with their entries at a time."""


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
    waiting_for_reads: int = 0
    """Those among them whose reads are not all signed: one is corrected or done again."""

    @cached_property
    def columns(self) -> tuple[Column, ...]:
        return columns_of(self.form, self.rows)

    @property
    def waiting_for_adjudication(self) -> int:
        return self.waiting - self.waiting_for_reads

    @property
    def has_groups(self) -> bool:
        """Whether rows can have been struck out."""
        return any(form.groups for form in (self.form, *(row.form for row in self.rows)))

    @property
    def invalid_count(self) -> int:
        return sum(not row.is_valid for row in self.rows)


def require_room(number: int) -> None:
    """Raises TableTooLarge for more signed reads than one table holds."""
    if number > MOST:
        raise TableTooLarge(number, MOST)


FINAL = "final."
"""Before the name of an adjudication step: the table of final values."""


def steps(actor: Actor) -> tuple[Step, ...]:
    """The steps of the project that give results."""
    version = projects.newest_version(actor)
    return projects.definition(version).pipeline if version else ()


def may_see_final(actor: Actor) -> bool:
    """Whether final results are open to the actor: with all results always, else once they are unblinded.

    Unblinding opens them to those who see the board and read nothing themselves.
    """
    if may(actor, Permission.RESULTS_VIEW):
        return True
    looks_on = may(actor, Permission.BOARD_VIEW) and not may(actor, Permission.READ_WRITE)
    return looks_on and unblinded_results(actor) is not None


def results(actor: Actor, name: str) -> ResultTable:
    """The table of a step, or `final.` and an adjudication step: the final values. Oldest signature first.

    Who may look at the final results alone gets them without readers' names and the reads behind them.

    Raises:
        Refused: the role has no permission to see results, or only final ones are open to it.
        NotFound: the project has no such step.
        TableTooLarge: there are more signed reads than one table holds; none is left out silently.
    """
    wanted = name.removeprefix(FINAL)
    if name == wanted or not may_see_final(actor):
        require(actor, Permission.RESULTS_VIEW)
    step = next((step for step in steps(actor) if step.name == wanted), None)
    if step is None or (name != wanted and step.adjudication is None):
        raise NotFound
    definition = projects.definition(projects.current_version(actor))
    if name != wanted and step.adjudication:
        form = definition.forms[definition.step(step.adjudication.of).form]
        require_room(reads.signed_versions(actor).filter(read__task__step=step.adjudication.of).count())
        rows, waiting, for_reads = final_rows(actor, step)
        if not may(actor, Permission.RESULTS_VIEW):
            rows = [replace(row, reader="", from_reads=()) for row in rows]
        return ResultTable(
            name, step, form, rows, is_final=True, waiting=waiting, waiting_for_reads=for_reads
        )
    form = definition.forms[step.form]
    return ResultTable(name, step, form, _rows(actor, wanted))


def _rows(actor: Actor, step: str) -> list[ResultRow]:
    """Every signed read of a step, as one moment has them. Raises TableTooLarge."""
    found = reads.signed_versions(actor).filter(read__task__step=step)
    require_room(found.count())
    unblinded = unblinded_by_subject(actor)
    rows: list[ResultRow] = []
    # One statement, fetched piece by piece: what is signed meanwhile is not half in it.
    versions = found.iterator(chunk_size=CHUNK)
    while chunk := list(islice(versions, CHUNK)):
        derived = records_of(actor, chunk)
        rows += [row_of(version, derived[version.id], unblinded) for version in chunk]
    return rows
