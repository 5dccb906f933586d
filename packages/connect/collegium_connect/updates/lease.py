"""What the updater and the running gateway say to each other, by files without content.

The updater *asks* and goes on asking. As soon as nothing is received or sent the gateway *grants*, and
refuses new associations for as long as the asking is fresh; a PACS tries again by itself. When the new
version is in place the updater says *go*: the gateway stops, and the service manager starts the new one.
An updater that dies is forgotten within seconds.
"""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from collegium_connect import machine
from collegium_connect.channels import Channel
from collegium_connect.log import EventLog
from collegium_connect.receive.admission import Refusal
from collegium_connect.receive.association import Gate
from collegium_connect.receive.pdu import AssociateRequest
from collegium_connect.updates.errors import ReleaseUnusable
from collegium_connect.updates.version import Version

log = EventLog("updates")

UPDATING: Final = Refusal(2, 3, 1, "an update is being installed")  # PS3.8 Table 9-21: temporary congestion
_FRESH_S: Final = 30.0


class LeaseFolder:
    """The files. Its mode is for whoever installs: both accounts must be able to make and delete there."""

    def __init__(self, folder: Path, now_s: Callable[[], float] = time.time) -> None:
        self._folder, self._now_s = folder, now_s

    def make(self) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)

    def ask(self) -> None:
        """Ask, or say that the asking still holds."""
        self._put("asked", "")

    def is_asked(self) -> bool:
        return self._is_fresh("asked")

    def withdraw(self) -> None:
        """Nothing is asked any more; the gateway takes associations again."""
        for name in ("asked", "go"):
            machine.HERE.remove(self._folder / name)

    def grant(self, *, is_granted: bool) -> None:
        if is_granted:
            self._put("granted", "")
        else:
            machine.HERE.remove(self._folder / "granted")

    def is_granted(self) -> bool:
        return (self._folder / "granted").exists()

    def go(self) -> None:
        self._put("go", "")

    def is_go(self) -> bool:
        return self._is_fresh("go")

    def say_running(self, version: str) -> None:
        """This version of the gateway is up; what was granted to its predecessor is over."""
        self.grant(is_granted=False)
        machine.HERE.remove(self._folder / "go")
        self._put("running", version)

    def say_stopped(self) -> None:
        for name in ("running", "granted"):
            machine.HERE.remove(self._folder / name)

    def running(self) -> str:
        """The version that is up; empty if none is."""
        try:
            return (self._folder / "running").read_text("utf-8")
        except OSError:
            return ""

    def say_pinned(self, version: str) -> None:
        """The server pins this version; empty: none."""
        self._put("pinned", version)

    def pinned(self) -> str:
        """What the server pinned last; empty if nothing.

        Raises:
            ReleaseUnusable: it cannot be read, so nothing may be installed.
        """
        try:
            version = (self._folder / "pinned").read_text("utf-8")
            return version and str(Version.parse(version))
        except FileNotFoundError:
            return ""
        except (OSError, ValueError) as error:
            raise ReleaseUnusable("What the server pins cannot be read.") from error

    def _put(self, name: str, content: str) -> None:
        # A new name each time: the folder is shared, so nothing that lies there already is written to.
        fresh = self._folder / f".{name}.{time.monotonic_ns()}"
        with fresh.open("x", encoding="utf-8") as file:
            file.write(content)
        fresh.chmod(0o640)  # a version's number is no secret, and the other account must read it
        machine.HERE.replace(fresh, self._folder / name)

    def _is_fresh(self, name: str) -> bool:
        try:
            age_s = self._now_s() - (self._folder / name).stat().st_mtime
        except OSError:
            return False
        return abs(age_s) < _FRESH_S


class Lease:
    """The gateway's side: call `look` several times a second."""

    def __init__(self, folder: LeaseFolder, is_idle: Callable[[], bool]) -> None:
        self._folder, self._is_idle = folder, is_idle
        self.is_granted = False

    def look(self) -> bool:
        """Grant or take back as things are; True when the gateway is to stop for the new version."""
        if not self._folder.is_asked():
            self._give(is_granted=False)
            return False
        if self.is_granted:
            return self._folder.is_go()
        if self._is_idle():
            self.is_granted = True  # closes the gate first; whoever slipped in before is served
            if self._is_idle():
                self._give(is_granted=True)
            else:
                self.is_granted = False
        return False

    def _give(self, *, is_granted: bool) -> None:
        if is_granted:
            log.info("update.lease_granted")
        elif self.is_granted:
            log.info("update.lease_over")
        elif not self._folder.is_granted():
            return
        self.is_granted = is_granted
        self._folder.grant(is_granted=is_granted)


class LeasedGate:
    """The gate, closed while a lease is granted."""

    def __init__(self, gate: Gate, is_leased: Callable[[], bool]) -> None:
        self._gate, self._is_leased = gate, is_leased

    def decide(self, request: AssociateRequest, address: str) -> Channel | Refusal:
        return UPDATING if self._is_leased() else self._gate.decide(request, address)
