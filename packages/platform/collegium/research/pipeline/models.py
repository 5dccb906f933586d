"""Where exams belong, what is read, and who has which task."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models.functions import Now

from collegium.forms.models import Entry
from collegium.imaging.archive.models import Exam
from collegium.kit import ids
from collegium.kit.rls import SpaceRow
from collegium.research.pipeline.states import TaskState
from collegium.research.projects.models import ProjectVersion, Subject, Visit


class Unplaced(models.TextChoices):
    """Why an exam has no visit yet. Such exams are listed, never dropped."""

    NOTHING = "", ""
    NOT_PUBLISHED = "not_published", "The project has no published version."
    SUBJECT_UNKNOWN = "subject_unknown", "The subject is not listed in the project."
    NO_DATE = "no_date", "The exam has no date, so its visit cannot be told."
    NO_VISIT = "no_visit", "No visit window fits the exam's date."
    BEFORE_FIRST = "before_first", "The exam is older than the subject's first visit."
    AMBIGUOUS = "ambiguous", "The exam's date fits more than one visit window."
    TAKEN_BACK = "taken_back", "Somebody took it out of its visit."


class Sequence(models.TextChoices):
    """What a person decided about a task whose reader had begun a later visit (decision 0037)."""

    IN_ORDER = "", ""
    OUT = "out", "Read out of sequence"
    LEFT_OUT = "left_out", "Left out: it came late"


class ExamPlacement(SpaceRow):
    """An arrived exam and the subject and visit it was matched with."""

    exam = models.ForeignKey(Exam, on_delete=models.PROTECT)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, null=True)
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, null=True)
    unplaced = models.CharField(max_length=20, choices=Unplaced.choices, blank=True)
    placed_at = models.DateTimeField(db_default=Now(), editable=False)
    placed_by = models.CharField(
        max_length=120, blank=True, db_default="", help_text="Who placed it by hand; empty when its date did."
    )
    supplemented_at = models.DateTimeField(null=True, help_text="When images were last added to the exam.")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["space_id", "exam"], name="placement_once"),)


class ReadingUnit(SpaceRow):
    """What one task is about: an exam, a visit with all its exams, or a subject."""

    project_version = models.ForeignKey(ProjectVersion, on_delete=models.PROTECT)
    about = models.CharField(max_length=10)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT)
    visit = models.ForeignKey(
        Visit, on_delete=models.PROTECT, null=True, help_text="Empty when about a subject."
    )
    exam = models.ForeignKey(Exam, on_delete=models.PROTECT, null=True, help_text="Only when about an exam.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["space_id", "exam"], condition=models.Q(about="exam"), name="unit_exam_once"
            ),
            models.UniqueConstraint(
                fields=["space_id", "visit"], condition=models.Q(about="visit"), name="unit_visit_once"
            ),
            models.UniqueConstraint(
                fields=["space_id", "subject"], condition=models.Q(about="subject"), name="unit_subject_once"
            ),
        )


class Task(SpaceRow):
    """One step for one reading unit and one person. Its state moves by the table in `states` alone.

    The id is random: it stands in addresses that readers see, and a time in it would tell which tasks belong
    together and in which order their exams came (R22, R42).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    listing = models.UUIDField(
        default=ids.uuid7, editable=False, help_text="Orders tasks by birth for managers; no reader sees it."
    )
    unit = models.ForeignKey(ReadingUnit, on_delete=models.PROTECT, related_name="tasks")
    project_version = models.ForeignKey(ProjectVersion, on_delete=models.PROTECT)
    step = models.CharField(max_length=40)
    slot = models.PositiveSmallIntegerField(default=1, help_text="Which of the step's independent readers.")
    run = models.PositiveSmallIntegerField(default=1, help_text="Grows when the step is run again.")
    assignee = models.CharField(max_length=120, blank=True, help_text="Empty until somebody can have it.")
    state = models.CharField(max_length=20, choices=[(state.value, state.value) for state in TaskState])
    label = models.CharField(max_length=64, help_text="What the task shows as its subject.")
    due_on = models.DateField(null=True)
    note = models.CharField(max_length=200, blank=True, help_text="Why it waits or was cancelled.")
    has_late_images = models.BooleanField(default=False, help_text="Images came after it was begun.")
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, null=True, help_text="The signed answers.")
    position = models.PositiveIntegerField(
        null=True, help_text="In its reader's own order, fixed at the first open; drawn, never by arrival."
    )
    sides = models.JSONField(
        default=dict, help_text="Of an adjudication: the task shown as a and the one shown as b, drawn once."
    )
    sequence = models.CharField(
        max_length=10, choices=Sequence.choices, blank=True, db_default="",
        help_text="What was decided when its visit came after a later one was begun.",
    )  # fmt: skip
    begun_at = models.DateTimeField(null=True, help_text="When its person first saw it.")
    was_handed_back = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Its person gave it back: they are drawn for none of the step.",
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    changed_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["space_id", "unit", "step", "slot", "run"], name="task_once"),
        )
        indexes = (
            models.Index(fields=["assignee", "state", "id"], name="task_assignee"),
            models.Index(fields=["space_id", "listing"], name="task_listing"),
            models.Index(fields=["space_id", "state"], name="task_counted"),
        )


class Discrepancy(SpaceRow):
    """A judged comparison of the signed reads of one unit. A changed read makes the next row; none is changed."""

    class Outcome(models.TextChoices):
        AGREED = "agreed"
        DIFFERS = "differs"
        UNKNOWN = "unknown"
        """The rule cannot tell; a person has to."""

    unit = models.ForeignKey(ReadingUnit, on_delete=models.PROTECT, related_name="discrepancies")
    step = models.CharField(max_length=40, help_text="The adjudication step whose rule was judged.")
    number = models.PositiveIntegerField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    reads = models.JSONField(help_text="Task and entry of every compared read, by slot.")
    decided_by = models.CharField(
        max_length=120, blank=True, help_text="Who decided what the rule could not."
    )
    reason = models.CharField(max_length=400, blank=True)
    judged_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["space_id", "unit", "step", "number"], name="discrepancy_once"),
        )
