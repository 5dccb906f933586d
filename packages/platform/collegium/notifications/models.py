"""What a person was told, and whether by e-mail too. Nobody but that person ever reads these rows."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from collegium.kit.rls import Row, SpaceRow


class NotificationKind(models.TextChoices):
    """Everything that can be told. Each kind has its words in `words`, which name no subject."""

    TASK_OPENED = "task_opened"
    ADJUDICATION_OPENED = "adjudication_opened"
    QUERY_OPENED = "query_opened"
    QUERY_ANSWERED = "query_answered"
    CORRECTION_ASKED = "correction_asked"
    READ_SUPERSEDED = "read_superseded"
    UNBLINDING_ASKED = "unblinding_asked"
    UNBLINDING_DECIDED = "unblinding_decided"
    EXAM_UNPLACED = "exam_unplaced"
    VISIT_LATE = "visit_late"
    TASK_WITHOUT_PERSON = "task_without_person"
    GATEWAY_ALARM = "gateway_alarm"


class Notification(SpaceRow):
    """One thing told to one person. Rows are only added, and grouped when shown: telling never waits."""

    person = models.UUIDField(editable=False)
    kind = models.CharField(max_length=30, help_text="A `NotificationKind`.")
    address = models.CharField(max_length=200, blank=True, help_text="Path on this server where it waits.")
    about = models.UUIDField(null=True, editable=False, help_text="Random id of what waits.")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    seen_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True, help_text="When it stood in an e-mail.")
    done_at = models.DateTimeField(null=True, help_text="When it waited no more.")

    class Meta:
        indexes = (
            models.Index(fields=["person", "-id"], name="notification_person"),
            models.Index(fields=["person"], condition=models.Q(seen_at=None), name="notification_waits"),
            models.Index(fields=["about"], condition=models.Q(done_at=None), name="notification_about"),
        )


class MailChoice(Row):
    """A person who wants no e-mail, or wants it again. Without a row: e-mail is on."""

    person = models.UUIDField(unique=True, editable=False)
    wants_mail = models.BooleanField(default=True)
