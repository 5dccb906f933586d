"""Reads and their versions."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from collegium.forms.models import Entry
from collegium.kit.rls import SpaceRow
from collegium.research.pipeline.models import ReadingUnit, Task
from collegium.trust.signatures.models import Signature


class VersionState(models.TextChoices):
    DRAFT = "draft"
    SUBMITTED = "submitted"
    SIGNED = "signed"
    SUPERSEDED = "superseded"
    """A later version was signed; this one stays readable."""
    WITHDRAWN = "withdrawn"
    """Submitted, then corrected before it was signed."""


class Read(SpaceRow):
    """One reader's read of one reading unit. The answers are in its versions."""

    task = models.OneToOneField(Task, on_delete=models.PROTECT)
    unit = models.ForeignKey(ReadingUnit, on_delete=models.PROTECT)
    reader = models.CharField(max_length=120)
    created_at = models.DateTimeField(db_default=Now(), editable=False)


class ReadVersion(SpaceRow):
    """One version of a read. `record` is frozen when it is submitted."""

    read = models.ForeignKey(Read, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    state = models.CharField(max_length=20, choices=VersionState.choices, default=VersionState.DRAFT)
    entry = models.OneToOneField(Entry, on_delete=models.PROTECT)
    reason = models.CharField(max_length=400, blank=True, help_text="Why an earlier version was corrected.")
    shown = models.JSONField(default=list, help_text="Archive study UIDs that were shown, at submission.")
    settles = models.JSONField(
        default=dict, help_text="Of an adjudication: the versions shown as a and b, fixed at submission."
    )
    record = models.TextField(blank=True, help_text="Canonical JSON, frozen at submission.")
    digest = models.CharField(max_length=64, blank=True, help_text="SHA-256 of the record.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    submitted_at = models.DateTimeField(null=True)
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT, null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["space_id", "read", "number"], name="read_version_once"),
            models.UniqueConstraint(
                fields=["space_id", "read"],
                condition=models.Q(state__in=["draft", "submitted"]),
                name="read_version_open_once",
            ),
        )
