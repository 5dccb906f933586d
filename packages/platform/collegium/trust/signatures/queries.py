"""Read and verify signatures."""

from __future__ import annotations

import enum
import hmac
from typing import TYPE_CHECKING

from collegium.kit.canonical import canonical, digest
from collegium.trust.signatures.models import Signature

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from collegium.kit.principals import Actor


class Validity(enum.StrEnum):
    VALID = "valid"
    RECORD_CHANGED = "record_changed"
    """The record is not what was signed."""
    SIGNATURE_CHANGED = "signature_changed"
    """The signature's own facts are not what they were."""


def seal_of(signature: Signature) -> str:
    """One digest over who signed what, meaning what; the time is the database's and stands in the audit too."""
    return digest(
        canonical(
            {
                "digest": signature.digest,
                "full_name": signature.full_name,
                "id": str(signature.id),
                "meaning": signature.meaning,
                "method": signature.method,
                "object": [signature.object_kind, str(signature.object_id), signature.object_version],
                "signer": signature.signer,
                "space": str(signature.space_id),
            }
        )
    )


def verify(signature: Signature, current_digest: str) -> Validity:
    """Whether the signature still stands for a record whose digest is now `current_digest`."""
    if not hmac.compare_digest(seal_of(signature), signature.seal):
        return Validity.SIGNATURE_CHANGED
    if not hmac.compare_digest(signature.digest, current_digest):
        return Validity.RECORD_CHANGED
    return Validity.VALID


def by_id(actor: Actor, signature_ids: Iterable[UUID]) -> dict[UUID, Signature]:
    return {row.id: row for row in Signature.objects.filter(space_id=actor.space, id__in=set(signature_ids))}


def signatures_of(actor: Actor, object_kind: str, object_id: UUID) -> list[Signature]:
    """All signatures under a record, oldest first."""
    rows = Signature.objects.filter(space_id=actor.space, object_kind=object_kind, object_id=object_id)
    return list(rows.order_by("signed_at", "id"))
