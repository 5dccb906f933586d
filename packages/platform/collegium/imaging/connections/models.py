"""A hospital's gateway, the code that lets it in once, and its channels."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from collegium.kit.rls import SpaceRow


class Gateway(SpaceRow):
    """A gateway, known by the digest of its token. What it last told of itself stands beside."""

    name = models.CharField(max_length=100)
    token_digest = models.BinaryField(max_length=32, null=True, unique=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    enrolled_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    software = models.CharField(max_length=100, blank=True)
    last_seen_at = models.DateTimeField(null=True)
    last_success_at = models.DateTimeField(null=True)
    queue_objects = models.BigIntegerField(default=0)
    queue_bytes = models.BigIntegerField(default=0)
    failures = models.BigIntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["space_id", "name"], name="gateway_name_once"),)


class EnrolmentCode(SpaceRow):
    """Lets one gateway in, once. The code is shown once and kept as a digest."""

    gateway = models.ForeignKey(Gateway, on_delete=models.PROTECT)
    digest = models.BinaryField(max_length=32, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)


class Channel(SpaceRow):
    """Binds what is sent to a called AE title to a site, a project and a recipe."""

    gateway = models.ForeignKey(Gateway, on_delete=models.PROTECT)
    name = models.CharField(max_length=100)
    called_ae = models.CharField(max_length=16)
    project_name = models.CharField(max_length=200)
    site_code = models.CharField(max_length=40)
    site_name = models.CharField(max_length=200)
    recipe_text = models.TextField()
    recipe_digest = models.CharField(max_length=64)
    quiet_time_s = models.PositiveIntegerField(default=60)
    is_on = models.BooleanField(default=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["space_id", "gateway", "called_ae"], name="channel_ae_once"),
        )
