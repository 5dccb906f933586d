"""How tests wait for what must come."""

import time
from collections.abc import Callable
from typing import Final

PATIENCE_S: Final = 120.0
"""Only a test that fails ever waits this long. Machines that build are slow, shared, and stall for seconds."""


def until(condition: Callable[[], object], timeout_s: float = PATIENCE_S) -> None:
    """Wait for something to become true."""
    ends = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < ends, "It did not come true in time."
        time.sleep(0.02)
