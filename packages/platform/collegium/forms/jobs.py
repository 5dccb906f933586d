"""Autosaved answers enter the audit chain when their form was left alone: one digest a flush."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from collegium.forms import queries, services
from collegium.kit.database import acting_as, anonymous
from collegium.kit.errors import NotFound
from collegium.kit.jobs import periodic
from collegium.trust.access.queries import actor_in

if TYPE_CHECKING:
    from collegium.forms.queries import IdleEntry

IDLE = timedelta(seconds=60)
"""How long nothing was saved in an entry before its changes are flushed."""

JOB = "forms.flush"


@periodic(JOB, cron="* * * * *")
def flush_idle(timestamp: int) -> None:  # noqa: ARG001  every periodic job is told when it was due
    """Flush every idle entry, each on behalf of who changed it and in a transaction of its own.

    Raises:
        ExceptionGroup: what went wrong with single entries, after all others were flushed.
    """
    with anonymous():
        waiting = queries.idle_entries(idle=IDLE)
    failures: list[Exception] = []
    for one in waiting:
        try:
            _flush(one)
        except NotFound:
            continue  # left the project a moment ago
        except Exception as error:  # noqa: BLE001  raised below: one bad entry must not keep the others waiting
            failures.append(error)
    if failures:
        raise ExceptionGroup("Some idle entries could not be flushed.", failures)


def _flush(one: IdleEntry) -> None:
    principal = one.principal.as_job(JOB)
    with acting_as(principal, [one.space_id]):
        services.flush_entry(actor=actor_in(principal, one.space_id), entry_id=one.entry_id)
