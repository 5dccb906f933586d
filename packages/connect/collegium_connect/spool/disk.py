"""What the spool asks of the disk: bytes to a place, a sync, and room given back."""

import ctypes
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

_MOST_PIECES: Final = 512  # of one call; systems allow 1024
_KEEP_SIZE_AND_PUNCH: Final = 0x01 | 0x02  # FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE


def write_at(handle: int, offset: int, pieces: Sequence[bytes | bytearray | memoryview]) -> None:
    """Write pieces one behind the other from `offset` on, all of them."""
    left = [memoryview(piece).cast("B") for piece in pieces if len(piece)]
    while left:
        done = os.pwritev(handle, left[:_MOST_PIECES], offset)
        offset += done
        while left and done >= len(left[0]):
            done -= len(left.pop(0))
        if done:
            left[0] = left[0][done:]


def sync_file(handle: int) -> None:
    """Return when all that was written is on the disk."""
    if hasattr(os, "fdatasync"):
        os.fdatasync(handle)
    else:
        os.fsync(handle)


def punch(path: Path, start: int, size: int) -> bool:
    """Turn bytes of a file into a hole; False where system or file system knows no holes."""
    if _FALLOCATE is None:
        return False
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        return _FALLOCATE(handle, _KEEP_SIZE_AND_PUNCH, start, size) == 0
    finally:
        os.close(handle)


def _fallocate() -> Callable[[int, int, int, int], int] | None:
    if not sys.platform.startswith("linux"):
        return None
    function = getattr(ctypes.CDLL(None), "fallocate64", None)
    if function is None:
        return None
    function.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    function.restype = ctypes.c_int
    checked: Callable[[int, int, int, int], int] = function
    return checked


_FALLOCATE: Final = _fallocate()
