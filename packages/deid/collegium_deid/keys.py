"""The site key: everything that must be the same tomorrow follows from it, and nothing is looked up.

One key per (project, site), made at the gateway. New UIDs and the date offset of a patient are keyed
hashes (HMAC-SHA-256), so resends and follow-ups agree across machines, two sites or projects have
nothing in common, and without the key nobody can go back.
"""

from __future__ import annotations

import functools
import hmac
import os
import secrets
from typing import TYPE_CHECKING, Final

from collegium_deid.errors import DeidError

if TYPE_CHECKING:
    from pathlib import Path

KEY_BYTES: Final = 32


class SiteKey:
    """32 secret bytes; its representation never shows them."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise DeidError("deid.key.length", f"A site key has {KEY_BYTES} bytes.")
        self._secret = bytes(secret)

    @classmethod
    def generate(cls) -> SiteKey:
        return cls(secrets.token_bytes(KEY_BYTES))

    @classmethod
    def load(cls, path: Path) -> SiteKey:
        """Read a key file: 64 hex digits.

        Raises:
            DeidError: it cannot be read or holds something else.
        """
        try:
            secret = bytes.fromhex(path.read_text("ascii").strip())
        except (OSError, ValueError) as error:
            raise DeidError(
                "deid.key.unreadable", "The key file cannot be read or is no key file."
            ) from error
        return cls(secret)

    def save_new(self, path: Path) -> None:
        """Write the key to a new file only its owner can read; an existing file is never replaced.

        Raises:
            DeidError: there is a file of that name, or it cannot be written.
        """
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as error:
            raise DeidError(
                "deid.key.exists", "The key file exists already and is never replaced. Use it with --key."
            ) from error
        except OSError as error:
            raise DeidError(
                "deid.key.not_written", f"The key file cannot be made ({error.strerror})."
            ) from error
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(self._secret.hex() + "\n")
            file.flush()
            os.fsync(file.fileno())

    def uid(self, old: str) -> str:
        """The new UID of an old one: 2.25 and 128 keyed bits (PS3.5 section B.2)."""
        return self.uid_bytes(old.strip("\0 ").encode("latin-1", "replace")).decode()

    def uid_bytes(self, old: bytes) -> bytes:
        """As `uid`, for bytes without padding."""
        return _keyed_uid(self._secret, old)

    def offset_days(self, local_id: str, range_days: tuple[int, int]) -> int:
        """The patient's one date offset in whole days, between both ends, never 0.

        Args:
            local_id: PatientID as the site uses it; padding does not count.
            range_days: both ends included.

        Raises:
            DeidError: no day but 0 is in the range.
        """
        low, high = range_days
        holds_zero = low <= 0 <= high
        span = high - low + 1 - holds_zero
        if span < 1:
            raise DeidError("deid.dates.range", "The range of days is empty.")
        digest = hmac.digest(self._secret, b"date\0" + local_id.strip("\0 ").encode(), "sha256")
        offset = low + int.from_bytes(digest[:16], "big") % span
        return offset + 1 if holds_zero and offset >= 0 else offset

    def apart(self, old: bytes, mark: bytes) -> SiteKey:
        """This key, but that one old UID becomes another new one, the same for the same mark.

        For an exam that came under one study UID and is of two patients.
        """
        return _ApartKey(self._secret, old, mark)

    def __repr__(self) -> str:
        return "SiteKey(secret)"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SiteKey) and hmac.compare_digest(self._secret, other._secret)

    def __hash__(self) -> int:
        return hash(self._secret)


class _ApartKey(SiteKey):
    """See `SiteKey.apart`."""

    __slots__ = ("_mark", "_old")

    def __init__(self, secret: bytes, old: bytes, mark: bytes) -> None:
        super().__init__(secret)
        self._old, self._mark = old, mark

    def uid_bytes(self, old: bytes) -> bytes:
        return super().uid_bytes(b"apart\0%b\0%b" % (old, self._mark) if old == self._old else old)

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _ApartKey)
            and super().__eq__(other)
            and (self._old, self._mark) == (other._old, other._mark)
        )

    def __hash__(self) -> int:
        return hash((self._secret, self._old, self._mark))


# Every slice names its exam, series and frame of reference, and itself twice.
@functools.lru_cache(maxsize=1024)
def _keyed_uid(secret: bytes, old: bytes) -> bytes:
    digest = hmac.digest(secret, b"uid\0" + old, "sha256")
    return b"2.25.%d" % int.from_bytes(digest[:16], "big")
