"""The grant behind an id, as far as the principal may know of it."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from collegium.imaging.archive.attributes import fields
from collegium.imaging.archive.errors import ImageNotFound
from collegium.imaging.grants import uids
from collegium.imaging.grants.layers import Layer
from collegium.imaging.grants.models import GrantedSeries, Mode, ViewGrant
from collegium.kit import clock
from collegium.kit.database import acting_as
from collegium.kit.errors import NotFound
from collegium.kit.kept import Kept
from collegium.trust.access.queries import actor_in
from collegium.trust.tenancy.keys import key_by_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from uuid import UUID

    from collegium.kit.principals import Actor, Principal

KEPT_S = 5.0
"""How long a process relies on a decision before it asks the database again."""


@dataclass(frozen=True)
class LiveGrant:
    """A grant that holds now, for the principal it names, who still belongs to its space."""

    id: UUID
    actor: Actor
    label: str
    keywords: tuple[str, ...]
    fields: frozenset[str]
    mode: Mode
    uid_key: bytes
    series: tuple[tuple[UUID, int], ...]
    """Series and the revision each is seen at."""
    instances: frozenset[UUID] | None
    expires_at: datetime
    owner: str
    layers: tuple[Layer, ...] = ()
    """Marks of others that are shown beside the holder's own."""
    only_shown: frozenset[UUID] = frozenset()
    """Series of earlier timepoints: nothing is drawn on them."""

    def uid(self, archive_uid: str) -> str:
        """How this grant shows one of the archive's UIDs."""
        return uids.projected(self.uid_key, archive_uid)

    def mark_id(self, layer: Layer, mark_id: UUID) -> UUID:
        """How this grant shows the id of a mark in a layer."""
        return uids.projected_mark(self.uid_key, layer.name, mark_id)

    @property
    def uid_of(self) -> Callable[[str], str]:
        return partial(uids.projected, self.uid_key)


def live_grant(principal: Principal, grant_id: UUID) -> LiveGrant:
    """The grant, inside `acting_as` of its principal.

    Raises:
        ImageNotFound: no such grant, another's, ended, revoked, or its principal left the space.
    """
    row = ViewGrant.objects.filter(
        id=grant_id, principal=principal.behalf.text, revoked_at=None, expires_at__gt=clock.now()
    ).first()
    if row is None:
        raise ImageNotFound
    try:
        actor = actor_in(principal, row.space_id)
    except NotFound:
        raise ImageNotFound from None
    rows = GrantedSeries.objects.filter(space_id=row.space_id, grant=row).order_by("position")
    granted = list(rows.values_list("series_id", "revision", "is_drawn_on"))
    return LiveGrant(
        id=row.id,
        actor=actor,
        label=row.label,
        keywords=tuple(row.allow_fields),
        fields=fields(row.allow_fields),
        mode=Mode(row.mode),
        uid_key=unseal(row),
        series=tuple((series_id, revision) for series_id, revision, _ in granted),
        instances=None if row.instances is None else frozenset(row.instances),
        expires_at=row.expires_at,
        owner=row.owner,
        layers=tuple(Layer.from_json(body) for body in row.layers),
        only_shown=frozenset(series_id for series_id, _, is_drawn_on in granted if not is_drawn_on),
    )


def live_grants(actor: Actor, *, owner: str, principal: Principal | None = None) -> list[ViewGrant]:
    """Live grants one owner issued in the actor's space, newest first; those of one principal if given."""
    rows = ViewGrant.objects.filter(
        space_id=actor.space, owner=owner, revoked_at=None, expires_at__gt=clock.now()
    )
    if principal:
        rows = rows.filter(principal=principal.behalf.text)
    return list(rows.order_by("-id"))


def shown_by(grant: ViewGrant) -> list[tuple[UUID, int]]:
    """Series of a grant in its order, each with the revision it shows."""
    granted = GrantedSeries.objects.filter(space_id=grant.space_id, grant=grant).order_by("position")
    return list(granted.values_list("series_id", "revision"))


def only_shown_by(grant: ViewGrant) -> set[UUID]:
    """Series of a grant on which nothing is drawn."""
    rows = GrantedSeries.objects.filter(space_id=grant.space_id, grant=grant, is_drawn_on=False)
    return set(rows.values_list("series_id", flat=True))


def shown_mark(grant: ViewGrant, layer: str, mark_id: UUID) -> UUID:
    """The id by which the holder of a grant knows a mark of a layer: what the page asks the viewer to show."""
    return uids.projected_mark(unseal(grant), layer, mark_id)


def seal(key: bytes, secret: bytes, grant_id: UUID) -> bytes:
    """A UID key under an organisation's key, bound to its grant; a nonce stands before it."""
    nonce = secrets.token_bytes(12)
    return nonce + AESGCM(secret).encrypt(nonce, key, grant_id.bytes)


def unseal(row: ViewGrant) -> bytes:
    sealed = bytes(row.uid_key)
    return AESGCM(key_by_id(row.key_id).secret).decrypt(sealed[:12], sealed[12:], row.id.bytes)


GRANT = "grant"
"""What other processes are told to forget."""

_kept: Kept[tuple[str, UUID], LiveGrant] = Kept(KEPT_S)


def decide(principal: Principal, grant_id: UUID) -> LiveGrant:
    """`live_grant` in a transaction of its own, kept for 5 s. For the byte paths, outside `acting_as`."""
    key = (principal.text, grant_id)
    kept = _kept.get(key)
    if kept and kept.expires_at > clock.now():
        return kept
    mark = _kept.begin()
    with acting_as(principal):
        found = live_grant(principal, grant_id)
    _kept.keep(key, found, mark)
    return found


def forget(grant_id: UUID) -> None:
    """Drop what this process keeps of a grant."""
    _kept.drop(lambda key: key[1] == grant_id)


def forget_grant(text: str | None) -> None:
    """Drop a grant, or all, because another process says so."""
    _kept.drop(None if text is None else lambda key: str(key[1]) == text)


def forget_member(principal: str | None) -> None:
    """Drop every grant of somebody who left a space, or of all."""
    _kept.drop(None if principal is None else lambda key: key[0] == principal)
