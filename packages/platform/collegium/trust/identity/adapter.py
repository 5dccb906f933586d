"""What allauth asks us: who may sign up (nobody uninvited), who is locked, what to record."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from allauth.account.adapter import DefaultAccountAdapter
from django.core.exceptions import ValidationError

from collegium.kit.principals import Actor, Principal
from collegium.trust.audit.actions import Action
from collegium.trust.audit.services import record_apart
from collegium.trust.identity import services
from collegium.trust.identity.errors import AccountLocked
from collegium.trust.identity.models import Account

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

    def login(self, request: HttpRequest, user: Account) -> None:
        super().login(request, user)
        services.note_attempt(user.email, succeeded=True, principal=user.principal)
        record_apart(Actor(user.principal), Action.SIGNED_IN, "identity.account", user.id)

    def logout(self, request: HttpRequest) -> None:
        if isinstance(request.user, Account):
            record_apart(
                Actor(request.user.principal), Action.SIGNED_OUT, "identity.account", request.user.id
            )
        super().logout(request)

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:  # noqa: ARG002  Any: allauth's
        services.note_attempt(credentials.get("email", ""), succeeded=False, principal=Principal.system())
