"""Copies of the built front end, one for each version that was started, kept in the installation's own folder."""

from __future__ import annotations

import shutil
from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

GENERATIONS = 2
"""This version and the one before."""


def keep(built: Path, kept: Path) -> None:
    """Copy the built files to `kept`, beside those of the version before; what is older goes.

    Args:
        built: the front end of this version, with its `assets.json`.
        kept: a folder of the installation's own; made if it is not there.
    """
    listing = built / "assets.json"
    if not listing.exists():
        return
    own = kept / sha256(listing.read_bytes()).hexdigest()[:16]
    if not own.exists():
        fresh = kept / _INCOMPLETE
        shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(built, fresh)
        fresh.rename(own)
    (own / "assets.json").touch()
    for folder in generations(kept)[GENERATIONS:]:
        shutil.rmtree(folder, ignore_errors=True)


def generations(kept: Path) -> list[Path]:
    """The complete copies, the newest start first."""
    if not kept.is_dir():
        return []
    found = [one for one in kept.iterdir() if one.name != _INCOMPLETE and (one / "assets.json").exists()]
    return sorted(found, key=lambda one: (one / "assets.json").stat().st_mtime_ns, reverse=True)


_INCOMPLETE = "incomplete"
