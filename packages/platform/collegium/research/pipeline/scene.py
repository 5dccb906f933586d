"""All of one subject that decides what may open: its units, tasks and signed answers, read once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from collegium.forms import queries as forms
from collegium.research.pipeline import matching, queries
from collegium.research.pipeline.sequence import newest_runs
from collegium.research.pipeline.states import LIVE, TaskState
from collegium.research.projects import queries as projects
from collegium.research.projects.definition import About, QcVerdict, StepKind

if TYPE_CHECKING:
    from uuid import UUID

    from collegium.forms.answers import Answer
    from collegium.kit import rules
    from collegium.kit.principals import Actor
    from collegium.research.pipeline.models import ReadingUnit, Task
    from collegium.research.projects.definition import ProjectDefinition
    from collegium.research.projects.models import Subject


@dataclass(frozen=True)
class Scene:
    """A subject's tasks with the answers of the signed ones, by entry."""

    units: tuple[ReadingUnit, ...]
    tasks: tuple[Task, ...]
    answers: dict[UUID, dict[str, Answer]]

    @classmethod
    def of(cls, actor: Actor, subject: Subject) -> Scene:
        tasks = queries.tasks_of_subject(actor, subject)
        units = queries.units(actor).filter(subject=subject)
        entries = [task.entry_id for task in tasks if task.state == TaskState.SIGNED and task.entry_id]
        return cls(tuple(units), tuple(tasks), forms.answers_by_entry(actor, entries))

    def live(self, unit: ReadingUnit, step: str) -> list[Task]:
        """Tasks of a step that count for this very unit, by slot."""
        found = [
            task
            for task in self.tasks
            if task.unit_id == unit.id and task.step == step and task.state in LIVE
        ]
        return sorted(found, key=lambda task: task.slot)

    def about(self, unit: ReadingUnit, step: str) -> list[Task]:
        """Newest tasks of a step, slot by slot, about this unit or about what holds it: its visit, its subject."""
        return newest_runs(task for task in self.tasks if task.step == step and _holds(task.unit, unit))

    def is_finished(self, task: Task) -> bool:
        """Signed, or never to be done. A QC that asked for a corrective action is not finished."""
        if task.state == TaskState.SIGNED:
            return not self.waits_for_correction(task)
        return task.state == TaskState.CANCELLED

    def waits_for_correction(self, task: Task) -> bool:
        step = projects.definition(task.project_version).step(task.step)
        if step.kind is not StepKind.QC or task.state != TaskState.SIGNED or task.entry_id is None:
            return False
        verdict = self.answers.get(task.entry_id, {}).get(step.verdict)
        return verdict is not None and verdict.value == QcVerdict.CORRECT

    def known(self, unit: ReadingUnit, definition: ProjectDefinition) -> dict[str, rules.Answer]:
        """What signed tasks say of this unit, as `<step>.<item>`; where readers differ nobody knows."""
        found: dict[str, rules.Answer] = {}
        for step in definition.pipeline:
            if step.about.width < About(unit.about).width:
                continue
            signed = [
                task
                for task in self.about(unit, step.name)
                if task.state == TaskState.SIGNED and not self.waits_for_correction(task)
            ]
            said = [self.plain(task) for task in signed]
            found |= {f"{step.name}.{name}": value for name, value in matching.agreed(said).items()}
        return found

    def plain(self, task: Task) -> dict[str, rules.Answer]:
        """The answers of one signed task as rules see them, by the form it was answered on; rows are left out."""
        definition = projects.definition(task.project_version)
        items = definition.forms[definition.step(task.step).form].by_name
        given = self.answers.get(task.entry_id, {}) if task.entry_id else {}
        found: dict[str, rules.Answer] = {}
        for name, answer in given.items():
            if name in items:
                found |= answer.values(items[name])
        return found


def _holds(wide: ReadingUnit, unit: ReadingUnit) -> bool:
    if wide.id == unit.id or wide.about == About.SUBJECT:
        return True
    return wide.about == About.VISIT and unit.about == About.EXAM and wide.visit_id == unit.visit_id
