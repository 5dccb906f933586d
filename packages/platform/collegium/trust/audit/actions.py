"""Every act that leaves an entry: a closed list, `area.thing.done`."""

from __future__ import annotations

from enum import StrEnum


class Action(StrEnum):
    """What was done. A member is added with the service that records it, never renamed."""

    SIGNED_IN = "identity.account.signed_in"
    SIGNED_OUT = "identity.account.signed_out"
    SIGN_IN_FAILED = "identity.account.sign_in_failed"
    ACCOUNT_LOCKED = "identity.account.locked"
    ACCOUNT_CREATED = "identity.account.created"
    PASSWORD_CHANGED = "identity.account.password_changed"  # noqa: S105  an action's name, not a password
    ORGANISATION_CREATED = "tenancy.organisation.created"
    SPACE_CREATED = "tenancy.space.created"
    MEMBER_ADDED = "tenancy.membership.added"
    MEMBER_REMOVED = "tenancy.membership.removed"
    SHARED = "tenancy.share.granted"
    SHARE_WITHDRAWN = "tenancy.share.withdrawn"
    ACT_REFUSED = "access.act.refused"
    GATEWAY_ADDED = "connections.gateway.added"
    GATEWAY_CODE_ISSUED = "connections.gateway.code_issued"
    GATEWAY_ENROLLED = "connections.gateway.enrolled"
    GATEWAY_REVOKED = "connections.gateway.revoked"
    CHANNEL_ADDED = "connections.channel.added"
    DELIVERY_OPENED = "ingest.delivery.opened"
    DELIVERY_COMPLETED = "ingest.delivery.completed"
    HELD_DECIDED = "ingest.held.decided"
    EXAM_RECEIVED = "archive.exam.received"
    EXAM_EXTENDED = "archive.exam.extended"
    GRANT_ISSUED = "grants.grant.issued"
    GRANT_REVOKED = "grants.grant.revoked"
    SERIES_OPENED = "dicomweb.series.opened"
    MARK_SAVED = "marks.mark.saved"
    MARK_STRUCK = "marks.mark.struck"
