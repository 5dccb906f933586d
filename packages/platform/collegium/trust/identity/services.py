"""Accounts, passwords and their attempts."""

from __future__ import annotations

import hmac
from datetime import timedelta
from typing import TYPE_CHECKING

from django.conf import settings
from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction

from collegium.kit import clock
from collegium.kit.database import SECOND
from collegium.kit.principals import Actor, Principal
from collegium.settings.installation import installation
from collegium.trust.audit.actions import Action
from collegium.trust.audit.services import record, record_apart
from collegium.trust.identity.errors import AccountLocked, AddressTaken, WrongPassword
from collegium.trust.identity.models import Account, SignInAttempt

if TYPE_CHECKING:
    from uuid import UUID


def create_account(*, actor: Actor, email: str, full_name: str, password: str | None) -> Account:
    """A new account; without a password the person cannot sign in until one is set.

    Raises:
        AddressTaken: the address belongs to an account.
    """
    address = email.strip().lower()
    if Account.objects.filter(email=address).exists():
        raise AddressTaken
    account = Account(email=address, full_name=full_name.strip(), password=make_password(password))
    account.save()
    record(
        actor, Action.ACCOUNT_CREATED, "identity.account", account.id, new={"full_name": account.full_name}
    )
    return account


def confirm_password(*, actor: Actor, account_id: UUID, password: str) -> Account:
    """Prove again who is there, as a signature asks (21 CFR 11.200); failures count towards the lock.

    Raises:
        AccountLocked: too many failures; the password was not even looked at.
        WrongPassword: it is not the password.
    """
    account = Account.objects.get(id=account_id, is_active=True)
    require_unlocked(account.email)
    if not check_password(password, account.password):
        note_attempt(account.email, succeeded=False, principal=actor.principal)
        raise WrongPassword
    note_attempt(account.email, succeeded=True, principal=actor.principal)
    return account


def require_unlocked(email: str) -> None:
    """Raises AccountLocked after too many failures since the last success within the lock's minutes."""
    if _recent_failures(email) >= installation().lockout_failures:
        raise AccountLocked


def note_attempt(email: str, *, succeeded: bool, principal: Principal) -> None:
    """Keep an attempt, on the second connection: it counts even when the request rolls back."""
    with transaction.atomic(using=SECOND):
        SignInAttempt.objects.using(SECOND).create(who=_who(email), succeeded=succeeded)
    if succeeded:
        return
    actor = Actor(principal)
    record_apart(actor, Action.SIGN_IN_FAILED, "identity.account", _who(email)[:16])
    if _recent_failures(email) == installation().lockout_failures:
        record_apart(actor, Action.ACCOUNT_LOCKED, "identity.account", _who(email)[:16])


def _recent_failures(email: str) -> int:
    since = clock.now() - timedelta(minutes=installation().lockout_minutes)
    tries = SignInAttempt.objects.using(SECOND).filter(who=_who(email), at__gte=since)
    last_success = tries.filter(succeeded=True).order_by("-at").values_list("at", flat=True).first()
    failures = tries.filter(succeeded=False)
    return (failures.filter(at__gt=last_success) if last_success else failures).count()


def _who(email: str) -> str:
    return hmac.digest(settings.SECRET_KEY.encode(), email.strip().lower().encode(), "sha256").hex()
