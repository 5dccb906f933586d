"""Sign a record's digest after asking again who is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collegium.kit.errors import Refused
from collegium.trust.audit.actions import Action
from collegium.trust.audit.services import record
from collegium.trust.identity.services import confirm_password
from collegium.trust.signatures.models import Signature
from collegium.trust.signatures.queries import seal_of

if TYPE_CHECKING:
    from uuid import UUID

    from collegium.kit.principals import Actor

PASSWORD = "password"  # noqa: S105  the name of the method, not a password


class OnlyAPersonSigns(Refused):
    code = "signatures.signer.not_a_person"
    message = "Only a person can sign, with their own password."


def sign(  # noqa: PLR0913  a signature names this much
    *,
    actor: Actor,
    object_kind: str,
    object_id: UUID,
    object_version: int,
    digest: str,
    meaning: str,
    password: str,
) -> Signature:
    """Bind the actor's name, the moment and the meaning to one digest.

    Raises:
        OnlyAPersonSigns: the actor is a gateway, a token, or a job.
        AccountLocked, WrongPassword: identity was not proven; the attempt is counted and nothing is signed.
    """
    if actor.principal.kind != "person" or actor.principal.job:
        raise OnlyAPersonSigns
    account = confirm_password(actor=actor, account_id=actor.principal.id, password=password)
    signature = Signature(
        space_id=actor.space,
        object_kind=object_kind,
        object_id=object_id,
        object_version=object_version,
        digest=digest,
        signer=actor.principal.text,
        full_name=account.full_name,
        meaning=meaning,
        method=PASSWORD,
    )
    signature.seal = seal_of(signature)
    signature.save()
    signature.refresh_from_db(fields=["signed_at"])
    record(
        actor, Action.RECORD_SIGNED, object_kind, object_id,
        new={
            "digest": digest,
            "meaning": meaning,
            "seal": signature.seal,
            "signature": str(signature.id),
            "version": object_version,
        },
    )  # fmt: skip
    return signature
