"""The installation's blob store, made once a process from its settings."""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from collegium.kit.blobs import Blobs, LocalStore, S3Store, StorageFull
from collegium.settings.installation import installation
from collegium.trust.tenancy.keys import key_by_id, organisation_key

if TYPE_CHECKING:
    from collegium.kit.blobs import BlobStore


@cache
def blobs() -> Blobs:
    """Where objects of this installation lie."""
    return Blobs(
        _store(),
        newest_key=organisation_key,
        key_by_id=key_by_id,
        encrypted=installation().encrypt_objects,
    )


def _store() -> BlobStore:
    settings = installation()
    if not settings.s3_url:
        return LocalStore(settings.objects_dir)
    place = urlsplit(settings.s3_url)
    return S3Store(
        place.netloc,
        prefix=place.path.strip("/"),
        endpoint=settings.s3_endpoint,
        access_key_id=os.environ.get("AWS_ACCESS_KEY_ID"),
        secret_access_key=os.environ.get("AWS_SECRET_ACCESS_KEY"),
        region=os.environ.get("AWS_REGION"),
    )


def require_room(size_bytes: int, *, used_bytes: int) -> None:
    """Raises StorageFull unless `size_bytes` more fit below the quota and leave the disk its reserve."""
    settings = installation()
    if settings.storage_quota_bytes and used_bytes + size_bytes > settings.storage_quota_bytes:
        raise StorageFull
    free = blobs().store.free_bytes()
    if free is not None and free - size_bytes < settings.storage_reserve_bytes:
        raise StorageFull
