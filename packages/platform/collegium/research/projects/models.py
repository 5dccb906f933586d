"""Published projects; their sites, subjects and visits; who belongs to a site, may not read what, is unblinded."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from collegium.kit.rls import SpaceRow
from collegium.trust.signatures.models import Signature


class ProjectVersion(SpaceRow):
    """A published set-up of the space's project: canonical text and digest. Never changed."""

    version = models.PositiveIntegerField()
    name = models.CharField(max_length=120)
    text = models.TextField(help_text="The project file in its canonical form.")
    digest = models.CharField(max_length=64, help_text="SHA-256 of the text.")
    forms = models.JSONField(help_text="Form version id by form name.")
    published_by = models.CharField(max_length=120)
    published_at = models.DateTimeField(db_default=Now(), editable=False)
    signature = models.ForeignKey(Signature, on_delete=models.PROTECT, null=True)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["space_id", "version"], name="project_version_once"),)


class Site(SpaceRow):
    """A place that sends subjects."""

    code = models.CharField(max_length=20)
    name = models.CharField(max_length=120)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["space_id", "code"], name="site_once"),)


class Subject(SpaceRow):
    """A coded person of the project."""

    code = models.CharField(max_length=64)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, null=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = (models.UniqueConstraint(fields=["space_id", "code"], name="subject_once"),)


class Visit(SpaceRow):
    """A planned contact that took place for a subject. `exam_date` is the first exam's, as the exam says it."""

    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, related_name="visits")
    code = models.CharField(max_length=20)
    exam_date = models.DateField(null=True)
    is_empty = models.BooleanField(
        default=False,
        db_default=False,
        help_text="Its only exam was taken out again: it has not taken place.",
    )

    class Meta:
        constraints = (models.UniqueConstraint(fields=["space_id", "subject", "code"], name="visit_once"),)


class SiteMember(SpaceRow):
    """A person's place at a site of the project. Ended, never removed: it decides who may read what."""

    principal = models.CharField(max_length=120)
    site = models.ForeignKey(Site, on_delete=models.PROTECT)
    since = models.DateTimeField(db_default=Now(), editable=False)
    ended_at = models.DateTimeField(null=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["space_id", "principal", "site"],
                condition=models.Q(ended_at=None),
                name="site_member_live_once",
            ),
        )


class Conflict(SpaceRow):
    """A declared conflict of interest: this person reads nothing of this site, or of this subject.

    Withdrawn, never removed.
    """

    principal = models.CharField(max_length=120)
    site = models.ForeignKey(Site, on_delete=models.PROTECT, null=True)
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT, null=True)
    reason = models.CharField(max_length=400)
    declared_by = models.CharField(max_length=120)
    declared_at = models.DateTimeField(db_default=Now(), editable=False)
    withdrawn_at = models.DateTimeField(null=True)
    withdrawn_by = models.CharField(max_length=120, blank=True)

    class Meta:
        constraints = (
            models.CheckConstraint(
                condition=models.Q(site=None) ^ models.Q(subject=None), name="conflict_about_one_thing"
            ),
            models.UniqueConstraint(
                fields=["space_id", "principal", "site"],
                condition=models.Q(withdrawn_at=None, subject=None),
                name="conflict_site_live_once",
            ),
            models.UniqueConstraint(
                fields=["space_id", "principal", "subject"],
                condition=models.Q(withdrawn_at=None, site=None),
                name="conflict_subject_live_once",
            ),
        )


class Unblinding(SpaceRow):
    """A request to unblind one task or the project's final results, and what was decided. Never removed.

    An approved row alone opens nothing: it counts while its signature holds for what it says (`unblinding.queries`).
    """

    class Scope(models.TextChoices):
        TASK = "task"
        RESULTS = "results"

    class State(models.TextChoices):
        ASKED = "asked"
        APPROVED = "approved"
        REFUSED = "refused"
        WITHDRAWN = "withdrawn"

    scope = models.CharField(max_length=10, choices=Scope.choices)
    object_id = models.CharField(max_length=64, blank=True, help_text="The task's id; empty for results.")
    person = models.CharField(
        max_length=120, blank=True, help_text="Who has the task when it is asked: nobody else is unblinded."
    )
    reason = models.CharField(max_length=400)
    asked_by = models.CharField(max_length=120)
    asked_at = models.DateTimeField(db_default=Now(), editable=False)
    state = models.CharField(max_length=10, choices=State.choices, default=State.ASKED)
    decided_by = models.CharField(max_length=120, blank=True, help_text="Who decided, or withdrew it.")
    decision_reason = models.CharField(max_length=400, blank=True)
    decided_at = models.DateTimeField(null=True)
    signature = models.ForeignKey(
        Signature, on_delete=models.PROTECT, null=True, help_text="Of the decision."
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["space_id", "scope", "object_id"],
                condition=models.Q(state="asked"),
                name="unblinding_open_once",
            ),
            models.CheckConstraint(
                condition=models.Q(scope="results", object_id="", person="")
                | (models.Q(scope="task") & ~models.Q(object_id="") & ~models.Q(person="")),
                name="unblinding_of_one_thing",
            ),
            models.CheckConstraint(
                condition=~models.Q(state__in=["approved", "refused"])
                | (models.Q(signature__isnull=False) & ~models.Q(decided_by=models.F("asked_by"))),
                name="unblinding_decided_by_another",
            ),
        )
