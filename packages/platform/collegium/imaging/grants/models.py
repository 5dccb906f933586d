"""Who may see which images, which fields of them, under which names, until when."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from collegium.kit.rls import SpaceRow


class Mode(models.TextChoices):
    """Whether marks may be drawn."""

    READ = "read"
    VIEW = "view"


class ViewGrant(SpaceRow):
    """The only door to images for a blinded task. A changed grant is a new grant."""

    organisation_id = models.UUIDField(editable=False)
    principal = models.CharField(max_length=120)
    label = models.CharField(max_length=64, help_text="What the viewer sees as the subject.")
    allow_fields = ArrayField(models.CharField(max_length=64), help_text="DICOM keywords beyond rendering.")
    mode = models.CharField(max_length=10, choices=Mode.choices)
    uid_key = models.BinaryField(help_text="32 random bytes, sealed with the organisation's key.")
    key_id = models.UUIDField(help_text="The organisation key that seals it.")
    instances = ArrayField(
        models.UUIDField(), null=True, help_text="Only these instances; null: all of the series."
    )
    layers = models.JSONField(
        default=list,
        db_default=models.Value([], models.JSONField()),
        help_text="Marks of others to show: name and (mark, revision) pairs, in order.",
    )
    owner = models.CharField(max_length=120, help_text="Who issued it and why; opaque here.")
    issued_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=["space_id", "owner"], name="grant_owner"),)


class GrantedSeries(SpaceRow):
    """A series of a grant, as it was at one revision: what comes later is not in it."""

    grant = models.ForeignKey(ViewGrant, on_delete=models.PROTECT, related_name="series")
    position = models.PositiveIntegerField(help_text="In the order the viewer lists them.")
    series = models.ForeignKey("imaging_archive.Series", on_delete=models.PROTECT)
    revision = models.PositiveIntegerField()
    is_drawn_on = models.BooleanField(
        default=True,
        db_default=True,
        help_text="Whether marks may be drawn on it: not on an earlier timepoint.",
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["space_id", "grant", "series"], name="granted_series_once"),
        )
