"""Megabits a second over the last minute."""

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Final

_SPAN_S: Final = 60.0
_STEP_S: Final = 1.0


class Meter:
    """Counts bytes as they pass. Safe between threads; memory: one number a second of the last minute."""

    def __init__(self, elapsed_s: Callable[[], float] = time.monotonic) -> None:
        self._elapsed_s, self._lock = elapsed_s, threading.Lock()
        self._began_s = elapsed_s()
        self._steps: deque[tuple[float, int]] = deque()
        self.total_bytes = 0

    def add(self, size: int) -> None:
        now_s = self._elapsed_s()
        with self._lock:
            self.total_bytes += size
            if self._steps and now_s - self._steps[-1][0] < _STEP_S:
                begun_s, counted = self._steps[-1]
                self._steps[-1] = (begun_s, counted + size)
            else:
                self._steps.append((now_s, size))
                self._forget(now_s)

    @property
    def mbps(self) -> float:
        now_s = self._elapsed_s()
        with self._lock:
            self._forget(now_s)
            counted = sum(size for _, size in self._steps)
        return counted * 8 / 1e6 / max(_STEP_S, min(_SPAN_S, now_s - self._began_s))

    def _forget(self, now_s: float) -> None:
        while self._steps and now_s - self._steps[0][0] > _SPAN_S:
            self._steps.popleft()
