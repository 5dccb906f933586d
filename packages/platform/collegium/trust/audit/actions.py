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
