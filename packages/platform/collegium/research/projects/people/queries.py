"""Read who belongs to which site, and who may not read which subject."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from django.db.models import Q

from collegium.research.projects.models import Conflict, SiteMember
from collegium.research.projects.people.barriers import barrier

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import QuerySet

    from collegium.kit.principals import Actor
    from collegium.research.projects.models import Site, Subject


def site_members(actor: Actor) -> QuerySet[SiteMember]:
    """Live places at sites of the actor's project, by site code."""
    rows = SiteMember.objects.filter(space_id=actor.space, ended_at=None)
    return rows.select_related("site").order_by("site__code", "id")


def sites_of(actor: Actor) -> dict[str, set[UUID]]:
    """Site ids by principal text, for everybody in the actor's project who belongs to a site."""
    found: dict[str, set[UUID]] = defaultdict(set)
    for row in site_members(actor):
        found[row.principal].add(row.site_id)
    return dict(found)


def own_sites(actor: Actor) -> list[Site]:
    """The sites the actor belongs to, by code; a job has those of whom it acts for."""
    return [row.site for row in site_members(actor).filter(principal=actor.principal.behalf.text)]


def is_at_site(actor: Actor, site_id: UUID | None) -> bool:
    """Whether the actor belongs to this site; nobody belongs to no site."""
    return site_id is not None and site_id in {site.id for site in own_sites(actor)}


def live_conflicts(actor: Actor) -> QuerySet[Conflict]:
    """Declared and not withdrawn conflicts of the actor's project, in order of declaration."""
    rows = Conflict.objects.filter(space_id=actor.space, withdrawn_at=None)
    return rows.select_related("site", "subject").order_by("declared_at", "id")


def conflict_of(actor: Actor, principal: str, subject: Subject) -> str:
    """Why this principal (its text) may not read this subject: a `Barrier`; empty when they may."""
    return conflicts_of(actor, subject).get(principal, "")


def conflicts_of(actor: Actor, subject: Subject) -> dict[str, str]:
    """A `Barrier` by principal text, for everybody who may not read this subject. Two queries at most."""
    own: dict[str, set[UUID]] = defaultdict(set)
    places = SiteMember.objects.filter(space_id=actor.space, ended_at=None)
    for row in places.filter(site_id=subject.site_id) if subject.site_id else places:
        own[row.principal].add(row.site_id)
    sites: dict[str, set[UUID]] = defaultdict(set)
    subjects: dict[str, set[UUID]] = defaultdict(set)
    about = Q(subject_id=subject.id)
    about |= Q(site_id=subject.site_id) if subject.site_id else Q(site_id__isnull=False)
    for conflict in Conflict.objects.filter(about, space_id=actor.space, withdrawn_at=None):
        if conflict.site_id:
            sites[conflict.principal].add(conflict.site_id)
        if conflict.subject_id:
            subjects[conflict.principal].add(conflict.subject_id)
    return {
        who: barrier(
            subject.id,
            subject.site_id,
            own_sites=own[who],
            declared_sites=sites[who],
            declared_subjects=subjects[who],
        ).value
        for who in {*own, *sites, *subjects}
    }
