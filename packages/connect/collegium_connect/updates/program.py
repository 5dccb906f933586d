"""The installed versions, side by side: `versions/1.2.3/`, and the name `current` that leads to one.

A version's folder is never changed once it has its name. What is half unpacked has another name, and is
removed by the next try.
"""

import shutil
import subprocess
import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import Final

from collegium_connect import machine
from collegium_connect.updates.errors import ProgramFolderUnusable, ReleaseUnusable
from collegium_connect.updates.version import Version

_SELF_TEST_S: Final = 120.0
_KEPT: Final = 3
_WORDS: Final = 300
_PROGRAM: Final = "collegium-connect"


class Program:
    """The folder `updates.program_dir`."""

    def __init__(self, folder: Path) -> None:
        self._versions, self._current = folder / "versions", folder / "current"

    def current(self) -> Version:
        """The version that the next start runs.

        Raises:
            ProgramFolderUnusable: `current` leads to no version.
        """
        try:
            return Version.parse(self._current.resolve(strict=True).name)
        except (OSError, ValueError) as error:
            raise ProgramFolderUnusable from error

    def installed(self) -> list[Version]:
        """All complete versions, oldest first."""
        return sorted(
            Version.parse(path.name) for path in self._versions.iterdir() if not path.name.startswith(".")
        )

    def stage(self, version: Version, archive: Path) -> None:
        """Unpack a release beside the others; nothing runs it yet.

        Raises:
            ReleaseUnusable: the archive holds anything but plain files and folders of its own.
        """
        target, partial = self._folder(version), self._versions / f".{version}"
        if target.exists():
            return
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(mode=0o755, parents=True)
        try:
            _unpack(archive, partial)
            _let_others_read(partial)
        except (tarfile.TarError, zlib.error, OSError, EOFError) as error:
            shutil.rmtree(partial, ignore_errors=True)
            raise ReleaseUnusable(f"The archive of version {version} cannot be unpacked.") from error
        partial.rename(target)
        machine.HERE.sync_folder(self._versions)

    def try_out(self, version: Version, config: Path) -> None:
        """Let a staged version test itself with the gateway's configuration.

        Raises:
            ReleaseUnusable: it does not run here, is another version than it says, or found a fault.
        """
        command = [
            str(self._executable(version)),
            "self-test",
            "--config",
            str(config),
            "--expect",
            str(version),
        ]
        try:
            done = subprocess.run(command, capture_output=True, timeout=_SELF_TEST_S, check=False)  # noqa: S603 - a signed program, our own arguments
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ReleaseUnusable(f"Version {version} does not run on this machine.") from error
        if done.returncode:
            why = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2][:_WORDS]
            raise ReleaseUnusable(f"Version {version} failed its self-test: {why}")

    def switch(self, version: Version) -> None:
        """From the next start on this version runs."""
        if not self._executable(version).exists():
            raise ProgramFolderUnusable(f"Version {version} is not installed.")
        machine.HERE.point(self._current, self._folder(version))

    def discard(self, version: Version) -> None:
        """Remove a version that proved unusable."""
        shutil.rmtree(self._folder(version), ignore_errors=True)

    def prune(self) -> None:
        """Keep the current version and the newest few."""
        current = self.current()
        for version in self.installed()[:-_KEPT]:
            if version != current:
                self.discard(version)

    def _folder(self, version: Version) -> Path:
        return self._versions / str(version)

    def _executable(self, version: Version) -> Path:
        folder = self._folder(version)
        windows = folder / f"{_PROGRAM}.exe"
        return windows if windows.exists() else folder / _PROGRAM


def _unpack(archive: Path, folder: Path) -> None:
    """Plain files and folders below `folder`, and nothing else."""
    with tarfile.open(archive, "r:gz") as packed:
        for member in packed:
            name = PurePosixPath(member.name)
            if name.is_absolute() or ".." in name.parts or "\\" in member.name or ":" in member.name:
                raise tarfile.TarError("A name leads out of the folder.")
            target = folder.joinpath(*name.parts)
            if member.isdir():
                target.mkdir(mode=0o755, parents=True, exist_ok=True)
                continue
            content = packed.extractfile(member) if member.isreg() else None
            if content is None:
                raise tarfile.TarError("Neither a file nor a folder.")
            target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
            with content, target.open("xb") as file:
                shutil.copyfileobj(content, file, 1 << 20)
            target.chmod(0o755 if member.mode & 0o100 else 0o644)


def _let_others_read(folder: Path) -> None:
    """The gateway's account runs what the updater's account unpacked, whatever the umask."""
    for path in (folder, *folder.rglob("*")):
        if path.is_dir():
            path.chmod(0o755)
