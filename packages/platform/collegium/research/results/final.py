"""Final results: for each unit the values that count after agreement or adjudication, naming the reads they come from.

Nothing is stored: a final value is computed from the newest judgement and the signed reads each time it is asked for,
so a read that is superseded can never leave an old final value behind (R72).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from collegium.research.pipeline import queries as pipeline
from collegium.research.pipeline.independence import unblinded_by_subject
from collegium.research.pipeline.models import Discrepancy
from collegium.research.pipeline.states import TaskState
from collegium.research.projects import queries as projects
from collegium.research.projects.definition import Mode
from collegium.research.reads import queries as reads
from collegium.research.reads.record import records_of
from collegium.research.results.agreeing import agreed, differing
from collegium.research.results.rows import ResultRow, row_of, worst

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from collegium.kit.principals import Actor
    from collegium.research.projects.definition import Differing, Step
    from collegium.research.reads.models import ReadVersion

AGREED, CHOSEN, ANEW = "agreed", "adjudicated: chosen", "adjudicated: read anew"


def final_rows(actor: Actor, step: Step) -> tuple[list[ResultRow], int, int]:
    """The final row of every unit that is settled by a step, how many wait, and how many of them for a read."""
    assert step.adjudication
    steps = [step.adjudication.of, step.name]
    versions = list(reads.signed_versions(actor).filter(read__task__step__in=steps))
    by_task = {version.read.task_id: version for version in versions}
    derived, unblinded = records_of(actor, versions), unblinded_by_subject(actor)
    rows, waiting, for_reads = [], 0, 0
    for judged in pipeline.newest_discrepancies(actor, step.name):
        settled = _settled(judged, step, by_task)
        if settled is None:
            waiting += 1
            for_reads += len(_standing(judged, by_task)) < len(judged.reads)
            continue
        base, source, used = settled
        parts = [row_of(version, derived[version.id], unblinded) for version in used]
        compared = parts[: len(judged.reads)]
        row = replace(row_of(base, derived[base.id], unblinded), differing=differing(compared))
        if source == AGREED:
            row = agreed(row, compared, _rule_of(base, step))
        rows.append(
            replace(
                row,
                reader="; ".join(dict.fromkeys(part.reader for part in parts)),
                signed_at=max(part.signed_at for part in parts),
                validity=worst(part.validity for part in parts),
                source=source,
                unblinded_at=min((part.unblinded_at for part in parts if part.unblinded_at), default=None),
                was_signed_unblinded=any(part.was_signed_unblinded for part in parts),
                is_out_of_sequence=any(part.is_out_of_sequence for part in parts),
                from_reads=tuple(f"{part.read_id}:{part.version}" for part in parts),
            )
        )
    return sorted(rows, key=lambda row: (row.signed_at, row.read_id)), waiting, for_reads


def _settled(
    judged: Discrepancy, step: Step, by_task: Mapping[UUID, ReadVersion]
) -> tuple[ReadVersion, str, Sequence[ReadVersion]] | None:
    """The version whose answers count, why, and all versions it rests on; None while the unit waits."""
    assert step.adjudication
    found = _standing(judged, by_task)
    if len(found) < len(judged.reads):
        return None
    if judged.outcome == Discrepancy.Outcome.AGREED:
        return found[0], AGREED, found
    of_unit = [one for one in by_task.values() if one.read.unit_id == judged.unit_id]
    settling = next((one for one in of_unit if one.read.task.step == step.name and _stands(one)), None)
    if settling is None:
        return None
    # As the project said when it was adjudicated, whatever a newer version says.
    own = projects.definition(settling.read.task.project_version).step(settling.read.task.step).adjudication
    assert own
    if own.mode is Mode.ANEW:
        return settling, ANEW, [*found, settling]
    chosen = settling.entry.answers.get(own.chooses, {}).get("value", "")
    sides = {name: by_task.get(UUID(task_id)) for name, task_id in settling.read.task.sides.items()}
    side = sides.get(chosen)
    return (side, CHOSEN, [*found, settling]) if side else None


def _rule_of(version: ReadVersion, step: Step) -> Differing:
    """What counts where agreeing reads differ, as the project said when they were read."""
    own = projects.definition(version.read.task.project_version).step(step.name).adjudication
    assert own
    return own.differing


def _standing(judged: Discrepancy, by_task: Mapping[UUID, ReadVersion]) -> list[ReadVersion]:
    """The compared reads that are signed as they were compared."""
    compared = [(by_task.get(UUID(named["task"])), named["entry"]) for named in judged.reads]
    return [one for one, entry in compared if one and str(one.entry_id) == entry and _stands(one)]


def _stands(version: ReadVersion) -> bool:
    """Whether a signed version is not being corrected."""
    return version.read.task.state == TaskState.SIGNED
