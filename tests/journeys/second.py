"""A second web process beside a running installation, on the same database."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from collegium_testkit.installation import free_port
from collegium_testkit.patience import PATIENCE_S, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collegium_testkit.installation import InstallationProcess

REPOSITORY = Path(__file__).resolve().parents[2]


@contextmanager
def second_web_process(server: InstallationProcess) -> Iterator[str]:
    """Its address; it ends with the block. What it once let through it refuses only when it is told to (`unaging`)."""
    port = free_port()
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--port", str(port), "--no-ws"]
    process = subprocess.Popen(
        [*command, "tests.journeys.unaging:application"], env=server.environment, cwd=REPOSITORY
    )
    url = f"http://127.0.0.1:{port}"

    def answers() -> bool:
        try:
            return httpx.get(f"{url}/health", timeout=PATIENCE_S).status_code == 200
        except httpx.HTTPError:
            return False

    try:
        until(answers, "the second web process")
        yield url
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
