"""What a decision about unblinding signs: every fact of the request and of the decision, as canonical text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from collegium.kit.canonical import canonical

if TYPE_CHECKING:
    from collegium.research.projects.models import Unblinding

SCHEMA = "unblinding/1"
KIND = "research.unblinding"
VERSION = 1
"""A request is decided once; its signed record has no later version."""
APPROVES = "I approve that what this request names is unblinded."
REFUSES = "I refuse that what this request names is unblinded."


def record_of(request: Unblinding) -> str:
    """The record as the row says it now."""
    assert request.decided_at
    return canonical(
        {
            "asked_at": request.asked_at.isoformat(),
            "asked_by": request.asked_by,
            "decided_at": request.decided_at.isoformat(),
            "decided_by": request.decided_by,
            "decision": request.state,
            "decision_reason": request.decision_reason,
            "id": str(request.id),
            "object": request.object_id,
            "person": request.person,
            "reason": request.reason,
            "schema": SCHEMA,
            "scope": request.scope,
            "space": str(request.space_id),
        }
    )
