"""Read reads: the reader's own, and all for those who manage the project."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collegium.kit.errors import NotFound
from collegium.research.pipeline.states import TaskState
from collegium.research.reads.models import Read, ReadVersion, VersionState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from django.db.models import QuerySet

    from collegium.kit.principals import Actor
    from collegium.research.pipeline.models import Task

COUNTED = (TaskState.SIGNED, TaskState.IN_PROGRESS, TaskState.SUBMITTED)
_WITH = (
    "read__task__project_version",
    "read__unit__subject",
    "read__unit__visit",
    "entry__form_version",
    "signature",
)


def versions(actor: Actor, task: Task) -> list[ReadVersion]:
    """All versions of a task's read, newest first."""
    return list(_versions(actor).filter(read__task=task).order_by("-number"))


def newest_version(actor: Actor, task: Task) -> ReadVersion | None:
    return _versions(actor).filter(read__task=task).order_by("-number").first()


def version(actor: Actor, task: Task, number: int) -> ReadVersion:
    """One version of a task's read. Raises NotFound."""
    found = _versions(actor).filter(read__task=task, number=number).first()
    if found is None:
        raise NotFound
    return found


def locked_version(actor: Actor, task: Task) -> ReadVersion:
    """The newest version, its read and itself locked until the transaction ends. Raises NotFound."""
    Read.objects.select_for_update().filter(space_id=actor.space, task=task).first()
    found = (
        _versions(actor).select_for_update(of=("self",)).filter(read__task=task).order_by("-number").first()
    )
    if found is None:
        raise NotFound
    return found


def locked_draft(actor: Actor, task_id: UUID) -> ReadVersion:
    """The newest version of the actor's own read, locked, with no more than a save needs. Raises NotFound."""
    rows = ReadVersion.objects.filter(
        space_id=actor.space, read__task_id=task_id, read__task__assignee=actor.principal.text
    )
    found = (
        rows.select_related("read__task", "entry")
        .only(
            "state",
            "entry__form_version_id",
            "read__task__assignee",
            "read__task__state",
            "read__task__has_late_images",
        )
        .select_for_update(of=("self",))
        .order_by("-number")
        .first()
    )
    if found is None:
        raise NotFound
    return found


def signed_versions(actor: Actor) -> QuerySet[ReadVersion]:
    """The signed version of every read of the project that counts, oldest signature first.

    One that is being corrected counts until the next is signed; one whose task was cancelled or superseded does not.
    """
    rows = _versions(actor).filter(state=VersionState.SIGNED, read__task__state__in=COUNTED)
    return rows.order_by("signature__signed_at", "id")


def signed_of_task(actor: Actor, task_id: str, *, number: int | None = None) -> ReadVersion | None:
    """The signed version of a task's read, or the version of this number that was signed once."""
    rows = _versions(actor).filter(read__task_id=task_id)
    if number is not None:
        return rows.filter(number=number).first()
    return rows.filter(state=VersionState.SIGNED).first()


def were_opened(actor: Actor, task_ids: list[UUID], *, reader: str) -> bool:
    """Whether this reader has ever opened one of these tasks."""
    return Read.objects.filter(space_id=actor.space, task_id__in=task_ids, reader=reader).exists()


def tasks_of_reads(actor: Actor, read_ids: Iterable[str]) -> dict[UUID, UUID]:
    """The task of each of these reads, by id."""
    rows = Read.objects.filter(space_id=actor.space, id__in=list(read_ids))
    return dict(rows.values_list("id", "task_id"))


def tasks_of_versions(actor: Actor, version_ids: Iterable[str]) -> dict[UUID, UUID]:
    """The task of each of these versions, by id."""
    rows = ReadVersion.objects.filter(space_id=actor.space, id__in=list(version_ids))
    return dict(rows.values_list("id", "read__task_id"))


def _versions(actor: Actor) -> QuerySet[ReadVersion]:
    return ReadVersion.objects.filter(space_id=actor.space).select_related(*_WITH)
