"""UIDs as one grant shows them: unrelated to the archive's, the same every time, reversible by lookup alone."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Iterable

_STANDARD = "1.2.840.10008."


def projected(key: bytes, uid: str) -> str:
    """`uid` under a grant's key: `2.25.` and 128 bits of HMAC-SHA-256. The standard's own UIDs stay."""
    if not uid or uid.startswith(_STANDARD):
        return uid
    digest = hmac.digest(key, uid.encode(), hashlib.sha256)
    return f"2.25.{int.from_bytes(digest[:16], 'big')}"


def projected_mark(key: bytes, layer: str, mark_id: UUID) -> UUID:
    """The id under which a layer shows a mark: another one in each grant and layer (UUID version 8, RFC 9562)."""
    digest = hmac.digest(key, f"layer\0{layer}\0{mark_id}".encode(), hashlib.sha256)
    return UUID(int=int.from_bytes(digest[:16], "big") & ~(0xF << 76 | 0x3 << 62) | 0x8 << 76 | 0x2 << 62)


def archived(key: bytes, shown: str, candidates: Iterable[str]) -> str | None:
    """Which of the archive's UIDs is shown as `shown`; None when none of them is."""
    return next((uid for uid in candidates if projected(key, uid) == shown), None)
