"""A project's whole set-up as plain data: what the file says, and nothing of any subject."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collegium.forms.definition import FormDefinition, Labels

SCHEMA = "project/1"


class SubjectPolicy(enum.StrEnum):
    """Whether an exam of an unknown subject code makes the subject, or waits until someone lists it."""

    ON_ARRIVAL = "on_arrival"
    LISTED = "listed"


class StepKind(enum.StrEnum):
    READING = "reading"


class About(enum.StrEnum):
    """What one read is about."""

    EXAM = "exam"
    VISIT = "visit"


class Assignment(enum.StrEnum):
    """Who of a role gets the tasks: each one reads everything, or one each in turn."""

    EVERY_READER = "every_reader"
    ONE_READER = "one_reader"


class SubjectLabel(enum.StrEnum):
    """What a task shows in place of the subject code: the code itself, or a label of its own."""

    CODE = "code"
    TASK = "task"


@dataclass(frozen=True, slots=True)
class SiteDefinition:
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class VisitDefinition:
    """A planned contact. Days count from the subject's first exam; the first visit has no window."""

    code: str
    label: Labels
    first_day: int | None = None
    last_day: int | None = None


@dataclass(frozen=True, slots=True)
class Blinding:
    """What a task may show of the images beyond pixels and geometry; all else does not exist for it."""

    show: tuple[str, ...] = ()
    subject_label: SubjectLabel = SubjectLabel.TASK


@dataclass(frozen=True, slots=True)
class Step:
    """A node of the pipeline. `open_if` is a rule over signed answers of earlier steps: `<step>.<item>`."""

    name: str
    kind: StepKind
    label: Labels
    form: str
    role: str
    about: About
    assign: Assignment
    meaning: str
    blinding: Blinding
    due_days: int | None = None
    open_if: str = ""


@dataclass(frozen=True)
class ProjectDefinition:
    """A project as its file says. Equal definitions write the same text and have the same digest."""

    name: str
    languages: tuple[str, ...]
    subject_policy: SubjectPolicy
    sites: tuple[SiteDefinition, ...]
    visits: tuple[VisitDefinition, ...]
    forms: Mapping[str, FormDefinition]
    pipeline: tuple[Step, ...]

    def step(self, name: str) -> Step:
        return next(step for step in self.pipeline if step.name == name)

    def steps_for(self, about: About) -> tuple[Step, ...]:
        return tuple(step for step in self.pipeline if step.about is about)

    def visit(self, code: str) -> VisitDefinition | None:
        return next((visit for visit in self.visits if visit.code == code), None)
