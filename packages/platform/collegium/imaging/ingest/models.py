"""Deliveries on their way in: the manifest, what of it is there, and the receipt."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from collegium.kit.rls import SpaceRow


class Source(models.TextChoices):
    """By which door a delivery came."""

    GATEWAY = "gateway"
    STOW = "stow"


class Delivery(SpaceRow):
    """One manifest and, once complete, its receipt."""

    delivery_id = models.UUIDField(help_text="The sender's id.")
    source = models.CharField(max_length=10, choices=Source.choices)
    principal = models.CharField(max_length=120)
    channel_id = models.UUIDField(null=True)
    recipe_digest = models.CharField(
        max_length=64, blank=True, default="", help_text="Of the recipe it was cleaned with."
    )
    study_uid = models.CharField(max_length=64)
    subject_code = models.CharField(max_length=64)
    is_supplement = models.BooleanField(default=False)
    is_test = models.BooleanField(
        default=False, help_text="Of a gateway's own invented picture, which is checked and forgotten."
    )
    manifest_text = models.TextField()
    manifest_digest = models.CharField(max_length=64)
    opened_at = models.DateTimeField(db_default=Now(), editable=False)
    completed_at = models.DateTimeField(null=True)
    exam = models.ForeignKey("imaging_archive.Exam", on_delete=models.PROTECT, null=True)
    receipt_text = models.TextField(blank=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["space_id", "delivery_id"], name="delivery_once"),)


class ObjectState(models.TextChoices):
    """Where one object of a manifest stands."""

    MISSING = "missing"
    RECEIVED = "received"
    STORED = "stored"
    DUPLICATE = "duplicate"
    HELD = "held"
    REFUSED = "refused"
    PROVEN = "proven"


class DeliveryObject(SpaceRow):
    """One object of a manifest. While received but not stored, what was read of it waits here."""

    delivery = models.ForeignKey(Delivery, on_delete=models.PROTECT, related_name="objects_of")
    position = models.PositiveIntegerField(help_text="In the manifest.")
    sop_instance_uid = models.CharField(max_length=64)
    sop_class_uid = models.CharField(max_length=64)
    transfer_syntax_uid = models.CharField(max_length=64)
    series_uid = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64)
    size_bytes = models.BigIntegerField()
    state = models.CharField(max_length=10, choices=ObjectState.choices, default=ObjectState.MISSING)
    code = models.CharField(max_length=80, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    blob = models.ForeignKey("imaging_archive.Blob", on_delete=models.PROTECT, null=True)
    document = models.TextField(blank=True, help_text="Instance metadata (DICOM JSON) until it is stored.")
    frame_table = models.BinaryField(default=bytes)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["space_id", "delivery", "sop_instance_uid"], name="object_once"),
            models.UniqueConstraint(fields=["space_id", "delivery", "sha256"], name="object_digest_once"),
        )
        indexes = (
            models.Index(
                fields=["space_id", "delivery"],
                condition=models.Q(state="held"),
                name="object_held",
            ),
        )
