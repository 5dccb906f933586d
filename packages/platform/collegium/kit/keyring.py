"""The installation's own keys: three files that only its account may read.

`root.key` wraps the organisations' keys (AES-256), `head.key` signs audit tree heads
(Ed25519 seed), `session.key` signs cookies. Losing `root.key` loses every stored
object: `collegium keys backup` copies them under a passphrase.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from collegium.kit.errors import CollegiumError, Invalid

if TYPE_CHECKING:
    from pathlib import Path

NAMES = ("root", "head", "session")
BACKUP_FORMAT = "collegium-keys-1"


class KeysMissing(CollegiumError):
    code = "kit.keyring.missing"
    message = "The key files are missing. Restore them with `collegium keys restore`, never make new ones."


class BackupUnreadable(Invalid):
    code = "kit.keyring.backup_unreadable"
    message = "The passphrase is wrong or the backup file is damaged. No key was changed."


@dataclass(frozen=True, slots=True)
class Keyring:
    """The three keys of an installation, 32 bytes each."""

    root: bytes
    head: bytes
    session: bytes

    @property
    def signer(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.head)

    def wrap(self, key: bytes, bound_to: bytes) -> bytes:
        """`key` under the root key; `bound_to` must be given again to unwrap. 12-byte nonce first."""
        nonce = secrets.token_bytes(12)
        return nonce + AESGCM(self.root).encrypt(nonce, key, bound_to)

    def unwrap(self, wrapped: bytes, bound_to: bytes) -> bytes:
        """The key inside.

        Raises:
            KeysMissing: this root key did not wrap it.
        """
        try:
            return AESGCM(self.root).decrypt(wrapped[:12], wrapped[12:], bound_to)
        except InvalidTag as error:
            raise KeysMissing(
                "The root key does not open this installation's keys. Restore the right one."
            ) from error


def load(folder: Path) -> Keyring:
    """Read the keys.

    Raises:
        KeysMissing: a file is not there.
    """
    try:
        return Keyring(*((folder / f"{name}.key").read_bytes() for name in NAMES))
    except FileNotFoundError as error:
        raise KeysMissing from error


def create(folder: Path) -> Keyring:
    """Make the keys of a new installation; existing files are kept as they are."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in NAMES:
        _write_new(folder / f"{name}.key", secrets.token_bytes(32))
    return load(folder)


def backup(folder: Path, target: Path, passphrase: str) -> str:
    """Write all keys to `target`, sealed under `passphrase` (scrypt, AES-256-GCM); returns its digest."""
    ring = load(folder)
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    clear = json.dumps({name: getattr(ring, name).hex() for name in NAMES}, sort_keys=True).encode()
    sealed = AESGCM(_stretch(passphrase, salt)).encrypt(nonce, clear, BACKUP_FORMAT.encode())
    body = {
        "format": BACKUP_FORMAT,
        "salt": salt.hex(),
        "nonce": nonce.hex(),
        "keys": base64.b64encode(sealed).decode(),
    }
    data = json.dumps(body, indent=1).encode() + b"\n"
    _write_new(target, data)
    (folder / "backed-up").write_text(sha256(ring.root + ring.head).hexdigest() + "\n", "utf-8")
    return sha256(data).hexdigest()


def restore(source: Path, folder: Path, passphrase: str) -> None:
    """Write the keys of a backup into an empty `folder`.

    Raises:
        BackupUnreadable: wrong passphrase or damaged file; nothing was written.
        FileExistsError: a key is already there; it was kept.
    """
    try:
        body = json.loads(source.read_bytes())
        salt, nonce = bytes.fromhex(body["salt"]), bytes.fromhex(body["nonce"])
        clear = AESGCM(_stretch(passphrase, salt)).decrypt(
            nonce, base64.b64decode(body["keys"]), str(body["format"]).encode()
        )
    except (InvalidTag, ValueError, KeyError, TypeError) as error:
        raise BackupUnreadable from error
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any((folder / f"{name}.key").exists() for name in NAMES):
        raise FileExistsError("This installation already has keys; they were kept.")
    for name, value in json.loads(clear).items():
        _write_new(folder / f"{name}.key", bytes.fromhex(value))


def is_backed_up(folder: Path) -> bool:
    """Whether the keys in use were backed up since they were made."""
    try:
        ring, note = load(folder), (folder / "backed-up").read_text("utf-8").strip()
    except (KeysMissing, FileNotFoundError):
        return False
    return note == sha256(ring.root + ring.head).hexdigest()


def _stretch(passphrase: str, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=1 << 15, r=8, p=1).derive(passphrase.encode())


def _write_new(path: Path, data: bytes) -> None:
    """Create a private file durably; an existing one is kept."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
