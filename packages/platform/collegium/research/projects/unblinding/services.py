"""Ask to unblind, decide, withdraw. What an approval opens, the rooms above read from `queries`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import IntegrityError, transaction
from django.urls import reverse

from collegium.kit import clock
from collegium.kit.canonical import digest
from collegium.kit.principals import Principal
from collegium.notifications.services import NotificationKind, tell, withdraw
from collegium.research.projects.errors import (
    AlreadyAsked,
    AlreadyDecided,
    AlreadyUnblinded,
    NotYourRequest,
    OwnRequest,
    OwnTask,
    ReasonNeeded,
)
from collegium.research.projects.models import Unblinding
from collegium.research.projects.unblinding import queries
from collegium.research.projects.unblinding.record import APPROVES, KIND, REFUSES, VERSION, record_of
from collegium.trust.access.policies import Permission, require
from collegium.trust.audit.actions import Action
from collegium.trust.audit.services import record, record_apart
from collegium.trust.signatures.services import sign

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from collegium.kit.principals import Actor

REASON_LENGTH = 400


def ask_unblinding(
    *, actor: Actor, scope: Unblinding.Scope, reason: str, object_id: str = "", person: str = ""
) -> Unblinding:
    """Ask that one task be unblinded for the person who has it, or that the final results be opened.

    Args:
        actor: who asks; somebody else decides.
        scope: what is to be unblinded.
        reason: why, for those who decide and for the history.
        object_id: the task's id; its room has made sure that the project has it. Empty for results.
        person: principal text of who has the task. Empty for results.

    Raises:
        Refused: the role does not ask for this.
        OwnTask: it is the actor's own task.
        ReasonNeeded, AlreadyAsked, AlreadyUnblinded: nothing was asked.
    """
    require(actor, Permission.UNBLINDING_ASK)
    own = actor.principal.behalf.text
    if person == own:
        raise OwnTask
    why = _reason(reason)
    if any(
        queries.holds(one) and one.person == person for one in queries.requests_of(actor, scope, object_id)
    ):
        raise AlreadyUnblinded
    try:
        with transaction.atomic():
            request = Unblinding.objects.create(
                space_id=actor.space,
                scope=scope,
                object_id=object_id,
                person=person,
                reason=why,
                asked_by=own,
            )
    except IntegrityError:
        raise AlreadyAsked from None
    record(actor, Action.UNBLINDING_ASKED, KIND, request.id, new=_facts(request), reason=why)
    _tell(actor, request, queries.deciders(actor, request), NotificationKind.UNBLINDING_ASKED)
    return request


def decide_unblinding(
    *, actor: Actor, request_id: UUID, approve: bool, reason: str, password: str
) -> Unblinding:
    """Approve or refuse, under signature. Approved, it takes effect at once and cannot be taken back.

    Raises:
        Refused: the role does not decide.
        NotFound: the project has no such request.
        OwnRequest: the actor asked for it, whatever their role is now.
        OwnTask: it is about a task of the actor's own.
        AlreadyDecided, ReasonNeeded: nothing was decided.
        OnlyAPersonSigns, WrongPassword, AccountLocked: nothing was decided; a failed password counts.
    """
    require(actor, Permission.UNBLINDING_DECIDE)
    request = queries.locked(actor, request_id)
    own = actor.principal.behalf.text
    if own in (request.asked_by, request.person):
        record_apart(actor, Action.ACT_REFUSED, KIND, request.id, new={"space": str(actor.space_id)})
        raise OwnRequest if own == request.asked_by else OwnTask
    if request.state != Unblinding.State.ASKED:
        raise AlreadyDecided
    request.state = Unblinding.State.APPROVED if approve else Unblinding.State.REFUSED
    request.decided_by, request.decision_reason = own, _reason(reason)
    request.decided_at = clock.now()
    request.signature = sign(
        actor=actor, object_kind=KIND, object_id=request.id, object_version=VERSION,
        digest=digest(record_of(request)), meaning=APPROVES if approve else REFUSES, password=password,
    )  # fmt: skip
    request.save(update_fields=["state", "decided_by", "decision_reason", "decided_at", "signature"])
    record(
        actor,
        Action.UNBLINDING_APPROVED if approve else Action.UNBLINDING_REFUSED,
        KIND,
        request.id,
        new={**_facts(request), "signature": str(request.signature.id)},
        reason=request.decision_reason,
    )
    withdraw(actor, about=request.id, kinds=[NotificationKind.UNBLINDING_ASKED])
    _tell(actor, request, [request.asked_by], NotificationKind.UNBLINDING_DECIDED)
    return request


def withdraw_unblinding(*, actor: Actor, request_id: UUID, reason: str) -> Unblinding:
    """Take back a request that is not decided yet. Only who asked may.

    Raises:
        Refused: the role does not ask.
        NotFound: the project has no such request.
        NotYourRequest, AlreadyDecided, ReasonNeeded: nothing was withdrawn.
    """
    require(actor, Permission.UNBLINDING_ASK)
    request = queries.locked(actor, request_id)
    own = actor.principal.behalf.text
    if own != request.asked_by:
        raise NotYourRequest
    if request.state != Unblinding.State.ASKED:
        raise AlreadyDecided
    request.state = Unblinding.State.WITHDRAWN
    request.decided_by, request.decision_reason = own, _reason(reason)
    request.decided_at = clock.now()
    request.save(update_fields=["state", "decided_by", "decision_reason", "decided_at"])
    record(
        actor, Action.UNBLINDING_WITHDRAWN, KIND, request.id,
        new=_facts(request), reason=request.decision_reason,
    )  # fmt: skip
    withdraw(actor, about=request.id, kinds=[NotificationKind.UNBLINDING_ASKED])
    return request


def _facts(request: Unblinding) -> dict[str, object]:
    return {"object": request.object_id, "person": request.person, "scope": request.scope}


def _tell(actor: Actor, request: Unblinding, people: Iterable[str], kind: NotificationKind) -> None:
    address = reverse("unblinding", args=[actor.space])
    for text in sorted(people):
        tell(actor, to=Principal.parse(text), kind=kind, address=address, about=request.id)


def _reason(text: str) -> str:
    why = text.strip()
    if not why or len(why) > REASON_LENGTH:
        raise ReasonNeeded
    return why
