"""One try at an update, from the look into the repository to the new version that answers.

Run it every hour. Whatever goes wrong, the version that ran goes on running: nothing is touched before
the new one has tested itself, and if it does not come up the old one is put back and the new one is not
tried again.
"""

import json
import time
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Final

from collegium_connect import machine
from collegium_connect.log import EventLog
from collegium_connect.settings import Settings
from collegium_connect.updates.errors import ReleaseUnusable
from collegium_connect.updates.lease import LeaseFolder
from collegium_connect.updates.pins import Pins
from collegium_connect.updates.program import Program
from collegium_connect.updates.repository import Release, Repository
from collegium_connect.updates.version import Version

log = EventLog("updates")

_STEP_S: Final = 0.5


class Outcome(StrEnum):
    """How a try ended."""

    CURRENT = "nothing newer"
    FAILED_BEFORE = "failed before"
    NO_MOMENT = "no idle moment"
    INSTALLED = "installed"
    ROLLED_BACK = "rolled back"


class Update:
    """Brings the installed program to the release that is wanted."""

    def __init__(
        self,
        settings: Settings,
        config: Path,
        find: Callable[[], Repository],
        lease: LeaseFolder,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._settings, self._config = settings.updates, config
        self._find, self._lease, self._pause = find, lease, pause
        self._program = Program(self._settings.program_dir)
        self._failed = _FailedVersions(self._settings.state_dir / "failed.json")

    def wanted(self, repository: Repository) -> Release | None:
        """The release to install; None if the installed one is it."""
        current, pins = self._program.current(), Pins(self._settings.pin, self._lease.pinned())
        release = repository.release(pins.version) if pins.version else repository.newest()
        return release if release is not None and pins.allow(release.version, current) else None

    def has_failed(self, version: Version) -> bool:
        """Whether it did not work here before, and is therefore not tried again."""
        return version in self._failed

    def run(self) -> Outcome:
        """Look, and install what is wanted.

        Raises:
            ConnectError: it could not be done; nothing was changed.
        """
        repository = self._find()
        try:
            release = self.wanted(repository)
            if release is None:
                return Outcome.CURRENT
            if self.has_failed(release.version):
                return Outcome.FAILED_BEFORE
            self._prepare(repository, release)
        finally:
            repository.close()
        return self._install(release.version)

    def roll_back(self) -> Version:
        """Go back to the newest older version that is still installed.

        Raises:
            ReleaseUnusable: there is none.
        """
        current = self._program.current()
        older = [version for version in self._program.installed() if version < current]
        if not older:
            raise ReleaseUnusable("No older version is installed.")
        self._failed.add(current)
        self._program.switch(older[-1])
        self._restart(older[-1])
        log.warning("update.rolled_back", before=str(current), now=str(older[-1]))
        return older[-1]

    def _prepare(self, repository: Repository, release: Release) -> None:
        version = release.version
        self._program.stage(version, repository.fetch(release))
        try:
            self._program.try_out(version, self._config)
        except ReleaseUnusable:
            self._failed.add(version)
            self._program.discard(version)
            log.warning("update.self_test_failed", version=str(version))
            raise
        log.info("update.staged", version=str(version))

    def _install(self, version: Version) -> Outcome:
        before = self._program.current()
        if not self._wait_for_lease():
            log.info("update.no_idle_moment", version=str(version))
            return Outcome.NO_MOMENT
        self._program.switch(version)
        if self._restart(version):
            self._program.prune()
            log.info("update.installed", before=str(before), now=str(version))
            return Outcome.INSTALLED
        self._failed.add(version)
        self._program.switch(before)
        self._restart(before)
        log.error("update.rolled_back", before=str(version), now=str(before))
        return Outcome.ROLLED_BACK

    def _wait_for_lease(self) -> bool:
        """Ask until the gateway is idle; at once if none runs."""
        for _ in range(max(1, int(self._settings.lease_wait_s / _STEP_S))):
            if not self._lease.running():
                return True
            self._lease.ask()
            if self._lease.is_granted():
                return True
            self._pause(_STEP_S)
        self._lease.withdraw()
        return False

    def _restart(self, version: Version) -> bool:
        """Let the gateway stop, and wait until this version is up; True at once if none runs."""
        if not self._lease.running():
            return True
        self._lease.ask()
        self._lease.go()
        try:
            for _ in range(max(1, int(self._settings.start_wait_s / _STEP_S))):
                self._pause(_STEP_S)
                if self._lease.running() == str(version):
                    return True
                self._lease.ask()
        finally:
            self._lease.withdraw()
        return False


class _FailedVersions:
    """Versions that did not work here; they are not tried again."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __contains__(self, version: object) -> bool:
        return str(version) in self._read()

    def add(self, version: Version) -> None:
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        partial = self._path.with_suffix(".part")
        partial.write_text(json.dumps(sorted({*self._read(), str(version)})), "utf-8")
        machine.HERE.replace(partial, self._path)

    def _read(self) -> list[str]:
        try:
            found = json.loads(self._path.read_text("utf-8"))
        except (OSError, ValueError):
            return []
        return [item for item in found if isinstance(item, str)] if isinstance(found, list) else []
