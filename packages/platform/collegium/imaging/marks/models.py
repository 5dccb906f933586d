"""Marks and their saved geometries. A mark's state is that of its newest revision."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from collegium.kit.rls import SpaceRow


class Kind(models.TextChoices):
    """What was drawn."""

    LENGTH = "length"
    BIDIRECTIONAL = "bidirectional"
    """A longest diameter and the longest one perpendicular to it."""


class Mark(SpaceRow):
    """One drawn thing, with the id its client chose."""

    owner = models.CharField(max_length=120, help_text="What it was drawn for: the owner of the view grant.")
    grant_id = models.UUIDField(help_text="The view grant it was first drawn under.")
    kind = models.CharField(max_length=20, choices=Kind.choices)
    principal = models.CharField(max_length=120)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    revision = models.PositiveIntegerField(default=0)

    class Meta:
        indexes = (models.Index(fields=["space_id", "owner", "principal"], name="mark_owner"),)


class MarkRevision(SpaceRow):
    """One saved geometry. All UIDs are the archive's; the value is computed here."""

    mark = models.ForeignKey(Mark, on_delete=models.PROTECT, related_name="revisions")
    revision = models.PositiveIntegerField()
    op_id = models.UUIDField()
    is_struck = models.BooleanField(default=False)
    instance = models.ForeignKey("imaging_archive.Instance", on_delete=models.PROTECT)
    study_uid = models.CharField(max_length=64)
    series_uid = models.CharField(max_length=64)
    instance_uid = models.CharField(max_length=64)
    frame = models.PositiveIntegerField(default=1)
    frame_of_reference_uid = models.CharField(max_length=64, blank=True)
    points = ArrayField(
        models.DecimalField(max_digits=14, decimal_places=6),
        help_text="x, y, z, x, …; mm, LPS. Of two diameters the long one comes first.",
    )
    image_points = ArrayField(
        models.DecimalField(max_digits=14, decimal_places=6),
        help_text="column, row, column, …; 0 is the centre of the first pixel.",
    )
    label = models.CharField(max_length=64, blank=True)
    value = models.DecimalField(max_digits=14, decimal_places=4)
    short_value = models.DecimalField(
        max_digits=14, decimal_places=4, null=True, help_text="The short diameter, where there are two."
    )
    unit = models.CharField(max_length=10)
    principal = models.CharField(max_length=120)
    saved_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["space_id", "mark", "revision"], name="mark_revision_once"),
            models.UniqueConstraint(fields=["space_id", "mark", "op_id"], name="mark_op_once"),
        )
