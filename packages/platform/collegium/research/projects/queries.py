"""Read a project's published set-up, its sites, subjects and visits."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models import Prefetch

from collegium.forms.definition import in_language
from collegium.kit.errors import NotFound
from collegium.research.projects.errors import NotPublished
from collegium.research.projects.models import ProjectVersion, Site, Subject, Visit
from collegium.research.projects.project_file import parse_project

if TYPE_CHECKING:
    from django.db.models import QuerySet

    from collegium.kit.principals import Actor
    from collegium.research.projects.definition import ProjectDefinition


def versions(actor: Actor) -> QuerySet[ProjectVersion]:
    """Published versions of the actor's project, newest first."""
    rows = ProjectVersion.objects.filter(space_id=actor.space)
    return rows.select_related("signature").order_by("-version")


def newest_version(actor: Actor) -> ProjectVersion | None:
    return versions(actor).first()


def current_version(actor: Actor) -> ProjectVersion:
    """The newest published version.

    Raises:
        NotPublished: there is none.
    """
    found = newest_version(actor)
    if found is None:
        raise NotPublished
    return found


@lru_cache(maxsize=64)
def _parsed(text: str) -> ProjectDefinition:
    return parse_project(text)


def definition(version: ProjectVersion) -> ProjectDefinition:
    """The set-up of a published version, read once a process."""
    return _parsed(version.text)


def visit_names(actor: Actor, language: str) -> dict[str, str]:
    """What the newest published version calls its visits, by code; empty before the first."""
    version = newest_version(actor)
    planned = definition(version).visits if version else ()
    return {visit.code: in_language(visit.label, language) for visit in planned}


def form_version_id(version: ProjectVersion, form: str) -> UUID:
    """The frozen form that a published version uses under this name."""
    return UUID(version.forms[form])


def sites(actor: Actor) -> list[Site]:
    return list(Site.objects.filter(space_id=actor.space).order_by("code"))


def subjects(actor: Actor) -> QuerySet[Subject]:
    """Subjects of the actor's project by code, with site and the visits that took place."""
    rows = Subject.objects.filter(space_id=actor.space).select_related("site")
    took_place = Prefetch("visits", Visit.objects.filter(is_empty=False))
    return rows.prefetch_related(took_place).order_by("code", "id")


def subject_by_code(actor: Actor, code: str) -> Subject | None:
    """One subject, locked until the transaction ends: whoever places an exam asks first."""
    return Subject.objects.select_for_update().filter(space_id=actor.space, code=code).first()


def locked_subject(actor: Actor, subject_id: UUID) -> Subject:
    """A subject, locked until the transaction ends: whoever moves its tasks takes turns. Raises NotFound."""
    rows = Subject.objects.filter(space_id=actor.space, id=subject_id).select_related("site")
    found = rows.select_for_update(of=("self",)).first()
    if found is None:
        raise NotFound
    return found


def visits_of(subject: Subject) -> list[Visit]:
    """The visits that took place."""
    return list(Visit.objects.filter(space_id=subject.space_id, subject=subject, is_empty=False))
