"""Where files come from: a file, a folder, or a zip archive whose members are read without unpacking.

Names inside an archive are only read to say which member is meant; nothing is ever written under
them. An archive that would unpack beyond all measure is refused as a whole.
"""

from __future__ import annotations

import contextlib
import functools
import os
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from stat import S_ISREG
from typing import TYPE_CHECKING, Final

from collegium_deid.errors import DeidError, Rejected

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

STATE_FOLDER: Final = ".collegium-deid"
"""Where a run keeps its journal, below its output folder."""

_ZIP_MARKS: Final = (b"PK\3\4", b"PK\5\6")
# Empty pictures shrink a thousandfold, so a ratio alone says nothing; both limits together do.
_ALWAYS_ALLOWED: Final = 1024**3
_MAX_RATIO: Final = 100
_MAX_MEMBERS: Final = 2_000_000
_ENCRYPTED: Final = 1
_LINK: Final = 0o120000
_KIND: Final = 0o170000
_START_BYTES: Final = 4096
_DIRECTORY_CLASS: Final = b"\2\0\2\0UI\x14\x001.2.840.10008.1.3.10"


@dataclass(frozen=True, slots=True)
class Source:
    """One input: a file, or one member of an archive."""

    path: Path
    name: str
    """Below the input folder or archive, with slashes; the file's own name for a single file."""
    size: int
    stamp: str
    """Changes when the content does: times of change, or the checksum of a member."""
    is_member: bool = False
    is_regular: bool = True
    """Neither a link nor a pipe."""
    is_closed: bool = False
    """A folder that cannot be listed: nobody knows what is in it, so it counts as refused."""

    def __str__(self) -> str:
        return f"{self.path}!{self.name}" if self.is_member else str(self.path)

    @contextlib.contextmanager
    def open(self) -> Iterator[BinaryIO]:
        """The bytes, from the beginning.

        Raises:
            Rejected: a link or pipe, or a folder that cannot be listed; a member that is encrypted or has a
                name that leads out of its archive.
        """
        if self.is_closed:
            raise Rejected(
                "deid.file.folder", "This folder cannot be listed. What is in it was not looked at."
            )
        if not self.is_regular:
            raise Rejected("deid.file.link", "This is a link or no plain file. Give what it points to.")
        if not self.is_member:
            with self.path.open("rb", buffering=0) as file:
                yield file
            return
        archive = _archive(self.path)
        info = archive.getinfo(self.name)
        _require_harmless(info)
        try:
            with archive.open(info) as member:
                yield member  # type: ignore[misc]  # ZipExtFile reads as a BinaryIO does
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
            raise Rejected("deid.zip.unreadable", "This part of the archive cannot be unpacked.") from error


def sources(path: Path) -> Iterator[Source]:
    """The file itself, every file below a folder in a steady order, or every member of an archive.

    Links are not followed; the state of earlier runs is left out.

    Raises:
        DeidError: there is nothing, or the archive is refused.
    """
    found = _sources(path)
    first = next(found, None)
    if first is None:
        raise DeidError("deid.file.none", "There is no file in the input. Is it the right folder?")
    yield first
    yield from found


def _sources(path: Path) -> Iterator[Source]:
    if path.is_dir():
        yield from _below(path)
    elif not path.is_file():
        raise DeidError("deid.file", "The input does not exist.")
    elif is_archive(path):
        yield from _members(path)
    else:
        yield _on_disk(path, path.name, path.stat())


def is_archive(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) in _ZIP_MARKS


def _below(folder: Path) -> Iterator[Source]:
    unlisted: list[OSError] = []
    for here, folders, names in os.walk(folder, onerror=unlisted.append):
        folders[:] = sorted(name for name in folders if name != STATE_FOLDER)
        # A link to a folder is not entered either; like any link it is refused, not passed over.
        links = [name for name in folders if (Path(here) / name).is_symlink()]
        for name in sorted([*names, *links]):
            path = Path(here) / name
            try:
                stat = path.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue  # gone since the folder was listed
            except OSError:  # a folder that may be listed, but not entered
                yield Source(path, path.relative_to(folder).as_posix(), 0, "")
                continue
            yield _on_disk(path, path.relative_to(folder).as_posix(), stat)
    for error in unlisted:
        if isinstance(error, FileNotFoundError):
            continue
        path = Path(error.filename)
        yield Source(path, path.relative_to(folder).as_posix(), 0, "", is_closed=True)


def _on_disk(path: Path, name: str, stat: os.stat_result) -> Source:
    stamp = f"{stat.st_ino}:{stat.st_mtime_ns}:{stat.st_ctime_ns}"
    return Source(path, name, stat.st_size, stamp, is_regular=S_ISREG(stat.st_mode))


def _members(path: Path) -> Iterator[Source]:
    members = [info for info in _archive(path).infolist() if not info.is_dir()]
    total = sum(info.file_size for info in members)
    if len(members) > _MAX_MEMBERS or (total > _ALWAYS_ALLOWED and total > _MAX_RATIO * path.stat().st_size):
        raise DeidError("deid.zip.bomb", "The archive would unpack beyond all measure.")
    for info in sorted(members, key=lambda info: info.filename):
        yield Source(path, info.filename, info.file_size, str(info.CRC), is_member=True)


def _archive(path: Path) -> zipfile.ZipFile:
    return _archive_of(path, os.getpid())


@functools.lru_cache(maxsize=2)
def _archive_of(path: Path, _process: int) -> zipfile.ZipFile:
    """Opened once in each process; its list of members can be long.

    A worker never reads through the handle it was forked with: all of them would move one position.
    """
    try:
        return zipfile.ZipFile(path)
    except (OSError, zipfile.BadZipFile, NotImplementedError) as error:
        raise DeidError("deid.zip.unreadable", "The archive cannot be read.") from error


def _require_harmless(info: zipfile.ZipInfo) -> None:
    path = PurePosixPath(info.filename.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise Rejected("deid.zip.path", "The name of this member leads out of the archive.")
    if info.external_attr >> 16 & _KIND == _LINK:
        raise Rejected("deid.zip.link", "This member is a link.")
    if info.flag_bits & _ENCRYPTED:
        raise Rejected("deid.zip.encrypted", "This member is encrypted. Unpack the archive first.")


def why_skipped(source: Source) -> tuple[str, str] | None:
    """Code and reason when a refused input is no image at all; None when it is, or might be, one."""
    try:
        with source.open() as file:
            start = file.read(_START_BYTES)
    except (DeidError, OSError):
        return None
    if _DIRECTORY_CLASS in start[132:1024]:
        return "deid.skip.dicomdir", "A DICOMDIR lists patients and old names; nothing needs it."
    if start[128:132] == b"DICM":
        return None
    # A data set without preamble and file meta information begins with group 8, or 2; it is refused.
    if start[:2] in (b"\x08\0", b"\x02\0", b"\0\x08", b"\0\x02") and len(start) >= 132:
        return None
    if start[:4] in _ZIP_MARKS:
        return "deid.skip.archive", "An archive inside the input is not opened. Give it by itself."
    return "deid.skip.not_dicom", "Not a DICOM file."
