"""Stored objects: sealed from the first byte, read by range.

`Blobs` is what rooms use; `stores` says where the bytes lie, `frame` in what form.
A key is `organisation/space/blob` and names nothing; the SHA-256 of the clear bytes
belongs into a column. Write the blob first, its row second: `listing` finds blobs
whose row never came.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from contextlib import suppress
from threading import Lock
from typing import TYPE_CHECKING

from collegium.kit import ids
from collegium.kit.blobs.errors import (
    BlobDamaged,
    BlobError,
    BlobMissing,
    BlobRange,
    BlobWrongKey,
    StorageFull,
)
from collegium.kit.blobs.frame import HEADER_BYTES, Header, Opener, Sealer, WrappingKey
from collegium.kit.blobs.stores import BlobStore, LocalStore, S3Store, StoredObject, checked_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self
    from uuid import UUID

    from collegium.kit.blobs.frame import Piece

__all__ = [
    "BlobDamaged",
    "BlobError",
    "BlobMissing",
    "BlobRange",
    "BlobStore",
    "BlobWriter",
    "BlobWrongKey",
    "Blobs",
    "LocalStore",
    "S3Store",
    "StorageFull",
    "StoredObject",
    "WrappingKey",
    "key_of",
]

_OPENERS_KEPT = 8192
"""Opened headers kept a process: about 1 KB each, saves one read a range."""


class BlobWriter:
    """One object on its way in: write pieces, then `finish`, or leave the block to undo all of it."""

    def __init__(self, key: str, store: BlobStore, wrapping: WrappingKey | None) -> None:
        self.key = key
        self.size_bytes = 0
        self._digest = hashlib.sha256()
        self._sink = store.create(key)
        self._open = True
        try:
            self._sealer = Sealer(wrapping, _blob_id(key), self._sink.write)
        except BaseException:
            self._sink.abort()
            raise

    def write(self, piece: Piece) -> None:
        view = memoryview(piece)
        self._digest.update(view)
        self._sealer.write(view)
        self.size_bytes += view.nbytes

    @property
    def sha256(self) -> str:
        """Hex digest of the clear bytes written so far."""
        return self._digest.hexdigest()

    def finish(self) -> str:
        """Make the object durable; returns the hex SHA-256 of its clear bytes."""
        self._sealer.finish()
        self._open = False
        self._sink.commit()
        return self.sha256

    def abort(self) -> None:
        """Leave nothing behind. After `finish` it does nothing."""
        if self._open:
            self._open = False
            self._sink.abort()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()


class Blobs:
    """Sealed objects of all organisations. Safe in threads."""

    def __init__(
        self,
        store: BlobStore,
        *,
        newest_key: Callable[[UUID], WrappingKey],
        key_by_id: Callable[[UUID], WrappingKey],
        encrypted: bool = True,
    ) -> None:
        """Use `store`.

        Args:
            store: where the bytes lie.
            newest_key: gives the wrapping key of an organisation, for writing.
            key_by_id: gives the key that a frame names, for reading.
            encrypted: False writes plain frames; what is there is read either way.
        """
        self.store = store
        self._newest_key = newest_key
        self._key_by_id = key_by_id
        self._encrypted = encrypted
        self._openers: OrderedDict[str, Opener] = OrderedDict()
        self._lock = Lock()

    def create(self, *, organisation_id: UUID, space_id: UUID) -> BlobWriter:
        """Begin a new object under a fresh key."""
        key = key_of(organisation_id, space_id, ids.uuid7())
        return BlobWriter(key, self.store, self._newest_key(organisation_id) if self._encrypted else None)

    def size(self, key: str) -> int:
        """Clear bytes of an object."""
        return self._opener(key).size

    def read(self, key: str, start: int, length: int) -> bytes | memoryview:
        """`length` clear bytes from `start`; only the chunks that hold them are read.

        Raises:
            BlobMissing, BlobDamaged, BlobWrongKey, BlobRange: see each.
        """
        opener = self._opener(key)
        offset, stored = opener.stored_range(start, length)
        return opener.open(start, length, self.store.read(key, offset, stored))

    def read_all(self, key: str) -> bytes | memoryview:
        """A whole object in memory: for small ones."""
        return self.read(key, 0, self.size(key))

    def delete(self, key: str) -> None:
        with self._lock, suppress(KeyError):
            del self._openers[key]
        self.store.delete(key)

    def _opener(self, key: str) -> Opener:
        with self._lock:
            known = self._openers.get(key)
            if known is not None:
                self._openers.move_to_end(key)
                return known
        raw, stored_bytes = self.store.begin(checked_key(key), HEADER_BYTES)
        header = Header.parse(raw)
        if header.blob_id != _blob_id(key):
            raise BlobDamaged  # another object's file under this key
        opener = Opener(header, stored_bytes, self._key_by_id)
        with self._lock:
            self._openers[key] = opener
            while len(self._openers) > _OPENERS_KEPT:
                self._openers.popitem(last=False)
        return opener


def key_of(organisation_id: UUID, space_id: UUID, blob_id: UUID) -> str:
    """The key of a blob; its form never changes."""
    return f"{organisation_id}/{space_id}/{blob_id}"


def _blob_id(key: str) -> UUID:
    found = ids.parse(key.rsplit("/", 1)[-1])
    if found is None:
        raise BlobMissing
    return found
