"""Find a release in a repository of The Update Framework, and fetch it once every signature holds.

The repository may lie anywhere: what counts are the signatures, which begin with the root metadata that
came with the installation. tuf stays inside this package; its requests go through the same proxy and
authorities as the gateway's own.
"""

import json
import platform
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx
from tuf.api.exceptions import DownloadError, DownloadHTTPError, RepositoryError
from tuf.api.metadata import TargetFile
from tuf.ngclient.config import UpdaterConfig
from tuf.ngclient.fetcher import FetcherInterface
from tuf.ngclient.updater import Updater

from collegium_connect import SOFTWARE
from collegium_connect.settings import ServerSettings, UpdateSettings
from collegium_connect.updates.errors import ReleaseUnusable, RepositoryUnusable, UpdatesOff
from collegium_connect.updates.version import Version

_ARCHIVE_LIMIT: Final = 2 << 30
_TIMEOUT_S: Final = 60.0


def system_name() -> str:
    """What releases for this machine are called by, such as linux-x86_64."""
    return f"{platform.system()}-{platform.machine()}".lower()


def archive_name(version: Version, system: str) -> str:
    return f"collegium-connect-{version}-{system}.tar.gz"


def newest_name(system: str) -> str:
    """The small signed file that says which release is the newest for a system."""
    return f"newest-{system}.json"


@dataclass(frozen=True)
class Release:
    """One version for this machine, as signed."""

    version: Version
    target: TargetFile


class Repository:
    """The repository as it is now. One object for one look; its metadata folder remembers what was seen."""

    def __init__(self, updates: UpdateSettings, server: ServerSettings, system: str = "") -> None:
        if not updates.url or updates.root_file is None:
            raise UpdatesOff
        self._system = system or system_name()
        metadata, self._downloads = updates.state_dir / "metadata", updates.state_dir / "downloads"
        for folder in (updates.state_dir, metadata, self._downloads):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            root = updates.root_file.read_bytes()
        except OSError as error:
            raise RepositoryUnusable("updates.root_file cannot be read.") from error
        url = updates.url.rstrip("/")
        self._fetcher = _Fetcher(server)
        try:
            self._updater = Updater(
                str(metadata), f"{url}/metadata/", str(self._downloads), f"{url}/targets/", self._fetcher,
                UpdaterConfig(app_user_agent=SOFTWARE), bootstrap=root,
            )  # fmt: skip
            self._updater.refresh()
        except (DownloadError, RepositoryError, OSError) as error:
            raise RepositoryUnusable from error

    def newest(self) -> Release | None:
        """The newest release for this machine; None if there is none yet."""
        target = self._target(newest_name(self._system))
        if target is None:
            return None
        path = self._download(target)
        try:
            version = Version.parse(json.loads(path.read_text("utf-8"))["version"])
        except (ValueError, KeyError, TypeError) as error:
            raise RepositoryUnusable from error
        return self.release(version)

    def release(self, version: Version) -> Release:
        """One release by its version.

        Raises:
            ReleaseUnusable: it was never released for this machine, or was withdrawn.
        """
        target = self._target(archive_name(version, self._system))
        if target is None or target.length > _ARCHIVE_LIMIT:
            raise ReleaseUnusable(f"Version {version} is not released for {self._system}.")
        return Release(version, target)

    def fetch(self, release: Release) -> Path:
        """The archive of a release, its length and digest as signed."""
        return self._download(release.target)

    def close(self) -> None:
        self._fetcher.close()

    def _target(self, name: str) -> TargetFile | None:
        try:
            return self._updater.get_targetinfo(name)
        except (DownloadError, RepositoryError) as error:
            raise RepositoryUnusable from error

    def _download(self, target: TargetFile) -> Path:
        try:
            return Path(self._updater.find_cached_target(target) or self._updater.download_target(target))
        except (DownloadError, RepositoryError, OSError) as error:
            raise RepositoryUnusable from error


class _Fetcher(FetcherInterface):
    """tuf's requests by httpx, with the gateway's proxy and authorities."""

    def __init__(self, server: ServerSettings) -> None:
        try:
            verify = ssl.create_default_context(cafile=server.ca_file)
        except (OSError, ssl.SSLError) as error:
            raise RepositoryUnusable("server.ca_file cannot be read as PEM certificates.") from error
        self._http = httpx.Client(
            headers={"User-Agent": SOFTWARE}, verify=verify, proxy=server.proxy or None, trust_env=False,
            follow_redirects=False, timeout=_TIMEOUT_S,
        )  # fmt: skip

    def close(self) -> None:
        self._http.close()

    def _fetch(self, url: str) -> Iterator[bytes]:
        try:
            with self._http.stream("GET", url) as response:
                if response.status_code != httpx.codes.OK:
                    raise DownloadHTTPError(
                        f"The repository answered {response.status_code}.", response.status_code
                    )
                yield from response.iter_bytes(1 << 20)
        except httpx.HTTPError as error:
            raise DownloadError("The repository cannot be reached.") from error
