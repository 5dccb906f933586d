"""The one JSON text of a value, and its digest: what is frozen, compared and signed."""

from __future__ import annotations

import hashlib
import json


def canonical(value: object) -> str:
    """Sorted keys, no spaces, non-ASCII kept, no floats' surprises (NaN refused)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def digest(text: str) -> str:
    """SHA-256 of the text as UTF-8, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()
