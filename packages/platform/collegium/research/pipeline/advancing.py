"""Open what may open: conditions, locked timepoints, and adjudications when their rule is true.

Called whenever a signed answer, an exam or a person's decision may have changed what holds for a subject. The caller
holds the lock of the subject, so fifty people signing at once take turns here and see each other's work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from collegium.kit.rules import Verdict, compile_rule
from collegium.notifications.models import NotificationKind
from collegium.research.pipeline import adjudicating, queries
from collegium.research.pipeline.models import Discrepancy
from collegium.research.pipeline.moving import move_task
from collegium.research.pipeline.placers import tell_placers
from collegium.research.pipeline.scene import Scene
from collegium.research.pipeline.sequence import earlier_are_signed, overtaken_by
from collegium.research.pipeline.states import NO_CONDITION, OVERTAKEN, UNDECIDED, Move, TaskState
from collegium.research.projects import queries as projects
from collegium.research.projects.step_file import condition_types

if TYPE_CHECKING:
    from collegium.kit.principals import Actor
    from collegium.kit.rules import Rule
    from collegium.research.pipeline.models import Task
    from collegium.research.projects.definition import ProjectDefinition, Step
    from collegium.research.projects.models import Subject


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
        elif task.state == TaskState.OPEN and (
            not earlier_are_signed(scene.tasks, task) or overtaken_by(scene.tasks, task)
        ):
            moved |= _move(actor, task, Move.HOLD)
    return moved


def _settle(actor: Actor, scene: Scene, task: Task) -> bool:
    """Open or cancel one waiting task, or say why a person has to decide. True when its state moved."""
    definition = projects.definition(task.project_version)
    step = definition.step(task.step)
    if not earlier_are_signed(scene.tasks, task):
        return False
    if not step.open_if:
        return _act_on(actor, scene, task, Verdict.TRUE)
    rule = _condition(definition, step)
    asked = {name.split(".")[0] for name in rule.names}
    if not all(_is_finished(actor, scene, task, definition.step(name)) for name in asked):
        return False
    verdict = rule.judge(scene.known(task.unit, definition))
    was_dropped = any(_was_dropped(scene, task, name) for name in asked)
    return _act_on(
        actor, scene, task, Verdict.FALSE if was_dropped and verdict is Verdict.UNKNOWN else verdict
    )


def _act_on(actor: Actor, scene: Scene, task: Task, verdict: Verdict) -> bool:
    """Do what a condition says of a task. True when its state moved."""
    if verdict is Verdict.FALSE:
        return _move(actor, task, Move.CANCEL, NO_CONDITION)
    if _is_held(actor, scene, task):
        return False
    if verdict is Verdict.TRUE:
        return _move(actor, task, Move.OPEN)
    _note(task, UNDECIDED)
    return False


def _is_held(actor: Actor, scene: Scene, task: Task) -> bool:
    """Whether a task that could open waits because its person has begun a later visit; whoever decides is told once."""
    if not overtaken_by(scene.tasks, task):
        return False
    if _note(task, OVERTAKEN):
        tell_placers(actor, task.unit.subject, NotificationKind.VISIT_LATE, about=task.id)
    return True


def _note(task: Task, note: str) -> bool:
    """Say why a task waits. True when it did not say so before."""
    if task.note == note:
        return False
    task.note = note
    task.save(update_fields=["note"])
    return True


def _is_finished(actor: Actor, scene: Scene, task: Task, asked: Step) -> bool:
    """Whether every reader of a step that is asked about has finished; an adjudication nobody needs is finished."""
    found = scene.about(task.unit, asked.name)
    if found:
        return all(scene.is_finished(one) for one in found)
    if asked.adjudication is None:
        return False
    judged = queries.newest_discrepancy(actor, task.unit, asked.name)
    return judged is not None and judged.outcome == Discrepancy.Outcome.AGREED


def _was_dropped(scene: Scene, task: Task, asked: str) -> bool:
    found = scene.about(task.unit, asked)
    return bool(found) and all(one.state == TaskState.CANCELLED for one in found)


def _move(actor: Actor, task: Task, move: Move, note: str = "") -> bool:
    locked = queries.locked_task(actor, task.id)
    if locked.state != task.state:
        return False
    move_task(actor=actor, task=locked, move=move, note=note)
    return True


def _condition(definition: ProjectDefinition, step: Step) -> Rule:
    earlier = {one.name: one for one in definition.pipeline[: definition.pipeline.index(step)]}
    return compile_rule(step.open_if, condition_types(step.about, earlier, definition.forms))
