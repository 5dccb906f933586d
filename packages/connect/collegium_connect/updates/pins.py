"""Which version this gateway may be brought to: what the site pins, and what the trial pins from the server.

The stricter holds. The site's own pin may lead back to an older version, the server's never: whoever took
the server over must not bring back a version with a known fault. Where both pin and differ, nothing is
installed until they agree.
"""

from contextlib import suppress
from dataclasses import dataclass

from collegium_connect.actor import GATEWAY
from collegium_connect.journal.database import Journal
from collegium_connect.log import EventLog
from collegium_connect.trail import Trail
from collegium_connect.updates.errors import ReleaseUnusable
from collegium_connect.updates.lease import LeaseFolder
from collegium_connect.updates.version import Version

log = EventLog("updates")


@dataclass(frozen=True)
class Pins:
    site: str
    """`updates.pin` of the settings; empty: none."""
    server: str
    """As the server said last; empty: none."""

    @property
    def differ(self) -> bool:
        return bool(self.site and self.server and self.site != self.server)

    @property
    def version(self) -> Version | None:
        """The one version that may be installed; None: any newer one, or none while the pins differ."""
        pin = self.site or self.server
        return Version.parse(pin) if pin and not self.differ else None

    def allow(self, version: Version, current: Version) -> bool:
        """Whether this version may take the place of the one that is installed."""
        if self.differ or version == current:
            return False
        if self.version is None:
            return version > current
        return version == self.version and (bool(self.site) or version > current)

    def in_words(self, current: Version) -> str:
        """What holds, for people."""
        if self.differ:
            return (
                f"The site pins version {self.site}, the server {self.server}:"
                " nothing is installed until they agree."
            )
        if self.site:
            also = ", and so does the server" if self.server else ""
            return f"The site pins version {self.site}{also}."
        if not self.server:
            return "No version is pinned: the newest signed one is installed."
        words = f"The server pins version {self.server}; nothing else is installed."
        if current > Version.parse(self.server):
            words += f" Version {current} runs: to go back, pin it in the settings here too."
        return words


def in_words(site: str, folder: LeaseFolder) -> str:
    """What holds for the version that runs here."""
    try:
        return Pins(site, folder.pinned()).in_words(Version.here())
    except ReleaseUnusable as error:
        return f"{error} Nothing is installed until it can."


class ServerPin:
    """Keeps what the server pins where the updater's account reads it, and in the trail."""

    def __init__(self, folder: LeaseFolder, journal: Journal, trail: Trail) -> None:
        self._folder, self._journal, self._trail = folder, journal, trail

    def take(self, version: str) -> None:
        """The server says now that it pins this version; empty: none."""
        with suppress(ReleaseUnusable):  # what cannot be read is written anew
            if version == self._folder.pinned():
                return
        with self._journal.change() as db:
            self._trail.note(db, GATEWAY, "updates.pin.received", facts={"version": version})
        self._folder.say_pinned(version)
        log.info("update.pinned", version=version)
