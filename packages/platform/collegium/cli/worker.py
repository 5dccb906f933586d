"""The worker process: runs background jobs until it is asked to stop."""

from __future__ import annotations

import os
from typing import Any

import django


def main() -> None:
    """Run jobs of every queue; SIGTERM lets the running ones end."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "collegium.settings.django")
    django.setup()
    from procrastinate.contrib.django import app  # noqa: PLC0415  after setup

    from collegium import wiring  # noqa: PLC0415  after setup

    wiring.connect()
    connector: Any = app.connector  # Any: the Django connector has a method the base class lacks
    own = app.with_connector(connector.get_worker_connector())
    own.run_worker(concurrency=4, shutdown_graceful_timeout=3)
