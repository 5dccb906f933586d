"""Tell glibc to keep large blocks instead of giving them back after every object.

Measured: bodies over the mmap threshold otherwise cost a map, page faults and an unmap each time, 2-4
times the work. Anything that is not glibc ignores it.
"""

import ctypes
import sys
from typing import Final

_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3


def keep_large_blocks() -> None:
    """Call once, before threads start."""
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, 256 << 20)
        mallopt(_TRIM_THRESHOLD, 1 << 30)
