"""What allauth asks us: who may sign up (nobody uninvited), who is locked, what to record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.adapter import DefaultAccountAdapter
from django.core.exceptions import ValidationError

from collegium.kit.principals import Principal
from collegium.trust.identity import services
from collegium.trust.identity.errors import AccountLocked

if TYPE_CHECKING:
    from django.http import HttpRequest


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth ships no types
    """Sign-in through allauth with our lock and our audit."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:  # noqa: ARG002  allauth's signature
        return False

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:  # noqa: ARG002  Any: allauth's
        try:
            services.require_unlocked(credentials.get("email", ""))
        except AccountLocked as locked:
            raise ValidationError(locked.text, code=locked.code) from locked

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:  # noqa: ARG002  Any: allauth's
        services.note_attempt(credentials.get("email", ""), succeeded=False, principal=Principal.system())
