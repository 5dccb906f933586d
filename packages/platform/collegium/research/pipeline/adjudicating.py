"""Judge the signed reads of a unit, and make the adjudication when and only when they differ (R70).

A judgement is a row that never changes: outcome and the entries it compared. Reads that were corrected are judged
again; an adjudication of reads that no longer stand is superseded. One that a person cancelled stays cancelled while
the reads it compared stand; another pair of reads asks anew.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from collegium.kit.rules import Verdict, compile_rule
from collegium.research.pipeline import making, queries
from collegium.research.pipeline.errors import DecisionNotNeeded
from collegium.research.pipeline.models import Discrepancy
from collegium.research.pipeline.moving import move_task
from collegium.research.pipeline.scene import Scene
from collegium.research.pipeline.states import LIVE, Move, TaskState
from collegium.research.projects import queries as projects
from collegium.research.projects.step_file import discrepancy_types
from collegium.trust.audit.actions import Action
from collegium.trust.audit.services import record

if TYPE_CHECKING:
    from collections.abc import Sequence

    from collegium.kit.principals import Actor
    from collegium.research.pipeline.models import ReadingUnit, Task
    from collegium.research.projects.definition import Step

_OUTCOMES = {
    Verdict.TRUE: Discrepancy.Outcome.DIFFERS,
    Verdict.FALSE: Discrepancy.Outcome.AGREED,
    Verdict.UNKNOWN: Discrepancy.Outcome.UNKNOWN,
}
STALE = "A read that it settles was changed."


def judge_subject(actor: Actor, scene: Scene) -> None:
    """Every unit of the subject against every adjudication step of its project."""
    for unit in scene.units:
        for step in projects.definition(unit.project_version).pipeline:
            if step.adjudication and step.about == unit.about:
                _judge(actor, scene, unit, step)


def decide(actor: Actor, last: Discrepancy, *, differs: bool, reason: str) -> Discrepancy:
    """A person decides what the rule could not. Raises DecisionNotNeeded when the rule could."""
    if (
        last.outcome != Discrepancy.Outcome.UNKNOWN
        or queries.newest_discrepancy(actor, last.unit, last.step) != last
    ):
        raise DecisionNotNeeded
    outcome = Discrepancy.Outcome.DIFFERS if differs else Discrepancy.Outcome.AGREED
    return _keep(actor, last.unit, last.step, outcome, last.reads, number=last.number + 1, reason=reason)


def adjudicate_again(actor: Actor, task: Task) -> Task | None:
    """Another run of an adjudication because a person asks for it; None when its reads do not stand or agree now."""
    step = projects.definition(task.project_version).step(task.step)
    last = queries.newest_discrepancy(actor, task.unit, task.step)
    scene = Scene.of(actor, task.unit.subject)
    assert step.adjudication
    primary = scene.live(task.unit, step.adjudication.of)
    if last is None or last.outcome != Discrepancy.Outcome.DIFFERS or last.reads != _compared(primary):
        return None
    if any(one.state != TaskState.SIGNED for one in primary):
        return None
    return making.make_adjudication(actor, task.unit, step, _sides(primary))


def _judge(actor: Actor, scene: Scene, unit: ReadingUnit, step: Step) -> None:
    assert step.adjudication
    definition = projects.definition(unit.project_version)
    read_step = definition.step(step.adjudication.of)
    primary = scene.live(unit, read_step.name)
    settling = scene.live(unit, step.name)
    are_signed = len(primary) == read_step.assign.readers and all(
        task.state == TaskState.SIGNED for task in primary
    )
    if not are_signed:
        _withdraw(actor, settling)
        return
    reads = _compared(primary)
    last = queries.newest_discrepancy(actor, unit, step.name)
    if last is None or last.reads != reads:
        for task in settling:
            _end(actor, task)
        settling = []
        outcome = _OUTCOMES[_compare(scene, primary, read_step, step)]
        last = _keep(actor, unit, step.name, outcome, reads, number=last.number + 1 if last else 1)
    if last.outcome == Discrepancy.Outcome.DIFFERS and not settling and not _was_cancelled(scene, last):
        making.make_adjudication(actor, unit, step, _sides(primary))


def _was_cancelled(scene: Scene, judged: Discrepancy) -> bool:
    """Whether a person cancelled the adjudication that this very judgement had made."""
    of_step = [task for task in scene.tasks if (task.unit_id, task.step) == (judged.unit_id, judged.step)]
    newest = max(of_step, key=lambda task: task.run, default=None)
    if newest is None or newest.state != TaskState.CANCELLED or newest.note == STALE:
        return False
    return newest.created_at >= judged.judged_at


def _compared(primary: Sequence[Task]) -> list[dict[str, str]]:
    """The reads as a judgement names them."""
    return [{"task": str(task.id), "entry": str(task.entry_id)} for task in primary]


def _compare(scene: Scene, primary: Sequence[Task], read_step: Step, step: Step) -> Verdict:
    assert step.adjudication
    sides = dict(zip(("a", "b"), (scene.plain(task) for task in primary), strict=True))
    form = projects.definition(primary[0].project_version).forms[read_step.form]
    rule = compile_rule(step.adjudication.discrepancy, discrepancy_types(form))
    return rule.judge(
        {f"{side}.{name}": value for side, said in sides.items() for name, value in said.items()}
    )


def _sides(primary: Sequence[Task]) -> dict[str, str]:
    """Which read is shown as a and which as b: drawn once, so that the letter tells nothing (R71)."""
    drawn = list(primary)
    secrets.SystemRandom().shuffle(drawn)
    return {side: str(task.id) for side, task in zip(("a", "b"), drawn, strict=True)}


def _keep(  # noqa: PLR0913  a judgement has this many facts
    actor: Actor,
    unit: ReadingUnit,
    step: str,
    outcome: Discrepancy.Outcome,
    reads: object,
    *,
    number: int,
    reason: str = "",
) -> Discrepancy:
    kept = Discrepancy.objects.create(
        space_id=actor.space, unit=unit, step=step, number=number, outcome=outcome, reads=reads,
        decided_by=actor.principal.text if reason else "", reason=reason,
    )  # fmt: skip
    record(
        actor, Action.DISCREPANCY_JUDGED, "research.discrepancy", kept.id,
        new={"outcome": str(outcome.value), "reads": reads, "step": step, "unit": str(unit.id)}, reason=reason,
    )  # fmt: skip
    return kept


def _withdraw(actor: Actor, settling: Sequence[Task]) -> None:
    """A compared read is open again: what was not signed waits for nothing any more."""
    for task in settling:
        if task.state != TaskState.SIGNED:
            _end(actor, task)


def _end(actor: Actor, found: Task) -> None:
    task = queries.locked_task(actor, found.id)
    if task.state in LIVE:
        move = Move.REPLACE if task.state == TaskState.SIGNED else Move.CANCEL
        move_task(actor=actor, task=task, move=move, note=STALE)
