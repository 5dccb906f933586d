"""Passwords as scrypt digests that carry their own parameters."""

import hashlib
import hmac
import secrets
from typing import Final, NamedTuple

from collegium_connect.people.errors import PasswordWeak

_MEMORY: Final = 64 << 20
_LEAST, _MOST = 12, 1024


class Cost(NamedTuple):
    """How much work a guess is."""

    n: int
    r: int
    p: int


# 32 MB and about a quarter of a second: OWASP Password Storage Cheat Sheet, scrypt.
STRONG: Final = Cost(1 << 15, 8, 3)


def digest_of(name: str, password: str, cost: Cost = STRONG) -> str:
    """The digest to keep.

    Raises:
        PasswordWeak: too short, too long, or the name itself.
    """
    if not _LEAST <= len(password) <= _MOST or password.casefold() == name.casefold():
        raise PasswordWeak
    salt = secrets.token_bytes(16)
    return f"scrypt${cost.n}${cost.r}${cost.p}${salt.hex()}${_scrypt(password, salt, cost).hex()}"


def matches(digest: str, password: str) -> bool:
    """Whether this is the password; in constant time but for its length."""
    _, n, r, p, salt, expected = digest.split("$")
    found = _scrypt(password[:_MOST], bytes.fromhex(salt), Cost(int(n), int(r), int(p)))
    return hmac.compare_digest(found, bytes.fromhex(expected))


def _scrypt(password: str, salt: bytes, cost: Cost) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, **cost._asdict(), maxmem=_MEMORY, dklen=32)
