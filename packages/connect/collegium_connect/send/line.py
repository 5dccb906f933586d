"""What is known of the line to the server as a whole: it holds, or how long to leave it alone."""

import random
import threading
import time
from collections.abc import Callable

from collegium_connect.send.backoff import delay_s


class Line:
    """Shared by all who send. After a failure of the line one of them tries it, alone, until it holds again."""

    def __init__(self, chance: random.Random, elapsed_s: Callable[[], float] = time.monotonic) -> None:
        self._chance, self._elapsed_s = chance, elapsed_s
        self._lock = threading.Lock()
        self._failures, self._until_s = 0, 0.0
        self.problem = ""
        """Why the last attempt met no working server, in words; empty while the line holds."""

    def is_free(self, busy: int) -> bool:
        """Whether one more attempt may begin while `busy` others are under way."""
        with self._lock:
            return not self._failures or (busy == 0 and self._elapsed_s() >= self._until_s)

    def failed(self, problem: str) -> float:
        """Note a failure that no single delivery is to blame for; seconds until the next try."""
        with self._lock:
            # Attempts that were under way together fail together: one failure, not many.
            if self._elapsed_s() >= self._until_s or not self._failures:
                self._failures += 1
                self._until_s = self._elapsed_s() + delay_s(self._failures, self._chance)
            self.problem = problem
            return max(0.0, self._until_s - self._elapsed_s())

    def holds(self) -> None:
        """Something came through."""
        with self._lock:
            self._failures, self._until_s, self.problem = 0, 0.0, ""

    def try_now(self) -> None:
        """A person does not want to wait any longer."""
        with self._lock:
            self._until_s = 0.0
