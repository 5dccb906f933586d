"""Run one part of the gateway again and again in a thread of its own."""

import threading
from collections.abc import Callable
from typing import Final

from collegium_connect.log import EventLog

log = EventLog("service")

_AFTER_FAULT_S: Final = 1.0


class Loop:
    """`work` again and again: at once while it returns something true, else after a pause or a ring.

    A fault in it is logged and does not end it: the queue must go on.
    """

    def __init__(self, name: str, work: Callable[[], object], pause_s: Callable[[], float]) -> None:
        self.name = name
        self._work, self._pause_s = work, pause_s
        self._bell, self._stopping = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def ring(self) -> None:
        """There is something to do; from any thread."""
        self._bell.set()

    def ask_to_stop(self) -> None:
        self._stopping.set()
        self._bell.set()

    def stop(self, timeout_s: float) -> None:
        self.ask_to_stop()
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._bell.clear()  # before the work: what rings while it runs is not forgotten
            if not self._once() and not self._stopping.is_set():
                self._bell.wait(self._pause_s())

    def _once(self) -> bool:
        try:
            return bool(self._work())
        except Exception as error:  # noqa: BLE001 - the log says what happened, the next turn tries again
            log.fault(f"{self.name}.failed", error)
            self._stopping.wait(_AFTER_FAULT_S)
            return False
