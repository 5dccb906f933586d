"""One file an object: the cleaned object first, its sealed original header behind it.

A file gets its bytes on disk before `write` returns; its name is on disk after `sync_names`, which
the group commit calls once for many. Only then may the journal know of it. Files are named by the
object's id: no name of a person, no UID.
"""

import os
from collections.abc import Iterable
from pathlib import Path

from collegium_connect.errors import SpoolDamaged, SpoolFull
from collegium_connect.keys import sync_folder

Piece = bytes | bytearray | memoryview


class Spool:
    """The folder of object files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @property
    def folder(self) -> Path:
        return self._folder

    def write(self, object_id: str, pieces: Iterable[Piece]) -> int:
        """Write a new file and put its bytes on disk; the size. On any fault nothing stays.

        Raises:
            SpoolFull: the disk had no room.
        """
        path, size = self.path(object_id), 0
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        try:
            for piece in pieces:
                size += _write_all(handle, piece)
            _sync_data(handle)
        except OSError as error:
            os.close(handle)
            self.remove(object_id)
            raise SpoolFull from error
        except BaseException:
            os.close(handle)
            self.remove(object_id)
            raise
        os.close(handle)
        return size

    def sync_names(self) -> None:
        """Put the names of all files written so far on disk."""
        sync_folder(self._folder)

    def read(self, object_id: str, size: int, chunk_bytes: int) -> Iterable[bytes]:
        """The first `size` bytes of a file (the cleaned object, never the sealed header).

        Raises:
            SpoolDamaged: the file is gone or shorter.
        """
        try:
            with self.path(object_id).open("rb", buffering=0) as file:
                left = size
                while left:
                    chunk = file.read(min(left, chunk_bytes))
                    if not chunk:
                        raise SpoolDamaged
                    left -= len(chunk)
                    yield chunk
        except OSError as error:
            raise SpoolDamaged from error

    def size_of(self, object_id: str) -> int | None:
        """Bytes on disk, or None if there is no such file."""
        try:
            return self.path(object_id).stat().st_size
        except OSError:
            return None

    def remove(self, object_id: str) -> None:
        self.path(object_id).unlink(missing_ok=True)

    def names(self) -> Iterable[str]:
        """The object ids of all files in the folder."""
        with os.scandir(self._folder) as entries:
            return [entry.name for entry in entries if entry.is_file()]

    def path(self, object_id: str) -> Path:
        return self._folder / object_id


def _write_all(handle: int, piece: Piece) -> int:
    view = memoryview(piece)
    done = 0
    while done < len(view):
        done += os.write(handle, view[done:])
    return done


def _sync_data(handle: int) -> None:
    # A new file's size is metadata that fdatasync does write; macOS and Windows have no fdatasync.
    if hasattr(os, "fdatasync"):
        os.fdatasync(handle)
    else:
        os.fsync(handle)
