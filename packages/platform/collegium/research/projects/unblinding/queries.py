"""Read requests to unblind, and what is unblinded: an approval counts only while its signature holds for its row."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import F

from collegium.kit.canonical import digest
from collegium.kit.errors import NotFound
from collegium.research.projects.models import Unblinding
from collegium.research.projects.unblinding.record import APPROVES, KIND, VERSION, record_of
from collegium.trust.access.permissions import Permission
from collegium.trust.access.queries import may
from collegium.trust.signatures.queries import Validity, verify
from collegium.trust.tenancy.queries import members_who_may

if TYPE_CHECKING:
    from uuid import UUID

    from django.db.models import QuerySet

    from collegium.kit.principals import Actor


def requests(actor: Actor) -> QuerySet[Unblinding]:
    """Every request of the actor's project: the open ones first, then the newest."""
    rows = Unblinding.objects.filter(space_id=actor.space).select_related("signature")
    return rows.order_by(F("decided_at").desc(nulls_first=True), "-id")


def requests_of(actor: Actor, scope: Unblinding.Scope, object_id: str = "") -> list[Unblinding]:
    """The requests about one thing, newest first."""
    rows = Unblinding.objects.filter(space_id=actor.space, scope=scope, object_id=object_id)
    return list(rows.select_related("signature").order_by("-id"))


def request(actor: Actor, request_id: UUID) -> Unblinding:
    """A request of the actor's project. Raises NotFound."""
    found = Unblinding.objects.filter(space_id=actor.space, id=request_id).first()
    if found is None:
        raise NotFound
    return found


def locked(actor: Actor, request_id: UUID) -> Unblinding:
    """A request of the actor's project, locked until the transaction ends. Raises NotFound."""
    rows = Unblinding.objects.select_for_update().filter(space_id=actor.space, id=request_id)
    found = rows.first()
    if found is None:
        raise NotFound
    return found


def may_see(actor: Actor) -> bool:
    """Whether the actor may know of requests: those who ask and those who decide."""
    return may(actor, Permission.UNBLINDING_ASK) or may(actor, Permission.UNBLINDING_DECIDE)


def deciders(actor: Actor, request: Unblinding) -> set[str]:
    """Principal texts of those who may decide: never who asked, never whose task it is."""
    return members_who_may(actor, Permission.UNBLINDING_DECIDE) - {request.asked_by, request.person}


def unblinded_task(actor: Actor, task_id: UUID, person: str) -> Unblinding | None:
    """The approval under which this person sees this task unblinded; None while it is blinded."""
    rows = _approved(actor).filter(scope=Unblinding.Scope.TASK, object_id=str(task_id), person=person)
    return next((row for row in rows if holds(row)), None)


def unblinded_tasks(actor: Actor) -> dict[tuple[str, str], Unblinding]:
    """The first approval that holds by task id and person, for all tasks of the project; one query."""
    rows = _approved(actor).filter(scope=Unblinding.Scope.TASK)
    found: dict[tuple[str, str], Unblinding] = {}
    for row in rows:
        if holds(row):
            found.setdefault((row.object_id, row.person), row)
    return found


def unblinded_results(actor: Actor) -> Unblinding | None:
    """The approval under which the final results are open; None while they are closed."""
    rows = _approved(actor).filter(scope=Unblinding.Scope.RESULTS)
    return next((row for row in rows if holds(row)), None)


def holds(request: Unblinding) -> bool:
    """Whether somebody other than the asker approved exactly what the row says now, and signed it."""
    signature = request.signature
    if request.state != Unblinding.State.APPROVED or signature is None or request.decided_at is None:
        return False
    is_of_this = (
        signature.object_kind, signature.object_id, signature.object_version, signature.space_id, signature.meaning,
    ) == (KIND, request.id, VERSION, request.space_id, APPROVES)  # fmt: skip
    is_by_another = signature.signer == request.decided_by not in (request.asked_by, request.person)
    return is_of_this and is_by_another and verify(signature, digest(record_of(request))) is Validity.VALID


def _approved(actor: Actor) -> QuerySet[Unblinding]:
    rows = Unblinding.objects.filter(space_id=actor.space, state=Unblinding.State.APPROVED)
    return rows.select_related("signature").order_by("decided_at", "id")
