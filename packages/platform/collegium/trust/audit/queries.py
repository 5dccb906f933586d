"""Read the trail: the history of one object, newest first."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Any

from django.db.models import Q

from collegium.trust.audit.consequences import windows
from collegium.trust.audit.models import AuditEntry

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime
    from uuid import UUID

    from collegium.kit.principals import Actor


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One entry as a person reads it."""

    id: UUID
    at: datetime
    principal: str
    role: str
    action: str
    object_kind: str
    object_id: str
    old: dict[str, Any] | None  # JSON as recorded
    new: dict[str, Any] | None  # JSON as recorded
    reason: str


def history(actor: Actor, object_kind: str, object_id: UUID | str, *, limit: int = 100) -> list[HistoryLine]:
    """What happened to one object, newest first; row security keeps other spaces out."""
    rows = AuditEntry.objects.filter(
        space_id=actor.space_id, object_kind=object_kind, object_id=str(object_id)
    )
    return [_line(row) for row in rows.order_by("-id")[:limit]]


def space_history(actor: Actor, *, before: UUID | None = None, limit: int = 100) -> list[HistoryLine]:
    """What happened in the actor's space, newest first, `before` an entry for the next page."""
    rows = AuditEntry.objects.filter(space_id=actor.space_id)
    if before:
        rows = rows.filter(id__lt=before)
    return [_line(row) for row in rows.order_by("-id")[:limit]]


def around(actor: Actor, lines: Iterable[HistoryLine]) -> list[HistoryLine]:
    """The actor's entries round those that can have followed by themselves: their causes are among them."""
    near = [Q(id__range=window) for window in windows(lines)]
    if not near:
        return []
    rows = AuditEntry.objects.filter(reduce(or_, near), chain=actor.chain, space_id=actor.space_id)
    return [_line(row) for row in rows.order_by("-id")[:_MOST_AROUND]]


_MOST_AROUND = 2000


def _line(row: AuditEntry) -> HistoryLine:
    body = json.loads(row.body)
    return HistoryLine(
        row.id, row.at, row.principal, body["role"], row.action, row.object_kind, row.object_id,
        body["old"], body["new"], body["reason"],
    )  # fmt: skip
