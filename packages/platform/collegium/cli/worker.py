"""The worker process: runs background jobs until it is asked to stop, and takes up those of workers that died."""

from __future__ import annotations

import asyncio
import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import django
import structlog
from procrastinate.exceptions import ConnectorException

if TYPE_CHECKING:
    from procrastinate import App

log = structlog.get_logger(__name__)

HEARTBEAT_S = 3.0
DEAD_AFTER_S = 12.0
"""Seconds without a heartbeat after which a worker's jobs are begun again. They are idempotent."""


def main() -> None:
    """Run jobs of every queue; SIGTERM lets the running ones end."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "collegium.settings.django")
    django.setup()
    from procrastinate.contrib.django import app  # noqa: PLC0415  after setup

    from collegium import wiring  # noqa: PLC0415  after setup

    wiring.connect()
    connector: Any = app.connector  # Any: the Django connector has a method the base class lacks
    asyncio.run(_work(app.with_connector(connector.get_worker_connector())))


async def _work(app: App) -> None:
    async with app.open_async():
        ended = asyncio.Event()
        taking_up = asyncio.create_task(_take_up_what_was_left(app, ended))
        try:
            await app.run_worker_async(
                concurrency=4,
                shutdown_graceful_timeout=3,
                update_heartbeat_interval=HEARTBEAT_S,
                stalled_worker_timeout=DEAD_AFTER_S,
            )
        finally:
            # Told, not cancelled: a pool that waits for its database may swallow a cancellation, and this process
            # would live on without a worker in it.
            ended.set()
            await taking_up


async def _take_up_what_was_left(app: App, ended: asyncio.Event) -> None:
    """Queue the jobs of killed workers again: procrastinate finds them, but leaves them as they are."""
    while not ended.is_set():
        try:
            for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=DEAD_AFTER_S):
                log.warning("job.taken_up", job=job.id, task=job.task_name)
                await app.job_manager.retry_job(job)
        except ConnectorException:
            log.warning("jobs.not_looked_at", again_in_s=HEARTBEAT_S)  # the database is away
        with suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), HEARTBEAT_S)
