"""A repository of signed releases, as The Update Framework asks: made, added to, signed anew.

`tools/gateway_release.py` makes the real one with it; tests make theirs in a folder. Root and targets
are signed by keys that are to be kept offline, snapshot and timestamp by one that may be online.
"""

import functools
import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import load_pem_private_key
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

ROLES: Final = ("root", "targets", "snapshot", "timestamp")
DAYS: Final = {"root": 365, "targets": 90, "snapshot": 30, "timestamp": 7}

Signers = dict[str, CryptoSigner]


def make_signers() -> Signers:
    """A fresh Ed25519 key for each role."""
    return {role: CryptoSigner.generate_ed25519() for role in ROLES}


def save_signers(signers: Signers, folder: Path) -> None:
    """Each key as a PEM file of mode 0600."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for role, signer in signers.items():
        path = folder / f"{role}.pem"
        path.touch(mode=0o600, exist_ok=False)
        path.write_bytes(signer.private_bytes)


def load_signers(folder: Path) -> Signers:
    keys = {role: (folder / f"{role}.pem").read_bytes() for role in ROLES}
    # Any: cryptography names a union of all its private keys; these are Ed25519.
    loaded: dict[str, Any] = {role: load_pem_private_key(pem, None) for role, pem in keys.items()}
    return {role: CryptoSigner(key) for role, key in loaded.items()}


class ReleaseFolder:
    """The repository's files below one folder, ready for any web server."""

    def __init__(self, folder: Path, signers: Signers) -> None:
        self._metadata, self._targets, self._signers = folder / "metadata", folder / "targets", signers

    @property
    def first_root(self) -> Path:
        """What each installation brings with it."""
        return self._metadata / "1.root.json"

    def create(self) -> None:
        """An empty repository."""
        for path in (self._metadata, self._targets):
            path.mkdir(parents=True)
        root = Root(expires=_in_days("root"))
        for role in ROLES:
            root.add_key(self._signers[role].public_key, role)
        self._write("root", Metadata(root))
        self._write("targets", Metadata(Targets(expires=_in_days("targets"))))
        self._write("snapshot", Metadata(Snapshot(expires=_in_days("snapshot"))))
        self._write("timestamp", Metadata(Timestamp(expires=_in_days("timestamp"))))

    def add(self, archive: Path, version: str, system: str) -> None:
        """Release an archive as the newest for a system."""
        name = f"collegium-connect-{version}-{system}.tar.gz"
        newest = self._targets / f"newest-{system}.json"
        newest.write_text(json.dumps({"version": version}), "utf-8")
        targets = Metadata[Targets].from_file(
            str(self._metadata / f"{self._version('targets')}.targets.json")
        )
        for target, source in ((name, archive), (newest.name, newest)):
            signed = TargetFile.from_file(target, str(source))
            targets.signed.targets[target] = signed
            shutil.copyfile(source, self._targets / f"{signed.hashes['sha256']}.{target}")
        newest.unlink()
        self._publish(targets)

    def withdraw(self, version: str, system: str) -> None:
        """Take a release back: nobody installs it from now on."""
        targets = Metadata[Targets].from_file(
            str(self._metadata / f"{self._version('targets')}.targets.json")
        )
        del targets.signed.targets[f"collegium-connect-{version}-{system}.tar.gz"]
        self._publish(targets)

    def renew(self) -> None:
        """Sign snapshot and timestamp anew, so that neither expires."""
        snapshot = Metadata[Snapshot].from_file(
            str(self._metadata / f"{self._version('snapshot')}.snapshot.json")
        )
        self._sign_online(snapshot)

    def _publish(self, targets: Metadata[Targets]) -> None:
        targets.signed.version += 1
        targets.signed.expires = _in_days("targets")
        self._write("targets", targets)
        snapshot = Metadata[Snapshot].from_file(
            str(self._metadata / f"{self._version('snapshot')}.snapshot.json")
        )
        snapshot.signed.meta["targets.json"] = MetaFile(targets.signed.version)
        self._sign_online(snapshot)

    def _sign_online(self, snapshot: Metadata[Snapshot]) -> None:
        snapshot.signed.version += 1
        snapshot.signed.expires = _in_days("snapshot")
        self._write("snapshot", snapshot)
        timestamp = Metadata[Timestamp].from_file(str(self._metadata / "timestamp.json"))
        timestamp.signed.version += 1
        timestamp.signed.expires = _in_days("timestamp")
        timestamp.signed.snapshot_meta = MetaFile(snapshot.signed.version)
        self._write("timestamp", timestamp)

    def _version(self, role: str) -> int:
        return max(int(path.name.split(".")[0]) for path in self._metadata.glob(f"*.{role}.json"))

    def _write(self, role: str, metadata: Metadata[Any]) -> None:  # Any: one of the four kinds
        metadata.sign(self._signers[role])
        name = "timestamp.json" if role == "timestamp" else f"{metadata.signed.version}.{role}.json"
        metadata.to_file(str(self._metadata / name))


def _in_days(role: str) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) + timedelta(days=DAYS[role])


@contextmanager
def served_releases(folder: Path) -> Iterator[tuple[ReleaseFolder, str]]:
    """An empty repository of releases in a folder, and the address where it is served meanwhile."""
    repository = ReleaseFolder(folder, make_signers())
    repository.create()
    handler = functools.partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield repository, f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...
