"""Who places exams by hand and decides about visits that came late: of all sites, or of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.urls import reverse

from collegium.kit.errors import NotFound
from collegium.kit.principals import Principal
from collegium.notifications.services import tell
from collegium.research.projects.people import queries as people
from collegium.trust.access.policies import Permission, require
from collegium.trust.access.queries import may
from collegium.trust.tenancy.queries import members_who_may

if TYPE_CHECKING:
    from uuid import UUID

    from collegium.kit.principals import Actor
    from collegium.notifications.models import NotificationKind
    from collegium.research.projects.models import Subject


def require_placer(actor: Actor, subject: Subject | None) -> None:
    """Refuse who may not place exams of this subject: who sees no tasks of all sites places those of their own.

    Raises:
        Refused: the role places nothing.
        NotFound: a subject of another site, or of none.
    """
    require(actor, Permission.EXAM_PLACE)
    if may(actor, Permission.TASK_VIEW_ALL):
        return
    if subject is None or not people.is_at_site(actor, subject.site_id):
        raise NotFound


def tell_placers(actor: Actor, subject: Subject | None, kind: NotificationKind, *, about: UUID) -> None:
    """Tell everybody who may act that something waits. Names no subject."""
    sites, everywhere = people.sites_of(actor), members_who_may(actor, Permission.TASK_VIEW_ALL)
    for person in sorted(members_who_may(actor, Permission.EXAM_PLACE)):
        is_of_site = subject is not None and subject.site_id in sites.get(person, ())
        if person in everywhere or is_of_site:
            address = reverse("visits", args=[actor.space])
            tell(actor, to=Principal.parse(person), kind=kind, address=address, about=about)
