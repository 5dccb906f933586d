"""Housekeeping of the object store: what no row names goes after a day."""

from __future__ import annotations

from collegium.imaging.ingest import services
from collegium.kit.jobs import periodic


@periodic("ingest.sweep", cron="17 3 * * *")
def sweep(timestamp: int) -> None:  # noqa: ARG001  every periodic job is told when it was due
    """Delete aged blobs without rows, once a night."""
    services.sweep_orphans(older_than=services.ORPHANS_AFTER)
