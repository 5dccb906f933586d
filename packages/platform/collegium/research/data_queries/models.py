"""Data queries and what was said in them."""

from __future__ import annotations

import uuid

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from collegium.kit import ids
from collegium.kit.rls import SpaceRow
from collegium.research.pipeline.models import Task
from collegium.research.projects.models import Subject, Visit


class QueryKind(models.TextChoices):
    SYSTEM = "system", _("Check")
    MANUAL = "manual", _("Person")


class QueryState(models.TextChoices):
    OPEN = "open", _("Open")
    ANSWERED = "answered", _("Answered")
    CLOSED = "closed", _("Closed")


class AskedOf(models.TextChoices):
    """Who is to answer. The two never see each other's queries."""

    PERSON = "person", _("The task's person")
    SITE = "site", _("The subject's site")


class DataQuery(SpaceRow):
    """A question about an answer, a task or a subject.

    The id is random: it stands in addresses that blinded readers see (R22).
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    listing = models.UUIDField(default=ids.uuid7, editable=False, help_text="Orders queries by birth.")
    subject = models.ForeignKey(Subject, on_delete=models.PROTECT)
    visit = models.ForeignKey(Visit, on_delete=models.PROTECT, null=True)
    task = models.ForeignKey(
        Task, on_delete=models.PROTECT, null=True, help_text="Empty when about a subject."
    )
    item = models.CharField(max_length=120, blank=True, help_text="Path of the answer; empty when about all.")
    kind = models.CharField(max_length=10, choices=QueryKind.choices)
    rule = models.CharField(max_length=80, blank=True, help_text="Which check failed, of a system query.")
    asked_of = models.CharField(max_length=10, choices=AskedOf.choices)
    state = models.CharField(max_length=10, choices=QueryState.choices, default=QueryState.OPEN)
    text = models.CharField(max_length=1000)
    opened_by = models.CharField(max_length=120, blank=True, help_text="Empty: the check itself.")
    opened_at = models.DateTimeField(db_default=Now(), editable=False)
    answered_at = models.DateTimeField(null=True)
    closed_at = models.DateTimeField(null=True)
    is_cured = models.BooleanField(default=False, help_text="The check has held again since it was opened.")

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["space_id", "task", "item", "rule"],
                condition=models.Q(kind="system", is_cured=False),
                name="data_query_system_once",
            ),
            models.CheckConstraint(
                condition=models.Q(asked_of="site") | models.Q(task__isnull=False),
                name="data_query_has_its_person",
            ),
        )
        indexes = (
            models.Index(fields=["space_id", "state", "listing"], name="data_query_state"),
            models.Index(fields=["task", "state"], name="data_query_task"),
        )


class Act(models.TextChoices):
    """What a message did to its query."""

    OPENED = "opened", _("asked")
    ANSWERED = "answered", _("answered")
    CLOSED = "closed", _("closed the query")
    REOPENED = "reopened", _("asked again")


class QueryMessage(SpaceRow):
    """One turn of the dialogue. Only ever added."""

    query = models.ForeignKey(DataQuery, on_delete=models.PROTECT, related_name="messages")
    act = models.CharField(max_length=10, choices=Act.choices)
    text = models.CharField(max_length=1000, blank=True)
    written_by = models.CharField(max_length=120, blank=True, help_text="Empty: the check itself.")
    written_at = models.DateTimeField(db_default=Now(), editable=False)
