"""How long to wait after a failed attempt: doubling, capped, with jitter."""

import random
from typing import Final

FIRST_S: Final = 1.0
# C16: a failure shows within a minute, so no wait hides it for longer than a few of them.
CAP_S: Final = 120.0


def delay_s(failures: int, chance: random.Random) -> float:
    """Seconds before the next try after `failures` of them; between half and all of the doubled time."""
    full = min(CAP_S, FIRST_S * 2.0 ** min(failures - 1, 20))
    return full * (0.5 + chance.random() / 2)
