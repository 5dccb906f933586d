"""Decisions that a process relies on for a few seconds, and drops at once when it is told to."""

from __future__ import annotations

import time
from threading import Lock
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Key = TypeVar("Key")
Value = TypeVar("Value")
_MOST = 10_000


class Kept(Generic[Key, Value]):
    """Values by key for so many seconds, for many threads.

    What was asked of the database before something was dropped may be older than the reason for dropping it; so
    `keep` wants the mark that `begin` gave before the question, and keeps nothing when there was a drop meanwhile.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._values: dict[Key, tuple[float, Value]] = {}
        self._drops = 0
        self._lock = Lock()

    def get(self, key: Key) -> Value | None:
        with self._lock:
            kept = self._values.get(key)
        return kept[1] if kept and time.monotonic() - kept[0] < self._seconds else None

    def begin(self) -> int:
        """A mark to take before the database is asked."""
        return self._drops

    def keep(self, key: Key, value: Value, mark: int) -> None:
        with self._lock:
            if mark != self._drops:
                return
            if len(self._values) >= _MOST:
                self._values.clear()
            self._values[key] = (time.monotonic(), value)

    def drop(self, which: Callable[[Key], bool] | None = None) -> None:
        """Drop the keys that `which` says, or everything."""
        with self._lock:
            self._drops += 1
            for key in [key for key in self._values if which is None or which(key)]:
                del self._values[key]
