"""Accounts and what is known of attempts to sign in."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Now

from collegium.kit.principals import Principal
from collegium.kit.rls import Row


class AccountManager(BaseUserManager["Account"]):
    """Finds accounts by their e-mail address, whatever its case."""

    def get_by_natural_key(self, username: str | None) -> Account:
        return self.get(email=(username or "").strip().lower())


class Account(AbstractBaseUser, Row):
    """A person who may sign in. Leavers are deactivated, never removed: their history keeps its name."""

    email = models.EmailField(unique=True, help_text="Lower case.")
    full_name = models.CharField(max_length=200, help_text="As it stands in signatures.")
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    objects: ClassVar[AccountManager] = AccountManager()
    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = ["full_name"]

    def __str__(self) -> str:
        return self.full_name

    @property
    def principal(self) -> Principal:
        return Principal.person(self.id)

    def get_full_name(self) -> str:
        return self.full_name


class SignInAttempt(Row):
    """One try with a password. `who` is a keyed digest of the address typed, so unknown ones lock alike."""

    who = models.CharField(max_length=64)
    at = models.DateTimeField(db_default=Now(), editable=False)
    succeeded = models.BooleanField()

    class Meta:
        indexes = (models.Index(fields=["who", "at"], name="signin_attempt_who"),)
