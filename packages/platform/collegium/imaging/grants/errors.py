"""What can go wrong with view grants."""

from __future__ import annotations

from collegium.kit.errors import Invalid


class GrantInvalid(Invalid):
    code = "grants.grant.invalid"
    message = "This grant cannot be issued."
