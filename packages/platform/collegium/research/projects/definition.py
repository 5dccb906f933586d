"""A project's whole set-up as plain data: what the file says, and nothing of any subject."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING

from collegium_wire import AcquisitionRequirements

if TYPE_CHECKING:
    from collections.abc import Mapping

    from collegium.forms.definition import FormDefinition, Labels
    from collegium_wire import AcquisitionRequirement

SCHEMA = "project/1"


class SubjectPolicy(enum.StrEnum):
    """Whether an exam of an unknown subject code makes the subject, or waits until someone lists it."""

    ON_ARRIVAL = "on_arrival"
    LISTED = "listed"


class StepKind(enum.StrEnum):
    FORM = "form"
    """Answers alone, no images: eligibility, a visit form."""
    QC = "qc"
    """Whether images can be used: accept, refuse, or ask for a corrective action."""
    READING = "reading"
    ADJUDICATION = "adjudication"
    """Settles reads of an earlier step, when and only when its discrepancy rule is true."""


class About(enum.StrEnum):
    """What one task is about, the widest last."""

    EXAM = "exam"
    VISIT = "visit"
    SUBJECT = "subject"

    @property
    def width(self) -> int:
        return list(About).index(self)


class How(enum.StrEnum):
    """How the people of a role come to tasks."""

    EVERY = "every"
    """Each of them reads everything."""
    SEQUENTIAL = "sequential"
    """Who has least; of equals, who joined first."""
    RANDOM = "random"
    """Drawn with a stored seed; the same seed and people give the same draw."""
    RULE = "rule"
    """The role of the first rule that is true of the subject; then as sequential."""


class Timepoints(enum.StrEnum):
    """What a task about a visit shows of the subject's earlier visits."""

    ALONE = "alone"
    BESIDE = "beside"
    """Earlier visits stand beside it; one reader has all visits of a subject."""
    LOCKED = "locked"
    """As beside, and it opens only after the reader signed every earlier visit."""


class Order(enum.StrEnum):
    """Whether a reader chooses the next task, or has an order of their own that is fixed at the first open."""

    FREE = "free"
    FIXED = "fixed"


class Mode(enum.StrEnum):
    """What an adjudicator does, as the charter says."""

    CHOOSE = "choose"
    """Chooses one of the reads as the final one."""
    ANEW = "anew"
    """Answers the form of the reads anew, seeing them."""


class Differing(enum.StrEnum):
    """What a final row has for an item that two reads answer differently though they agree by the discrepancy rule."""

    BLANK = "blank"
    FIRST = "first"
    """The answer of the first slot."""
    MEAN = "mean"
    """The mean of measured numbers; other items are blank."""


class Told(enum.StrEnum):
    """What a task may tell its person in words, beyond its own label."""

    VISIT = "visit"
    SITE = "site"


class QcVerdict(enum.StrEnum):
    """The codes of a QC form's verdict."""

    ACCEPT = "accept"
    REFUSE = "refuse"
    CORRECT = "correct"
    """Ask the site for a corrective action; the check is made again when images come."""


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
    acquisition: tuple[AcquisitionRequirement, ...] = ()
    """What its exams must be, one entry a modality; the gateways check it. None: anything."""


@dataclass(frozen=True, slots=True)
class Blinding:
    """What a task may show of the images beyond pixels and geometry, and tell in words; all else is not there."""

    show: tuple[str, ...] = ()
    subject_label: SubjectLabel = SubjectLabel.TASK
    tell: tuple[Told, ...] = ()


@dataclass(frozen=True, slots=True)
class RoleRule:
    """`role` gets the task when `rule`, over `site`, `visit` and `subject`, is true."""

    rule: str
    role: str


@dataclass(frozen=True, slots=True)
class Assignment:
    """Who gets the tasks of a step. `readers` counts independent ones for each thing; `every` has no count."""

    how: How
    readers: int = 1
    seed: int | None = None
    rules: tuple[RoleRule, ...] = ()
    at_site: bool = False
    """Only people of the subject's own site."""


@dataclass(frozen=True, slots=True)
class Adjudication:
    """Which reads are settled, when, and how. `discrepancy` is a rule over `a.<item>` and `b.<item>`."""

    of: str
    discrepancy: str
    mode: Mode
    chooses: str = ""
    """The choice item, with codes a and b, that names the chosen read."""
    differing: Differing = Differing.BLANK


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
    timepoints: Timepoints = Timepoints.ALONE
    order: Order = Order.FREE
    queries_closed: bool = False
    """Nothing is signed while a query about it is open."""
    verdict: str = ""
    """The choice item of a QC form with the codes accept, refuse and correct."""
    adjudication: Adjudication | None = None


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
        """The steps whose tasks are made with their thing; adjudications are made by their rule."""
        return tuple(
            step for step in self.pipeline if step.about is about and step.kind is not StepKind.ADJUDICATION
        )

    def visits_before(self, code: str) -> tuple[str, ...]:
        """The codes of the visits planned before this one; none for a visit that this version does not know."""
        codes = tuple(visit.code for visit in self.visits)
        return codes[: codes.index(code)] if code in codes else ()

    def acquisition(self) -> AcquisitionRequirements:
        """What all visits ask of an exam's acquisition. A visit that asks for nothing takes other modalities too."""
        return AcquisitionRequirements(
            items=tuple(entry for visit in self.visits for entry in visit.acquisition),
            takes_others=not all(visit.acquisition for visit in self.visits),
        )

    def visit(self, code: str) -> VisitDefinition | None:
        return next((visit for visit in self.visits if visit.code == code), None)
