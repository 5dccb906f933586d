"""The one place that asks what time it is. Rows that matter take the database's time instead."""

from __future__ import annotations

from datetime import UTC, datetime


def now() -> datetime:
    return datetime.now(UTC)
