"""Run the gateway and kill it, as a power cut does, at one chosen step of the line.

    python -m collegium_testkit.killing STEP NUMBER up --config FILE

The process ends when STEP is done for the NUMBERth time.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING, Any, Final

from collegium_connect.cli import main
from collegium_connect.inspection.inspector import Inspector
from collegium_connect.journal import deliveries, objects
from collegium_connect.ledger import JournalLedger
from collegium_connect.send.client import ServerClient
from collegium_connect.spool import Segments, Stores

if TYPE_CHECKING:
    from collections.abc import Callable

STEPS: Final[dict[str, tuple[Any, str]]] = {  # Any: a class or a module
    "room is taken": (Segments, "reserve"),
    "a record is written": (Segments, "append"),
    "records are synced": (Segments, "sync"),
    "rows are written, not committed": (objects, "record"),
    "an object is committed, not answered": (JournalLedger, "record"),
    "a batch is inspected": (Inspector, "_settle"),
    "a delivery is written, not committed": (deliveries, "add"),
    "a manifest is sent": (ServerClient, "open_delivery"),
    "objects are sent": (ServerClient, "send_objects"),
    "a receipt is there, not written down": (ServerClient, "complete"),
    "a receipt is written, not committed": (deliveries, "finish"),
    "a record is forgotten": (Stores, "forget"),
}
"""What was just done when the process ends."""


def kill_after(step: str, number: int) -> None:
    """Let this process end when `step` was done so often."""
    owner, name = STEPS[step]
    real: Callable[..., object] = getattr(owner, name)
    left = [number]

    def then_die(*args: object, **keywords: object) -> object:
        done = real(*args, **keywords)
        left[0] -= 1
        if left[0] <= 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    setattr(owner, name, then_die)


if __name__ == "__main__":
    kill_after(sys.argv[1], int(sys.argv[2]))
    sys.exit(main(sys.argv[3:]))
