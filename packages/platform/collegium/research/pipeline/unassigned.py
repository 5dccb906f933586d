"""Say when a task waits because nobody is left who may have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse

from collegium.kit.principals import Principal
from collegium.notifications.models import NotificationKind
from collegium.notifications.services import tell, withdraw
from collegium.trust.access.permissions import Permission
from collegium.trust.tenancy.queries import members_who_may

if TYPE_CHECKING:
    from collegium.kit.principals import Actor
    from collegium.research.pipeline.models import Task


def tell_if_nobody(actor: Actor, task: Task) -> None:
    """Tell everybody who manages tasks, once for a task; they join people to the project or give it by hand."""
    if task.assignee:
        return
    for person in sorted(members_who_may(actor, Permission.TASK_MANAGE)):
        tell(
            actor, to=Principal.parse(person), kind=NotificationKind.TASK_WITHOUT_PERSON,
            address=reverse("project-tasks", args=[actor.space]), about=task.id,
        )  # fmt: skip


def has_somebody(actor: Actor, task: Task) -> None:
    """What was told about a task without a person is done."""
    withdraw(actor, about=task.id, kinds=[NotificationKind.TASK_WITHOUT_PERSON])
