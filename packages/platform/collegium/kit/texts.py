"""Text from outside that PostgreSQL can hold: no NUL, no half of a surrogate pair."""

from __future__ import annotations

import re

_UNSTORABLE = re.compile("[\\x00\\ud800-\\udfff]")
MAX_DEPTH = 40


def is_storable(text: str) -> bool:
    return not _UNSTORABLE.search(text)


def storable(text: str) -> str:
    """The text without what cannot be stored."""
    return _UNSTORABLE.sub("", text)


def all_storable(found: object, *, depth: int = 0) -> bool:
    """Whether every text in a JSON value, names included, can be stored; nor is it nested too deep."""
    if isinstance(found, str):
        return is_storable(found)
    if depth > MAX_DEPTH:
        return False
    if isinstance(found, dict):
        return all(is_storable(name) and all_storable(one, depth=depth + 1) for name, one in found.items())
    return not isinstance(found, list) or all(all_storable(one, depth=depth + 1) for one in found)


__all__ = ["all_storable", "is_storable", "storable"]
