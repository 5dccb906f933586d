"""Work on many items in processes: in order, with a bounded queue, one core each.

A worker that dies (out of memory, a crash in a codec) costs one item, which is named; the rest goes
on. The first Ctrl-C lets what was begun end; the second does not wait.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any, Final, Generic, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import FrameType, TracebackType

Item = TypeVar("Item")
Result = TypeVar("Result")

# Starting processes costs more than a few files do.
_WORTH_PROCESSES: Final = 8
_QUEUED_PER_WORKER: Final = 3
_CHUNK_SECONDS: Final = 0.05
_CHUNK_ITEMS: Final = 32
_MAX_JOBS: Final = 256

# Copying the parent spares each worker the reading of dictionary and recipe.
_CONTEXT: Final = multiprocessing.get_context("fork" if sys.platform == "linux" else "spawn")


class Stop:
    """Ctrl-C taken politely: the first asks, the second raises."""

    def __init__(self) -> None:
        # A byte without a lock: a signal handler must not wait for one.
        self.flag = _CONTEXT.RawValue("b", 0)
        self._before: Any = None  # Any: whatever handler Python had

    @property
    def asked(self) -> bool:
        return bool(self.flag.value)

    def ask(self) -> None:
        """Let end what was begun, and begin nothing more."""
        self.flag.value = 1

    def __enter__(self) -> Self:
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._interrupted)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _interrupted(self, _number: int, _frame: FrameType | None) -> None:
        if self.flag.value:
            raise KeyboardInterrupt
        self.ask()


class Workers(Generic[Item, Result]):
    """Applies `work` to items.

    Args:
        work: picklable; never raises. Called in this process when there is little to do.
        lost: the result for an item whose worker died.
        jobs: processes.
        stop: asked between items.
    """

    def __init__(
        self, work: Callable[[Item], Result], lost: Callable[[Item], Result], *, jobs: int, stop: Stop
    ) -> None:
        self._work, self._lost, self._stop = work, lost, stop
        self._jobs = max(1, min(jobs, _MAX_JOBS))
        self._size = 1

    def run(self, items: list[Item]) -> Iterator[tuple[Item, Result]]:
        """Each item with its result, in the order of the items; ends early when asked to stop."""
        if self._jobs == 1 or len(items) < _WORTH_PROCESSES:
            for item in items:
                if self._stop.asked:
                    return
                yield item, self._work(item)
            return
        yield from self._in_processes(iter(items))

    def _in_processes(self, items: Iterator[Item]) -> Iterator[tuple[Item, Result]]:
        waiting: deque[tuple[list[Item], Future[tuple[list[Result], float]]]] = deque()
        executor = self._executor(self._jobs)
        try:
            while True:
                while len(waiting) < self._jobs * _QUEUED_PER_WORKER and (chunk := self._next(items)):
                    waiting.append((chunk, _submitted(executor, chunk)))
                if not waiting:
                    return
                chunk, future = waiting.popleft()
                try:
                    results, seconds = future.result()
                except BrokenProcessPool:
                    waiting.appendleft((chunk, future))
                    executor.shutdown(wait=True, cancel_futures=True)
                    yield from self._one_by_one([item for lost, _ in waiting for item in lost])
                    waiting.clear()
                    executor = self._executor(self._jobs)
                    continue
                if results:
                    wanted = _CHUNK_SECONDS * len(results) / max(seconds, 1e-6)
                    self._size = max(1, min(_CHUNK_ITEMS, round(wanted)))
                yield from zip(chunk, results, strict=False)  # fewer when asked to stop
        finally:
            executor.shutdown(wait=True, cancel_futures=True)

    def _next(self, items: Iterator[Item]) -> list[Item]:
        if self._stop.asked:
            return []
        return [item for _, item in zip(range(self._size), items, strict=False)]

    def _one_by_one(self, items: Iterable[Item]) -> Iterator[tuple[Item, Result]]:
        """Find the item that kills its worker, with a worker for each try."""
        executor = self._executor(1)
        try:
            for item in items:
                if self._stop.asked:
                    return
                try:
                    results, _ = executor.submit(_chunk, [item]).result()
                except BrokenProcessPool:
                    executor.shutdown(wait=True)
                    executor = self._executor(1)
                    results = [self._lost(item)]
                yield from zip([item], results, strict=False)
        finally:
            executor.shutdown(wait=True, cancel_futures=True)

    def _executor(self, jobs: int) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(jobs, _CONTEXT, _begin, (self._work, self._stop.flag))


def _submitted(executor: ProcessPoolExecutor, chunk: list[Any]) -> Future[Any]:  # Any: as in _Here
    """The future of a chunk; a broken one when the pool is broken already."""
    try:
        return executor.submit(_chunk, chunk)
    except BrokenProcessPool as error:
        future: Future[Any] = Future()  # Any: as in _Here
        future.set_exception(error)
        return future


class _Here:
    """What a worker process works with."""

    work: Callable[[Any], Any]  # Any: one pool has one kind of item
    flag: Any  # Any: ctypes has no type for a shared byte


def _begin(work: Callable[[Any], Any], flag: Any) -> None:  # Any: as in _Here
    """Once in each worker: Ctrl-C is the parent's, and nobody outlives the parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _Here.work, _Here.flag = work, flag
    threading.Thread(target=_leave_with_parent, daemon=True).start()


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _chunk(items: list[Any]) -> tuple[list[Any], float]:  # Any: as in _Here
    began = time.perf_counter()
    results = []
    for item in items:
        if _Here.flag.value:
            break
        results.append(_Here.work(item))
    return results, time.perf_counter() - began
