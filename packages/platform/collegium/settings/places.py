"""Where the embedded database lies, and as which account it runs: known before anything is started."""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

_ROOT_HOME = Path("/var/lib/collegium")


@dataclass(frozen=True, slots=True)
class ServerAccount:
    """The account the server runs as: our own, or an unprivileged one when we are root."""

    uid: int
    gid: int
    is_dropped: bool


def server_account() -> ServerAccount:
    """PostgreSQL refuses to run as root: then it is `postgres`, or `nobody`, which every system has."""
    if os.geteuid() != 0:
        return ServerAccount(os.geteuid(), os.getegid(), is_dropped=False)
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            entry = pwd.getpwnam(name)
            return ServerAccount(entry.pw_uid, entry.pw_gid, is_dropped=True)
    raise RuntimeError("PostgreSQL refuses to run as root, and there is no account `postgres` or `nobody`.")


def is_open_to_others(folder: Path) -> bool:
    """Whether another account can reach `folder`: every parent lets it pass."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    return all(path.stat().st_mode & stat.S_IXOTH for path in (existing, *existing.parents))


def database_home(data_dir: Path) -> Path:
    """Folder of the database files: in the data folder, or below /var/lib where root's home is closed.

    Where it began it stays: a folder whose mode changed must not begin an empty database elsewhere.
    """
    inside = data_dir / "postgres"
    apart = _ROOT_HOME / hashlib.sha256(str(data_dir).encode()).hexdigest()[:16] / "postgres"
    if not server_account().is_dropped or inside.exists():
        return inside
    return inside if is_open_to_others(data_dir) and not apart.exists() else apart


def files_of_pages(data_dir: Path) -> Path:
    """Where each start keeps a copy of the built front end, for pages that are open over an upgrade."""
    return data_dir / "files-of-pages"
