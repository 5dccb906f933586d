"""Keep a channel within its share of the line: a bucket of bytes that fills at the channel's rate."""

import threading
import time
from collections.abc import Callable
from typing import Final

_PER_MEGABIT: Final = 125_000
_BURST_S: Final = 0.25
PIECE_BYTES: Final = 64 << 10
"""A limited channel sends in pieces of this size, so that a slow one still moves every few seconds."""


class Pace:
    """How much each channel may send now. Safe between threads; all uploads of a channel share one bucket."""

    def __init__(self, elapsed_s: Callable[[], float] = time.monotonic) -> None:
        self._elapsed_s, self._lock = elapsed_s, threading.Lock()
        self._free_at_s: dict[str, float] = {}

    def wait_s(self, channel_id: str, max_mbps: int, size: int) -> float:
        """Take `size` bytes of the channel's share; how many seconds to wait before sending them."""
        if not max_mbps:
            return 0.0
        now_s = self._elapsed_s()
        with self._lock:
            begins_s = max(self._free_at_s.get(channel_id, 0.0), now_s - _BURST_S)
            self._free_at_s[channel_id] = begins_s + size / (max_mbps * _PER_MEGABIT)
        return max(0.0, begins_s - now_s)
