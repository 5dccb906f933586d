"""The key files: private, never overwritten, restored only with the passphrase."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from collegium.kit import keyring

if TYPE_CHECKING:
    from pathlib import Path


def test_keys_are_private_and_made_once(tmp_path: Path) -> None:
    first = keyring.create(tmp_path / "keys")
    second = keyring.create(tmp_path / "keys")

    assert first == second
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "keys").iterdir())


@pytest.mark.requirement("S06", "U08")
def test_a_backup_restores_the_same_keys(tmp_path: Path) -> None:
    made = keyring.create(tmp_path / "keys")
    keyring.backup(tmp_path / "keys", tmp_path / "backup.json", "a passphrase")

    keyring.restore(tmp_path / "backup.json", tmp_path / "new", "a passphrase")

    assert keyring.load(tmp_path / "new") == made
    assert keyring.is_backed_up(tmp_path / "keys")


def test_a_wrong_passphrase_restores_nothing(tmp_path: Path) -> None:
    keyring.create(tmp_path / "keys")
    keyring.backup(tmp_path / "keys", tmp_path / "backup.json", "a passphrase")

    with pytest.raises(keyring.BackupUnreadable):
        keyring.restore(tmp_path / "backup.json", tmp_path / "new", "another")

    assert not (tmp_path / "new").exists()


def test_a_backup_holds_no_key_in_clear(tmp_path: Path) -> None:
    made = keyring.create(tmp_path / "keys")
    keyring.backup(tmp_path / "keys", tmp_path / "backup.json", "a passphrase")

    written = (tmp_path / "backup.json").read_text("utf-8")

    assert made.root.hex() not in written
    assert (tmp_path / "backup.json").stat().st_mode & 0o077 == 0


def test_restoring_over_keys_is_refused_and_keeps_them(tmp_path: Path) -> None:
    made = keyring.create(tmp_path / "keys")
    keyring.backup(tmp_path / "keys", tmp_path / "backup.json", "a passphrase")

    with pytest.raises(FileExistsError):
        keyring.restore(tmp_path / "backup.json", tmp_path / "keys", "a passphrase")

    assert keyring.load(tmp_path / "keys") == made


def test_a_wrapped_key_opens_for_its_own_row_only(tmp_path: Path) -> None:
    ring = keyring.create(tmp_path / "keys")
    wrapped = ring.wrap(bytes(32), b"row one")

    assert ring.unwrap(wrapped, b"row one") == bytes(32)
    with pytest.raises(keyring.KeysMissing):
        ring.unwrap(wrapped, b"row two")


def test_missing_keys_are_named_never_made_anew(tmp_path: Path) -> None:
    with pytest.raises(keyring.KeysMissing, match="never make new ones"):
        keyring.load(tmp_path)
