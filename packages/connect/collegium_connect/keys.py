"""The gateway's own secrets: made here, kept here in files of mode 0600, never sent.

The quarantine key seals what still carries identity; a key derived from it looks up local ids. One
site key per (project, site) decides new UIDs and date offsets: losing it splits follow-ups, so a key
that the journal remembers is never silently made again.
"""

import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from collegium_connect import machine
from collegium_connect.errors import KeyUnusable
from collegium_deid import SiteKey

_SIZE: Final = 32


class KeyFolder:
    """The key files below one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def make(self, name: str) -> bytes:
        """Make a key unless its file exists; the file and its folder are on disk when this returns."""
        path = self._path(name)
        if not path.exists():
            handle = machine.HERE.open_new(path)
            try:
                os.write(handle, secrets.token_bytes(_SIZE))
                os.fsync(handle)
            finally:
                os.close(handle)
            machine.HERE.sync_folder(self._folder)
        return self.read(name)

    def read(self, name: str) -> bytes:
        """The key of this name.

        Raises:
            KeyUnusable: missing, of the wrong size, or readable by others.
        """
        path = self._path(name)
        try:
            is_private, key = machine.HERE.is_private(path), path.read_bytes()
        except OSError as error:
            raise KeyUnusable(f"The key {path.name} cannot be read. Restore it from its backup.") from error
        if len(key) != _SIZE:
            raise KeyUnusable(f"The key {path.name} is damaged. Restore it from its backup.")
        if not is_private:
            raise KeyUnusable(
                f"The key {path.name} is readable by others. Keep it to the gateway's own account (0600)."
            )
        return key

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.key"


class Secrets:
    """What the gateway derives from its quarantine key."""

    def __init__(self, quarantine_key: bytes) -> None:
        self.sealing = _derive(quarantine_key, b"collegium connect sealing 1")
        self._lookup = _derive(quarantine_key, b"collegium connect lookup 1")

    def lookup(self, scope: int, value: str | bytes) -> bytes:
        """A keyed digest by which a value can be found again and not guessed."""
        data = value.encode() if isinstance(value, str) else value
        return hmac.digest(self._lookup, scope.to_bytes(8, "big") + data, "sha256")

    def lookup_in_pieces(self) -> hmac.HMAC:
        """The digest of `lookup_parts`, for data that come in pieces."""
        return hmac.new(self._lookup, digestmod="sha256")

    def lookup_parts(self, *parts: bytes | memoryview) -> bytes:
        """The same over large data, without joining it."""
        mac = self.lookup_in_pieces()
        for part in parts:
            mac.update(part)
        return mac.digest()


def load_secrets(keys: KeyFolder) -> Secrets:
    return Secrets(keys.make("quarantine"))


def site_key_name(scope: int) -> str:
    return f"site-{scope:04d}"


def site_key(key: bytes) -> SiteKey:
    return SiteKey(key)


def check_of(key: bytes) -> str:
    """A short digest that tells one key from another and says nothing else of it."""
    return hashlib.sha256(b"collegium key check 1" + key).hexdigest()[:16]


def _derive(key: bytes, info: bytes) -> bytes:
    return HKDFExpand(SHA256(), _SIZE, info).derive(key)
