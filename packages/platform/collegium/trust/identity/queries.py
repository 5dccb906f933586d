"""Who is behind a session: the one answer for pages and for the byte paths."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.contrib.auth import get_user
from django.contrib.sessions.backends.db import SessionStore

from collegium.trust.identity.models import Account

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from django.contrib.sessions.backends.base import SessionBase

    from collegium.kit.principals import Principal


@dataclass(frozen=True, slots=True)
class _WithSession:
    """As much of a request as Django's `get_user` reads."""

    session: SessionBase


def account_of(session: SessionBase) -> Account | None:
    """The active account of a live session whose password has not changed since; None otherwise."""
    account = get_user(_WithSession(session))  # type: ignore[arg-type]  # it reads request.session alone
    return account if isinstance(account, Account) and account.is_active else None


def principal_from_session(session_key: str | None) -> Principal | None:
    """The person behind a session cookie, or None. Expired and signed-out sessions are nobody."""
    if not session_key:
        return None
    account = account_of(SessionStore(session_key=session_key))
    return account.principal if account else None


def names(account_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Full names by account id, for lines of history and lists of members."""
    return dict(Account.objects.filter(id__in=set(account_ids)).values_list("id", "full_name"))


def addresses(account_ids: Iterable[UUID]) -> dict[UUID, str]:
    """E-mail addresses by account id, for those who manage people."""
    return dict(Account.objects.filter(id__in=set(account_ids)).values_list("id", "email"))


def mail_address(account_id: UUID) -> str:
    """Where an active account is written to; empty for one that left."""
    found = Account.objects.filter(id=account_id, is_active=True).values_list("email", flat=True).first()
    return found or ""


def account_by_email(email: str) -> Account | None:
    return Account.objects.filter(email=email.strip().lower()).first()


def accounts() -> list[Account]:
    """Everybody who may sign in, in order of their making: for checks of the whole installation."""
    return list(Account.objects.filter(is_active=True).order_by("id"))
