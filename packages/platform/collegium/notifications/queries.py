"""What a person was told, grouped: the same kind in the same project is one line until it is seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Case, Count, F, Max, Q, TextField, When
from django.db.models.functions import Cast, TruncDay

from collegium.notifications.models import MailChoice, Notification, NotificationKind

if TYPE_CHECKING:
    from datetime import datetime

    from django.db.models import QuerySet

    from collegium.kit.principals import Principal


@dataclass(frozen=True, slots=True)
class Line:
    """Notifications of one kind in one space that are new, or that were seen together."""

    id: UUID
    """Of the newest of them; lines are in its order."""
    space_id: UUID
    kind: NotificationKind
    count: int
    address: str
    """Where all of them wait; empty when they wait in different places."""
    at: datetime
    seen_at: datetime | None
    is_done: bool
    """It waits no more: somebody did it, or it was taken away."""


_SETTLED = Case(When(done_at__isnull=False, then=TruncDay("done_at")), default=F("seen_at"))
"""When a line left what is new: what was done on one day is one line."""


def lines(principal: Principal, *, after: UUID | None = None, limit: int = 50) -> list[Line]:
    """A person's notifications, newest first, from below `after`."""
    rows = (
        _of(principal)
        .annotate(settled=_SETTLED, is_done=Q(done_at__isnull=False))
        .values("space_id", "kind", "settled", "is_done")
        .annotate(
            newest=Max(Cast("id", TextField())),
            count=Count("id"),
            at=Max("created_at"),
            addresses=ArrayAgg("address", distinct=True),
        )
        .order_by("-newest")
    )
    if after:
        rows = rows.filter(newest__lt=str(after))
    return [
        Line(
            id=UUID(row["newest"]),
            space_id=row["space_id"],
            kind=NotificationKind(row["kind"]),
            count=row["count"],
            address=row["addresses"][0] if len(row["addresses"]) == 1 else "",
            at=row["at"],
            seen_at=row["settled"],
            is_done=row["is_done"],
        )
        for row in rows[:limit]
    ]


def waiting(principal: Principal, space_id: UUID, kind: NotificationKind) -> Line | None:
    """The line of one kind in one space that is still new."""
    found = [line for line in lines(principal, limit=500) if line.seen_at is None]
    return next((line for line in found if (line.space_id, line.kind) == (space_id, kind)), None)


def unseen_count(principal: Principal) -> int:
    return _of(principal).filter(seen_at=None).count()


def to_mail(principal: Principal, told_after: datetime) -> list[Notification]:
    """What was told since then, was not seen and stood in no e-mail."""
    rows = _of(principal).filter(seen_at=None, mailed_at=None, created_at__gt=told_after)
    return list(rows.order_by("space_id", "kind", "id"))


def wants_mail(principal: Principal) -> bool:
    return not MailChoice.objects.filter(Q(person=principal.behalf.id) & Q(wants_mail=False)).exists()


def _of(principal: Principal) -> QuerySet[Notification]:
    return Notification.objects.filter(person=principal.behalf.id)
