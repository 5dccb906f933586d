"""Background work on the same PostgreSQL (procrastinate), always on somebody's behalf.

One job per exam, series or batch, never per instance. A job is deferred in the
transaction of the change that needs it and runs in `acting_as` of whoever caused it.
Periodic jobs are the installation's own housekeeping; each lives in its room's `jobs.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from procrastinate import RetryStrategy
from procrastinate.contrib.django import app

from collegium.kit import events
from collegium.kit.principals import Principal

if TYPE_CHECKING:
    from collections.abc import Callable


def deliver(event: str, handler: str, payload: dict[str, object], principal: Principal) -> None:
    """Queue one reaction in the running transaction."""
    react.defer(event=event, handler=handler, payload=payload, principal=principal.text)


@app.task(name="collegium.react", retry=RetryStrategy(max_attempts=8, exponential_wait=2))
def react(*, event: str, handler: str, payload: dict[str, object], principal: str) -> None:
    """Deliver one event to one handler. The handler opens `acting_as` itself."""
    events.handle(event, handler, payload, Principal.parse(principal).behalf.as_job(event))


def job(name: str, *, queue: str = "default") -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Register a function as a background job called `name`; call `.defer(...)` on the result.

    Arguments are JSON; one of them is `principal`, the text form.
    """
    decorate: Callable[[Callable[..., None]], Callable[..., None]] = app.task(name=name, queue=queue)
    return decorate


def periodic(name: str, *, cron: str) -> Callable[[Callable[[int], None]], Callable[[int], None]]:
    """Register a function as a job that starts by itself, at the times `cron` says (UTC).

    It is given the second it was due. A job that still waits is not queued again, and one
    that still runs is waited for, however many workers there are.
    """

    def decorate(work: Callable[[int], None]) -> Callable[[int], None]:
        task = app.task(name=name, queueing_lock=name, lock=name)(work)
        registered: Callable[[int], None] = app.periodic(cron=cron)(task)
        return registered

    return decorate
