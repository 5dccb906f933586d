"""How the tests below this folder wait: for what must come to be true, with more patience than any machine needs."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from collegium_testkit.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.02, 0.3


def until(
    condition: Callable[[], object], what: str, patience_s: float = PATIENCE_S, story: Callable[[], str] = str
) -> None:
    """Wait for a condition, asked less and less often; `story` tells more when it does not come true."""
    ends, pause_s = time.monotonic() + patience_s, _FIRST_PAUSE_S
    while not condition():
        assert time.monotonic() < ends, f"Waited {patience_s:.0f} s for {what}. {story()}"
        time.sleep(pause_s)
        pause_s = min(pause_s * 1.2, _LONGEST_PAUSE_S)
