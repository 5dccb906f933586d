"""Give people their sites; declare and withdraw conflicts of interest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collegium.kit import clock
from collegium.kit.errors import NotFound
from collegium.research.projects.errors import (
    ConflictAboutNothing,
    NotOfTheProject,
    ReasonNeeded,
    SiteUnknown,
)
from collegium.research.projects.models import Conflict, Site, SiteMember, Subject
from collegium.trust.access.policies import Permission, require
from collegium.trust.audit.actions import Action
from collegium.trust.audit.services import record
from collegium.trust.tenancy.queries import is_member

if TYPE_CHECKING:
    from uuid import UUID

    from collegium.kit.principals import Actor, Principal

REASON_LENGTH = 400


def join_site(*, actor: Actor, principal: Principal, site_id: UUID) -> SiteMember:
    """Say that a member belongs to a site; again is the same.

    Raises:
        NotOfTheProject: they are no member of the project.
        SiteUnknown: the project has no such site.
    """
    require(actor, Permission.MEMBERS_MANAGE)
    _require_member(actor, principal)
    site = _site(actor, site_id)
    place, is_new = SiteMember.objects.get_or_create(
        space_id=actor.space, principal=principal.text, site=site, ended_at=None
    )
    if is_new:
        record(
            actor, Action.SITE_JOINED, "research.site", site.id,
            new={"principal": principal.text, "site": site.code},
        )  # fmt: skip
    return place


def leave_site(*, actor: Actor, principal: Principal, site_id: UUID, reason: str = "") -> None:
    """End a member's place at a site. The row stays.

    Raises:
        NotFound: they do not belong to it.
    """
    require(actor, Permission.MEMBERS_MANAGE)
    rows = SiteMember.objects.select_for_update(of=("self",)).select_related("site")
    place = rows.filter(
        space_id=actor.space, principal=principal.text, site_id=site_id, ended_at=None
    ).first()
    if place is None:
        raise NotFound
    place.ended_at = clock.now()
    place.save(update_fields=["ended_at"])
    record(
        actor, Action.SITE_LEFT, "research.site", place.site_id,
        old={"principal": principal.text, "site": place.site.code}, reason=reason,
    )  # fmt: skip


def declare_conflict(
    *,
    actor: Actor,
    principal: Principal,
    reason: str,
    site_id: UUID | None = None,
    subject_id: UUID | None = None,
) -> Conflict:
    """Keep a person from reading a subject, or everything of a site. Anybody may for themself. Again is the same.

    What they were given before stays with them until somebody takes it back.

    Raises:
        Refused: it is about somebody else, and the actor manages no members.
        ReasonNeeded, ConflictAboutNothing, NotOfTheProject, SiteUnknown, NotFound: nothing was declared.
    """
    if principal != actor.principal.behalf:
        require(actor, Permission.MEMBERS_MANAGE)
    why = _reason(reason)
    if (site_id is None) == (subject_id is None):
        raise ConflictAboutNothing
    _require_member(actor, principal)
    site = _site(actor, site_id) if site_id else None
    subject = _subject(actor, subject_id) if subject_id else None
    conflict, is_new = Conflict.objects.get_or_create(
        space_id=actor.space,
        principal=principal.text,
        site=site,
        subject=subject,
        withdrawn_at=None,
        defaults={"reason": why, "declared_by": actor.principal.text},
    )
    if is_new:
        record(
            actor, Action.CONFLICT_DECLARED, "research.conflict", conflict.id,
            new={"principal": principal.text, **_about(conflict)}, reason=why,
        )  # fmt: skip
    return conflict


def withdraw_conflict(*, actor: Actor, conflict_id: UUID, reason: str) -> None:
    """End a declared conflict; a manager's act, for a reader cannot give tasks to themself.

    Raises:
        NotFound: no live conflict of the project has this id.
        ReasonNeeded: nothing was withdrawn.
    """
    require(actor, Permission.MEMBERS_MANAGE)
    why = _reason(reason)
    rows = Conflict.objects.select_for_update(of=("self",)).select_related("site", "subject")
    conflict = rows.filter(space_id=actor.space, id=conflict_id, withdrawn_at=None).first()
    if conflict is None:
        raise NotFound
    conflict.withdrawn_at, conflict.withdrawn_by = clock.now(), actor.principal.text
    conflict.save(update_fields=["withdrawn_at", "withdrawn_by"])
    record(
        actor, Action.CONFLICT_WITHDRAWN, "research.conflict", conflict.id,
        old={"principal": conflict.principal, **_about(conflict)}, reason=why,
    )  # fmt: skip


def _require_member(actor: Actor, principal: Principal) -> None:
    if not is_member(actor, principal):
        raise NotOfTheProject


def _site(actor: Actor, site_id: UUID) -> Site:
    found = Site.objects.filter(space_id=actor.space, id=site_id).first()
    if found is None:
        raise SiteUnknown
    return found


def _subject(actor: Actor, subject_id: UUID) -> Subject:
    found = Subject.objects.filter(space_id=actor.space, id=subject_id).first()
    if found is None:
        raise NotFound
    return found


def _reason(text: str) -> str:
    why = text.strip()
    if not why or len(why) > REASON_LENGTH:
        raise ReasonNeeded
    return why


def _about(conflict: Conflict) -> dict[str, str]:
    if conflict.site:
        return {"site": conflict.site.code}
    return {"subject": conflict.subject.code if conflict.subject else ""}
