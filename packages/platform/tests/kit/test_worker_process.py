"""The worker process outlives its database: it ends when its worker ends, and looks again for what was left."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from procrastinate.exceptions import ConnectorException

from collegium.cli import worker
from collegium_testkit.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import pytest


class Jobs:
    """What procrastinate says of jobs, with a database that is away or slow to answer."""

    def __init__(self, *, away: int = 0, swallows: int = 0) -> None:
        """Args: how often the database is away; how many cancellations a waiting question swallows."""
        self._away, self._swallows = away, swallows
        self.is_asked = asyncio.Event()
        self.taken_up: list[int] = []
        self.is_done = asyncio.Event()

    async def get_stalled_jobs(self, *, seconds_since_heartbeat: float) -> list[Any]:  # Any: a job
        assert seconds_since_heartbeat == worker.DEAD_AFTER_S
        self.is_asked.set()
        if self._away:
            self._away -= 1
            raise ConnectorException
        try:
            await asyncio.sleep(0.05)
        except asyncio.CancelledError:
            self._swallows -= 1
            if self._swallows < 0:
                raise
        return [] if self.taken_up else [SimpleNamespace(id=7, task_name="collegium.react")]

    async def retry_job(self, job: Any) -> None:  # Any: a job
        self.taken_up.append(job.id)
        self.is_done.set()


def app(jobs: Jobs, until: str) -> Any:  # Any: stands for procrastinate's App
    @asynccontextmanager
    async def open_async() -> AsyncIterator[None]:
        yield

    async def run_worker_async(**_options: object) -> None:
        await getattr(jobs, until).wait()

    return SimpleNamespace(open_async=open_async, run_worker_async=run_worker_async, job_manager=jobs)


def test_it_ends_with_its_worker_though_a_question_to_the_database_swallows_a_cancellation() -> None:
    async def ends() -> bool:
        work = asyncio.create_task(worker._work(app(Jobs(swallows=1), "is_asked")))
        done, _ = await asyncio.wait({work}, timeout=PATIENCE_S)
        return bool(done)

    assert asyncio.run(ends())


def test_it_takes_up_what_was_left_once_its_database_is_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "HEARTBEAT_S", 0.01)

    async def taken_up() -> list[int]:
        jobs = Jobs(away=2)
        await asyncio.wait_for(worker._work(app(jobs, "is_done")), PATIENCE_S)
        return jobs.taken_up

    assert asyncio.run(taken_up()) == [7]
