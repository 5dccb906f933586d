"""Publish a project file over a project at work: what its tasks and signed answers rest on has to stay."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import Count

from collegium.research.pipeline.models import Discrepancy, Task
from collegium.research.pipeline.states import LIVE
from collegium.research.projects import queries as projects
from collegium.research.projects.resting import InUse, StepInUse
from collegium.research.projects.services import publish_version

if TYPE_CHECKING:
    from uuid import UUID

    from collegium.kit.principals import Actor
    from collegium.research.projects.models import ProjectVersion


def publish_project(
    *, actor: Actor, text: str, password: str | None = None, expected_version: int | None = None
) -> ProjectVersion:
    """Freeze a project file as the project's next version; as `publish_version`, which says what can go wrong.

    Raises:
        StillInUse: the file leaves out, or renames, what live tasks or signed answers rest on.
    """
    return publish_version(
        actor=actor, text=text, password=password, expected_version=expected_version, in_use=in_use(actor)
    )


def in_use(actor: Actor) -> InUse:
    """What tasks that count rest on, and the steps whose reads were judged."""
    tasks = Task.objects.filter(space_id=actor.space, state__in=LIVE)
    counted: dict[tuple[UUID, str], int] = {}
    for version_id, step, number in (
        tasks.values_list("project_version_id", "step").annotate(number=Count("*")).order_by("step")
    ):
        counted[version_id, step] = number
    judged = Discrepancy.objects.filter(space_id=actor.space).values_list("unit__project_version_id", "step")
    for version_id, step, number in judged.annotate(number=Count("unit", distinct=True)).order_by("step"):
        counted.setdefault((version_id, step), number)
    versions = {version.id: projects.definition(version) for version in projects.versions(actor)}
    visits = tasks.exclude(unit__visit=None).values_list("unit__visit__code")
    return InUse(
        tuple(
            StepInUse(versions[version_id], step, number) for (version_id, step), number in counted.items()
        ),
        dict(visits.annotate(number=Count("*")).order_by("unit__visit__code")),
    )
