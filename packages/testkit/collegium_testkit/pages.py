"""A browser without a screen: Django's own test client, signed in as an invented person."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from django.test import Client

    from collegium_testkit.world import Person


def client_of(person: Person) -> Client:
    """Signed in without typing the password: what is tested is what the pages show and refuse."""
    from django.test import Client

    from collegium.trust.identity.models import Account

    client = Client()
    client.force_login(
        Account.objects.get(id=person.principal.id), "allauth.account.auth_backends.AuthenticationBackend"
    )
    return client
