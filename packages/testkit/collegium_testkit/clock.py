"""A clock that stands still until a test moves it."""

import threading
from datetime import UTC, datetime, timedelta


class ManualClock:
    """Callable like the product's clocks: aware UTC. Safe to move from another thread."""

    def __init__(self, at: datetime | None = None) -> None:
        self._at = at or datetime(2026, 1, 13, 9, 30, tzinfo=UTC)
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        with self._lock:
            return self._at

    def advance(self, *, seconds: float = 0.0, minutes: float = 0.0, days: float = 0.0) -> datetime:
        with self._lock:
            self._at += timedelta(seconds=seconds, minutes=minutes, days=days)
            return self._at
