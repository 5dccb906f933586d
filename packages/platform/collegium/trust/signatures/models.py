"""Signatures. Rows are only ever added."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from collegium.kit.rls import SpaceRow


class Signature(SpaceRow):
    """One person's signature under one version of one record."""

    object_kind = models.CharField(max_length=60, help_text="`room.thing` of the signed record.")
    object_id = models.UUIDField()
    object_version = models.PositiveIntegerField()
    digest = models.CharField(max_length=64, help_text="SHA-256 of the record's canonical text.")
    signer = models.CharField(max_length=120, help_text="The principal that signed.")
    full_name = models.CharField(max_length=200, help_text="As it was at signing.")
    meaning = models.CharField(max_length=200)
    method = models.CharField(max_length=20, help_text="How the signer proved again who they are.")
    signed_at = models.DateTimeField(db_default=Now(), editable=False)
    seal = models.CharField(max_length=64, help_text="SHA-256 over all facts above; also in the audit entry.")

    class Meta:
        indexes = (
            models.Index(
                fields=["space_id", "object_kind", "object_id", "object_version"], name="signature_object"
            ),
        )
