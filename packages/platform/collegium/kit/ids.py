"""Ids: UUID version 7 everywhere (RFC 9562, section 5.7), so that rows sort by birth."""

from __future__ import annotations

import os
import time
from uuid import UUID


def uuid7() -> UUID:
    """A fresh UUID version 7: 48 bits of Unix milliseconds, the rest random."""
    milliseconds = time.time_ns() // 1_000_000
    number = (milliseconds & ((1 << 48) - 1)) << 80 | int.from_bytes(os.urandom(10))
    number = number & ~(0xF << 76) | 0x7 << 76  # version
    number = number & ~(0x3 << 62) | 0x2 << 62  # variant
    return UUID(int=number)


def parse(text: str) -> UUID | None:
    """The UUID a person or a peer wrote, or None: a malformed id is simply not found."""
    try:
        return UUID(text)
    except ValueError:
        return None
