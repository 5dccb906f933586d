"""A hospital's gateway, the code that lets it in once, its channels, and what it tells of itself."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from collegium.kit.rls import SpaceRow
from collegium_wire import NO_ENTRY, PROTOCOL, Allocation, Unmet


class Gateway(SpaceRow):
    """A gateway, known by the digest of its token. What it last told of itself stands beside."""

    name = models.CharField(max_length=100)
    token_digest = models.BinaryField(max_length=32, null=True, unique=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    enrolled_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    software = models.CharField(max_length=100, blank=True)
    protocol = models.PositiveSmallIntegerField(default=PROTOCOL, help_text="The newest that it speaks.")
    pinned_software = models.CharField(
        max_length=20, blank=True, help_text="The version it shall not be updated beyond; empty: none."
    )
    last_seen_at = models.DateTimeField(null=True)
    last_success_at = models.DateTimeField(null=True)
    queue_objects = models.BigIntegerField(default=0)
    queue_bytes = models.BigIntegerField(default=0)
    failures = models.BigIntegerField(default=0)
    rate_in_mbps = models.FloatField(default=0)
    rate_out_mbps = models.FloatField(default=0)
    disk_free_bytes = models.BigIntegerField(default=0)
    trail_part = models.PositiveIntegerField(
        default=1,
        help_text="Grows with each enrolment: a gateway that is enrolled anew tells its trail anew.",
    )
    trail_seq = models.BigIntegerField(default=0, help_text="The highest entry that is kept of this part.")
    trail_hash = models.CharField(max_length=64, default=NO_ENTRY)
    trail_broken_at = models.DateTimeField(
        null=True, help_text="When entries came that do not follow those that are kept."
    )
    runs = ArrayField(
        models.CharField(max_length=64),
        default=list,
        help_text="The starts of the program that were heard, each once, the last one first; a few.",
    )
    shared_since = models.DateTimeField(null=True, help_text="When that was first heard.")
    shared_at = models.DateTimeField(
        null=True, help_text="When a start was last heard that another had followed already."
    )

    class Meta:
        constraints = (models.UniqueConstraint(fields=["space_id", "name"], name="gateway_name_once"),)


class EnrolmentCode(SpaceRow):
    """Lets one gateway in, once. The code is shown once and kept as a digest."""

    gateway = models.ForeignKey(Gateway, on_delete=models.PROTECT)
    digest = models.BinaryField(max_length=32, unique=True)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    recorded_at = models.DateTimeField(
        null=True, help_text="When the enrolment with it was audited, which is done once."
    )


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
    version = models.PositiveIntegerField(default=1)
    accepts_from = models.PositiveIntegerField(
        default=1, help_text="What was cleaned with the recipe of an earlier version is refused."
    )
    allocation = models.CharField(
        max_length=10,
        choices=[(one.value, one.value) for one in Allocation],
        default=Allocation.AUTOMATIC.value,
    )
    storage_classes = ArrayField(
        models.CharField(max_length=64), default=list, help_text="Empty: all of them."
    )
    send_window = models.CharField(max_length=11, blank=True, help_text="Such as 19:00-06:00; empty: always.")
    max_mbps = models.PositiveIntegerField(default=0, help_text="0: no limit.")
    compress = models.BooleanField(default=False)
    storage_commitment = models.BooleanField(default=False)
    retention_days = models.PositiveIntegerField(default=0)
    attempts_limit = models.PositiveIntegerField(default=100, help_text="0: no limit.")
    when_unmet = models.CharField(
        max_length=10,
        choices=[(one.value, one.value) for one in Unmet],
        default=Unmet.TELL.value,
        help_text="What becomes of an exam that does not meet the project's acquisition requirements.",
    )
    selected_only = models.BooleanField(
        default=False, help_text="Only objects that an IHE TCE manifest names are sent."
    )
    queue_objects = models.BigIntegerField(default=0)
    quarantined_objects = models.BigIntegerField(default=0)
    told_failures = models.BigIntegerField(default=0)
    last_received_at = models.DateTimeField(null=True)
    last_success_at = models.DateTimeField(null=True)
    tested_at = models.DateTimeField(null=True, help_text="When a test of the whole way was receipted last.")
    tested_s = models.FloatField(default=0, help_text="How long it took here.")
    told_setup_digest = models.CharField(max_length=64, blank=True)
    told_recipe = models.CharField(
        max_length=64, blank=True, help_text="Digest of the recipe that is applied."
    )
    told_waiting = models.CharField(
        max_length=64, blank=True, help_text="Digest of a recipe that the site has not confirmed."
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["space_id", "gateway", "called_ae"], name="channel_ae_once"),
        )


class ProjectRequirements(SpaceRow):
    """What the project asks of the acquisition of exams, as its file said last. Every channel of it is told."""

    text = models.TextField(help_text="The wire's message.")

    class Meta:
        constraints = (models.UniqueConstraint(fields=["space_id"], name="project_requirements_once"),)


class ChannelVersion(SpaceRow):
    """A channel as it was told from then on. Never changed: objects are judged by the recipe they were cleaned with."""

    channel = models.ForeignKey(Channel, on_delete=models.PROTECT)
    version = models.PositiveIntegerField()
    setup_text = models.TextField(help_text="The wire's message.")
    setup_digest = models.CharField(max_length=64)
    first_digest = models.CharField(
        max_length=64, blank=True, help_text="Of what a gateway is told that speaks the first protocol."
    )
    recipe_digest = models.CharField(max_length=64)
    at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["space_id", "channel", "version"], name="channel_version_once"),
        )


class GatewayAlarm(SpaceRow):
    """Something that a person should look at, from when it was told until it was told no more. One row a code."""

    gateway = models.ForeignKey(Gateway, on_delete=models.PROTECT)
    channel = models.ForeignKey(Channel, on_delete=models.PROTECT, null=True)
    code = models.CharField(max_length=100)
    message = models.CharField(max_length=500)
    since = models.DateTimeField()
    told_at = models.DateTimeField(help_text="When it was last told, or seen by the server itself.")
    ended_at = models.DateTimeField(null=True)
    is_announced = models.BooleanField(default=False, help_text="People were told since it came up.")
    announced_at = models.DateTimeField(null=True, help_text="When people were last told.")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["space_id", "gateway", "channel", "code"],
                nulls_distinct=False,
                name="gateway_alarm_once",
            ),
        )


class GatewayTrailEntry(SpaceRow):
    """What a gateway told of an entry of its own trail. Only added: its head is kept here, out of the site's reach."""

    gateway = models.ForeignKey(Gateway, on_delete=models.PROTECT)
    part = models.PositiveIntegerField()
    seq = models.BigIntegerField()
    at = models.DateTimeField(help_text="By the gateway's clock.")
    action = models.CharField(max_length=100)
    actor_role = models.CharField(max_length=100)
    channel_id = models.UUIDField(null=True)
    hash = models.CharField(max_length=64)
    received_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["space_id", "gateway", "part", "seq"], name="gateway_trail_entry_once"
            ),
        )
