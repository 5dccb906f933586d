"""What the people of a site do to the list of subjects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collegium.kit.errors import NotFound
from collegium.research.pipeline.errors import SubjectCodeTaken
from collegium.research.pipeline.services import enrol_subject
from collegium.research.projects import queries as projects
from collegium.research.projects.people import queries as people
from collegium.trust.access.policies import Permission, require

if TYPE_CHECKING:
    from uuid import UUID

    from collegium.kit.principals import Actor
    from collegium.research.projects.models import Subject


def add_subject(*, actor: Actor, code: str, site_id: UUID) -> Subject:
    """List a subject at a site of the actor's own, and open what is asked about it before any image comes.

    Raises:
        NotFound: not a site of the actor's.
        SubjectCodeTaken: the project has this code, at whatever site.
        SubjectCodeInvalid, NotPublished: nothing was added.
    """
    require(actor, Permission.SUBJECT_ADD)
    site = next((one for one in people.own_sites(actor) if one.id == site_id), None)
    if site is None:
        raise NotFound
    if projects.subject_by_code(actor, code) is not None:
        raise SubjectCodeTaken
    return enrol_subject(actor=actor, code=code, site_code=site.code)
