"""How tests wait for what must come: until it is true, with more patience than any machine needs."""

import time
from collections.abc import Callable
from typing import Final

PATIENCE_S: Final = 120.0
"""Only a test that fails ever waits this long. Machines that build are slow, shared, and stall for seconds."""
_FIRST_PAUSE_S: Final = 0.02
_LONGEST_PAUSE_S: Final = 0.3


def until(
    condition: Callable[[], object],
    what: str = "what must come",
    patience_s: float = PATIENCE_S,
    story: Callable[[], str] = str,
) -> None:
    """Wait for a condition, asked less and less often; `story` tells more when it does not come true."""
    ends, pause_s = time.monotonic() + patience_s, _FIRST_PAUSE_S
    while not condition():
        assert time.monotonic() < ends, f"Waited {patience_s:.0f} s for {what}. {story()}"
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.2, _LONGEST_PAUSE_S)
