"""One process at a time: a lock on an open file, given back by the system when its holders are gone."""

from __future__ import annotations

import sys
import time
from typing import IO, Any, Final

from collegium_deid.errors import DeidError

if sys.platform != "win32":  # there, two runs at once are the operator's care
    import fcntl

_TRIES: Final = 20
_PAUSE_S: Final = 0.1


def lock(file: IO[Any]) -> None:  # Any: text or bytes, it is only locked
    """Hold the file until it is closed. Workers of a killed run hold on for a moment longer, so wait a little.

    Raises:
        DeidError: another run holds it.
    """
    if sys.platform == "win32":
        return
    for _ in range(_TRIES):
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(_PAUSE_S)
        else:
            return
    raise DeidError("deid.run.busy", "Another run is working with this output folder or link table.")
