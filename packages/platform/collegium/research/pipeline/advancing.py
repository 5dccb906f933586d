"""Open what may open: conditions, locked timepoints, and adjudications when their rule is true.

Called whenever a signed answer, an exam or a person's decision may have changed what holds for a subject. The caller
holds the lock of the subject, so fifty people signing at once take turns here and see each other's work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collegium.kit.rules import Verdict, compile_rule
from collegium.research.pipeline import adjudicating, queries
from collegium.research.pipeline.moving import move_task
from collegium.research.pipeline.scene import Scene
from collegium.research.pipeline.states import LIVE, Move, TaskState
from collegium.research.projects import queries as projects
from collegium.research.projects.definition import Timepoints
from collegium.research.projects.step_file import condition_types

if TYPE_CHECKING:
    from collegium.kit.principals import Actor
    from collegium.kit.rules import Rule
    from collegium.research.pipeline.models import Task
    from collegium.research.projects.definition import ProjectDefinition, Step
    from collegium.research.projects.models import Subject

NO_CONDITION = "Its condition does not hold."
UNDECIDED = "Its condition cannot be decided from the signed answers. A person has to decide."


def advance(*, actor: Actor, subject: Subject) -> None:
    """Judge discrepancies, then every waiting task of the subject, until nothing moves any more."""
    adjudicating.judge_subject(actor, Scene.of(actor, subject))
    while _step(actor, Scene.of(actor, subject)):
        pass


def _step(actor: Actor, scene: Scene) -> bool:
    moved = False
    for task in scene.tasks:
        if task.state == TaskState.WAITING:
            moved |= _settle(actor, scene, task)
    return moved


def _settle(actor: Actor, scene: Scene, task: Task) -> bool:
    """Open or cancel one waiting task, or say why a person has to decide. True when its state moved."""
    definition = projects.definition(task.project_version)
    step = definition.step(task.step)
    if not _earlier_are_signed(scene, task, step, definition):
        return False
    if not step.open_if:
        return _move(actor, task, Move.OPEN)
    rule = _condition(definition, step)
    verdict = rule.judge(scene.known(task.unit, definition))
    if verdict is Verdict.TRUE:
        return _move(actor, task, Move.OPEN)
    read = {name.split(".")[0]: scene.about(task.unit, name.split(".")[0]) for name in rule.names}
    if not all(tasks and all(scene.is_finished(one) for one in tasks) for tasks in read.values()):
        return False
    was_dropped = any(all(one.state == TaskState.CANCELLED for one in tasks) for tasks in read.values())
    if verdict is Verdict.FALSE or was_dropped:
        return _move(actor, task, Move.CANCEL, NO_CONDITION)
    if task.note != UNDECIDED:
        task.note = UNDECIDED
        task.save(update_fields=["note"])
    return False


def _earlier_are_signed(scene: Scene, task: Task, step: Step, definition: ProjectDefinition) -> bool:
    """Whether the same reader signed every earlier visit, where the step is locked (R28)."""
    if step.timepoints is not Timepoints.LOCKED or task.unit.visit is None:
        return True
    order = [visit.code for visit in definition.visits]
    here = order.index(task.unit.visit.code)
    earlier = [
        one
        for one in scene.tasks
        if one.step == task.step
        and one.slot == task.slot
        and one.state in LIVE
        and one.unit.visit is not None
        and one.unit.visit.code in order[:here]
    ]
    return all(one.state == TaskState.SIGNED for one in earlier)


def _move(actor: Actor, task: Task, move: Move, note: str = "") -> bool:
    locked = queries.locked_task(actor, task.id)
    if locked.state != TaskState.WAITING:
        return False
    move_task(actor=actor, task=locked, move=move, note=note)
    return True


def _condition(definition: ProjectDefinition, step: Step) -> Rule:
    earlier = {one.name: one for one in definition.pipeline[: definition.pipeline.index(step)]}
    return compile_rule(step.open_if, condition_types(step.about, earlier, definition.forms))
