"""A few threads that all deliveries share for their uploads: one connection each."""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future

_Task = tuple[Future[None], Callable[[], None]]


class Lanes:
    """Runs what is handed in, in that order. Its threads are daemons: a server that hangs holds up no exit."""

    def __init__(self, count: int) -> None:
        self.count = count
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        for number in range(count):
            threading.Thread(target=self._run, name=f"upload-{number}", daemon=True).start()

    def submit(self, work: Callable[[], None]) -> Future[None]:
        future: Future[None] = Future()
        self._tasks.put((future, work))
        return future

    def close(self) -> None:
        for _ in range(self.count):
            self._tasks.put(None)

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            future, work = task
            if not future.set_running_or_notify_cancel():
                continue
            try:
                work()
            except BaseException as error:  # noqa: BLE001 - raised again where the future is asked
                future.set_exception(error)
            else:
                future.set_result(None)
