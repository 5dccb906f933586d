"""The unit of isolation (Space), its owner (Organisation), its people (Membership), its exceptions (Share)."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

from collegium.kit.rls import Row, SpaceRow


class Organisation(Row):
    """A legal customer. Its officers may found spaces; seeing into one needs a membership."""

    name = models.CharField(max_length=200, unique=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)


class OrganisationKey(Row):
    """A key for the organisation's objects, under the installation's root key."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    wrapped = models.BinaryField(
        help_text="Nonce and AES-256-GCM of the 32-byte key, bound to this row's id."
    )
    created_at = models.DateTimeField(db_default=Now(), editable=False)


class Officer(Row):
    """A principal who administers an organisation."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    principal = models.CharField(max_length=120)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["organisation", "principal"], name="officer_once"),)


class SpaceKind(models.TextChoices):
    """What a space is for."""

    PROJECT = "project"
    LIBRARY = "library"
    GROUP = "group"


class Space(Row):
    """The unit of isolation, membership, roles, audit chain and metering."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT)
    kind = models.CharField(max_length=20, choices=SpaceKind.choices)
    name = models.CharField(max_length=200)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = (
            models.UniqueConstraint(fields=["organisation", "kind", "name"], name="space_name_once"),
        )


class Role(SpaceRow):
    """A named set of permissions in one space; seeded, then the space's own."""

    name = models.CharField(max_length=60)
    permissions = ArrayField(models.CharField(max_length=80))
    seeded = ArrayField(
        models.CharField(max_length=80), null=True,
        help_text="What a release gave it; empty: the space made the role itself.",
    )  # fmt: skip

    class Meta:
        constraints = (models.UniqueConstraint(fields=["space_id", "name"], name="role_name_once"),)


class Membership(SpaceRow):
    """A principal's place in a space. Ended, never removed: who could see what on a past date stays known."""

    principal = models.CharField(max_length=120)
    role = models.ForeignKey(Role, on_delete=models.PROTECT)
    since = models.DateTimeField(db_default=Now(), editable=False)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["space_id", "principal"],
                condition=models.Q(ended_at=None),
                name="membership_live_once",
            ),
        )
        indexes = (models.Index(fields=["principal"], name="membership_principal"),)


class ShareTo(models.TextChoices):
    """Whom a share names."""

    PRINCIPAL = "principal"
    SPACE = "space"
    VERIFIED = "verified"
    LINK = "link"


class Share(SpaceRow):
    """One object made visible beyond its space: to a principal, a space, all verified people, or a link."""

    kind = models.CharField(max_length=60, help_text="`room.thing` of the shared object.")
    object_id = models.UUIDField()
    to = models.CharField(max_length=20, choices=ShareTo.choices)
    grantee = models.CharField(
        max_length=120, blank=True, help_text="Principal text or space id; empty for verified."
    )
    starts_at = models.DateTimeField(db_default=Now())
    ends_at = models.DateTimeField(null=True)
    withdrawn_at = models.DateTimeField(null=True)

    class Meta:
        indexes = (models.Index(fields=["kind", "grantee"], name="share_grantee"),)
