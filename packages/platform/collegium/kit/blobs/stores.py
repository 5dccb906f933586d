"""Where stored objects lie: a folder of this machine, or a bucket.

A store moves bytes that are already framed; it knows nothing of keys. What `commit`
has returned for survives a power cut.
"""

from __future__ import annotations

import errno
import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol
from uuid import uuid4

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store as _Bucket

from collegium.kit.blobs.errors import BlobDamaged, BlobError, BlobMissing, StorageFull

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from collegium.kit.blobs.frame import Piece

_KEY = re.compile(r"[0-9a-f-]{36}/[0-9a-f-]{36}/[0-9a-f-]{36}")
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_DIRECTORY = getattr(os, "O_DIRECTORY", 0)


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object as the store lists it; `key` is None for the rest of a writer that was killed."""

    key: str | None
    place: str
    stored_bytes: int
    modified_at: datetime


class Sink(Protocol):
    """One object on its way in. Exactly one of `commit` and `abort` ends it."""

    def write(self, piece: Piece) -> None: ...
    def commit(self) -> None:
        """Make it durable and visible under its key."""

    def abort(self) -> None:
        """Leave nothing behind; may be called twice."""


class BlobStore(Protocol):
    """A place for framed objects. Safe in threads."""

    def create(self, key: str) -> Sink: ...
    def read(self, key: str, offset: int, length: int) -> Piece:
        """Exactly `length` stored bytes from `offset`; raises BlobMissing, BlobDamaged."""

    def begin(self, key: str, length: int) -> tuple[bytes, int]:
        """The first `length` stored bytes and the stored size; raises BlobMissing, BlobDamaged."""

    def delete(self, key: str) -> None:
        """Remove it; no error if it is already gone."""

    def listing(self) -> Iterator[StoredObject]:
        """Everything there is, in no particular order."""

    def discard(self, found: StoredObject) -> None:
        """Remove what `listing` named."""

    def free_bytes(self) -> int | None:
        """Room left, where that can be known."""


def checked_key(key: str) -> str:
    """The key, if it has the form of one: `organisation/space/blob`, three UUIDs."""
    if not _KEY.fullmatch(key):
        raise BlobMissing
    return key


class LocalStore:
    """Objects as files of one folder: written beside, fsynced, renamed, folder fsynced."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._incoming = root / "incoming"
        self._incoming.mkdir(mode=0o700, parents=True, exist_ok=True)

    def create(self, key: str) -> Sink:
        return _LocalSink(self.root / checked_key(key), self._incoming / uuid4().hex, self.root)

    def read(self, key: str, offset: int, length: int) -> Piece:
        descriptor = self._open(key)
        try:
            # os.pread may return less than asked for above 2 GiB; a range never is that long.
            piece = os.pread(descriptor, length, offset)
        finally:
            os.close(descriptor)
        if len(piece) != length:
            raise BlobDamaged
        return piece

    def begin(self, key: str, length: int) -> tuple[bytes, int]:
        descriptor = self._open(key)
        try:
            return os.pread(descriptor, length, 0), os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)

    def delete(self, key: str) -> None:
        (self.root / checked_key(key)).unlink(missing_ok=True)

    def listing(self) -> Iterator[StoredObject]:
        for path in self.root.rglob("*"):
            try:
                about = path.stat()
            except FileNotFoundError:  # gone since the folder was read
                continue
            if not path.is_file():
                continue
            place = path.relative_to(self.root).as_posix()
            key = place if _KEY.fullmatch(place) else None
            yield StoredObject(key, place, about.st_size, datetime.fromtimestamp(about.st_mtime, UTC))

    def discard(self, found: StoredObject) -> None:
        (self.root / found.place).unlink(missing_ok=True)

    def free_bytes(self) -> int | None:
        about = os.statvfs(self.root)
        return about.f_bavail * about.f_frsize

    def _open(self, key: str) -> int:
        try:
            return os.open(self.root / checked_key(key), os.O_RDONLY | getattr(os, "O_BINARY", 0))
        except FileNotFoundError:
            raise BlobMissing from None


class _LocalSink:
    def __init__(self, target: Path, temporary: Path, root: Path) -> None:
        self._target, self._temporary, self._root = target, temporary, root
        self._descriptor: int | None = os.open(
            temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600
        )

    def write(self, piece: Piece) -> None:
        assert self._descriptor is not None
        view = memoryview(piece).cast("B")
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError as error:
            raise _full_or(error) from error

    def commit(self) -> None:
        assert self._descriptor is not None
        try:
            os.fsync(self._descriptor)
            os.close(self._descriptor)
            self._descriptor = None
            for folder in self._make_folders():
                _fsync_folder(folder)
            self._temporary.rename(self._target)
            _fsync_folder(self._target.parent)
        except OSError as error:
            self.abort()
            raise _full_or(error) from error

    def abort(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
        self._temporary.unlink(missing_ok=True)

    def _make_folders(self) -> list[Path]:
        """Make the object's folders; the parents of new ones must be synced as well."""
        changed: list[Path] = []
        organisation = self._target.parent.parent
        for folder in (organisation, self._target.parent):
            if not folder.is_dir():
                folder.mkdir(mode=0o700, exist_ok=True)
                changed.append(folder.parent)
        return changed


def _fsync_folder(folder: Path) -> None:
    if not _DIRECTORY:  # Windows has no handle of a folder; NTFS journals the rename
        return
    descriptor = os.open(folder, os.O_RDONLY | _DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _full_or(error: OSError) -> Exception:
    return StorageFull() if error.errno in _FULL else error


class S3Store:
    """Objects in a bucket of an S3 server, below a prefix. The server promises durability."""

    def __init__(  # noqa: PLR0913 - what a bucket needs to be found; all but its name by keyword
        self,
        bucket: str,
        *,
        prefix: str = "",
        endpoint: str | None = None,
        access_key_id: str | None = None,
        secret_access_key: str | None = None,
        region: str | None = None,
        timeout_s: float = 60.0,
    ) -> None:
        settings = {
            "endpoint": endpoint,
            "access_key_id": access_key_id,
            "secret_access_key": secret_access_key,
            "region": region,
        }
        self._bucket = _Bucket(
            bucket,
            prefix=prefix or None,
            client_options={
                "allow_http": bool(endpoint and endpoint.startswith("http://")),
                "timeout": timedelta(seconds=timeout_s),
                "connect_timeout": timedelta(seconds=10),
            },
            retry_config={"max_retries": 4, "retry_timeout": timedelta(seconds=timeout_s)},
            **{name: value for name, value in settings.items() if value is not None},  # type: ignore[arg-type]  # typed dict built from what was given
        )

    def create(self, key: str) -> Sink:
        return _BucketSink(self._bucket, checked_key(key))

    def read(self, key: str, offset: int, length: int) -> Piece:
        if not length:
            return b""
        with _as_blob_errors():
            piece = memoryview(obstore.get_range(self._bucket, checked_key(key), start=offset, length=length))
        if len(piece) != length:
            raise BlobDamaged
        return piece

    def begin(self, key: str, length: int) -> tuple[bytes, int]:
        with _as_blob_errors():
            found = obstore.get(self._bucket, checked_key(key), options={"range": (0, length)})
            return bytes(found.bytes()), found.meta["size"]

    def delete(self, key: str) -> None:
        try:
            obstore.delete(self._bucket, checked_key(key))
        except FileNotFoundError:
            return

    def listing(self) -> Iterator[StoredObject]:
        for page in obstore.list(self._bucket):
            for found in page:
                key = found["path"] if _KEY.fullmatch(found["path"]) else None
                yield StoredObject(key, found["path"], found["size"], found["last_modified"])

    def discard(self, found: StoredObject) -> None:
        obstore.delete(self._bucket, found.place)

    def free_bytes(self) -> int | None:
        return None


class _BucketSink:
    """Below 10 MiB one PUT at commit, above that a multipart upload: memory stays at two parts."""

    def __init__(self, bucket: _Bucket, key: str) -> None:
        self._writer: obstore.WritableFile | None = obstore.open_writer(bucket, key)

    def write(self, piece: Piece) -> None:
        assert self._writer is not None
        with _as_blob_errors():
            self._writer.write(bytes(piece))

    def commit(self) -> None:
        assert self._writer is not None
        writer, self._writer = self._writer, None
        with _as_blob_errors():
            writer.close()

    def abort(self) -> None:
        # Not closed means never completed: nothing shows under the key, and the
        # bucket's rule for incomplete uploads clears its parts.
        self._writer = None


class _as_blob_errors:  # noqa: N801 - reads as the context it is
    """Say what the bucket's answer means here."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, FileNotFoundError):
            raise BlobMissing from error
        if isinstance(error, BaseError | OSError):
            raise BlobError(f"The object store did not answer as it should: {error}"[:300]) from error
