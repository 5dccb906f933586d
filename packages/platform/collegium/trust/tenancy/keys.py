"""Keys of organisations: made once, kept wrapped, unwrapped into memory only."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from collegium.kit import ids, keyring
from collegium.settings.installation import installation
from collegium.trust.tenancy.models import OrganisationKey

if TYPE_CHECKING:
    from uuid import UUID


@dataclass(frozen=True, slots=True)
class Key:
    """A clear organisation key (32 bytes) and the id that blob frames name."""

    id: UUID
    secret: bytes


@cache
def ring() -> keyring.Keyring:
    """The installation's key files, read once a process."""
    return keyring.load(installation().keys_dir)


def create_key(organisation_id: UUID) -> None:
    """A first key for a new organisation, in the running transaction."""
    key_id = ids.uuid7()
    wrapped = ring().wrap(secrets.token_bytes(32), key_id.bytes)
    OrganisationKey.objects.create(id=key_id, organisation_id=organisation_id, wrapped=wrapped)


@cache
def organisation_key(organisation_id: UUID) -> Key:
    """The organisation's newest key, for writing. Cached: keys never change, only new ones are added."""
    row = OrganisationKey.objects.filter(organisation_id=organisation_id).order_by("-id")[:1].get()
    return Key(row.id, ring().unwrap(bytes(row.wrapped), row.id.bytes))


@cache
def key_by_id(key_id: UUID) -> Key:
    """The key a blob frame names, for reading."""
    row = OrganisationKey.objects.get(id=key_id)
    return Key(row.id, ring().unwrap(bytes(row.wrapped), row.id.bytes))
