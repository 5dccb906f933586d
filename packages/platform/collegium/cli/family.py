"""Bring an installation to life and keep it alive: database, migrations, web and worker as one family of processes."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import structlog

from collegium.kit import keyring
from collegium.kit.database import TABLES_ARE_OLDER
from collegium.kit.errors import CollegiumError
from collegium.kit.pages.kept_files import keep
from collegium.kit.postgres import Addresses, EmbeddedPostgres
from collegium.settings.places import files_of_pages

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

    from collegium.settings.installation import Installation

log = structlog.get_logger(__name__)

STOP_S = 5.0
"""Seconds a child gets to end before it is killed."""

BACKPRESSURE = 1024
"""Requests a web process holds at once: some hundred are streams that only wait."""


class UpgradeNeeded(CollegiumError):
    code = "collegium.upgrade_needed"
    message = "The database is of an older version. Back up, then run `collegium db migrate`."


class PortTaken(CollegiumError):
    code = "collegium.port_taken"
    message = "The port is taken."


class ChildFailed(CollegiumError):
    code = "collegium.child_failed"
    message = "A part of the server keeps ending. See the lines above."


@dataclass
class _Child:
    """One process of the family; it is started again when it ends, a few times."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    starts: list[float] = field(default_factory=list)

    def start(self) -> None:
        now = time.monotonic()
        self.starts = [when for when in self.starts if now - when < 60] + [now]
        if len(self.starts) > 5:
            raise ChildFailed(
                f"The {self.name} process ended five times within a minute. See the lines above."
            )
        self.process = subprocess.Popen(self.command, env=environment(), start_new_session=True)  # noqa: S603  our own

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None


class Family:
    """The processes of one running installation. `run` returns when it was asked to stop."""

    def __init__(self, settings: Installation, *, tell: Callable[[str], None]) -> None:
        self._settings = settings
        self._tell = tell
        self._stopping = False
        self._database = None if settings.database_url else EmbeddedPostgres(settings.data_dir)
        python = sys.executable
        self._children = [
            _Child("web", [python, "-m", "granian", *_granian(settings)]),
            _Child("worker", [python, "-c", "from collegium.cli.worker import main; main()"]),
        ]

    def run(self) -> None:
        """Start everything, tell when it answers, watch until SIGINT or SIGTERM, stop everything."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        try:
            _refuse_taken_port(self._settings.host, self._settings.port)
            prepare(self._settings, self._database, tell=self._tell)
            for child in self._children:
                child.start()
            self._await_web()
            while not self._stopping:
                self._watch()
                time.sleep(0.2)
        finally:
            self._stop()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002  signal's signature
        self._stopping = True

    def _await_web(self) -> None:
        address = f"http://{self._settings.host}:{self._settings.port}/health"
        while not self._stopping:
            self._watch()
            try:
                with urllib.request.urlopen(address, timeout=2) as answer:
                    if answer.status == 200:
                        self._tell(f"Collegium answers at {self._settings.address}")
                        return
            except OSError:
                time.sleep(0.1)

    def _watch(self) -> None:
        if self._database and not self._database.is_alive():
            log.warning("database.ended")
            self._database.start()
        for child in self._children:
            if not child.is_alive() and not self._stopping:
                log.warning("process.ended", name=child.name)
                child.start()

    def _stop(self) -> None:
        self._tell("Stopping")
        for child in self._children:
            _signal(child, signal.SIGTERM)
        deadline = time.monotonic() + STOP_S
        while any(child.is_alive() for child in self._children) and time.monotonic() < deadline:
            time.sleep(0.05)
        for child in self._children:
            _signal(child, signal.SIGKILL)
        if self._database:
            self._database.stop()


def prepare(
    settings: Installation, database: EmbeddedPostgres | None, *, tell: Callable[[str], None]
) -> Addresses | None:
    """Keys, database and tables of a first start; a later start changes nothing and refuses an old schema.

    Raises:
        UpgradeNeeded: the tables are of an older version.
    """
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    keep(_BUILT, files_of_pages(settings.data_dir))
    is_new = not (settings.keys_dir / "root.key").exists()
    if is_new:
        tell("Making keys")
        keyring.create(settings.keys_dir)
    addresses = None
    if database:
        tell("Starting the database")
        addresses = database.start()
    # One process for both: whether the tables are of this version, and what the version gives to seeded roles.
    found = _manage("reconcile_roles", check=False)
    if found.returncode == TABLES_ARE_OLDER:
        if not is_new and _has_tables():
            raise UpgradeNeeded
        tell("Making tables")
        _manage("migrate", "--verbosity", "0")
    else:
        found.check_returncode()
    return addresses


_BUILT = Path(__file__).resolve().parents[1] / "web" / "static" / "built"


def environment() -> dict[str, str]:
    """What child processes are told: our own environment, and which settings Django reads."""
    return {**os.environ, "DJANGO_SETTINGS_MODULE": "collegium.settings.django", "PYTHONUNBUFFERED": "1"}


def _has_tables() -> bool:
    listing = _manage("showmigrations", "--plan", "trust_audit", check=False).stdout
    return b"[X]" in listing


def _manage(*arguments: str, check: bool = True) -> subprocess.CompletedProcess[bytes]:
    """A Django command as the database's owner."""
    command = [sys.executable, "-m", "django", *arguments, "--skip-checks"]
    owner = {**environment(), "COLLEGIUM_AS_OWNER": "true"}
    return subprocess.run(command, env=owner, check=check, stdout=subprocess.PIPE)  # noqa: S603  our own


def _refuse_taken_port(host: str, port: int) -> None:
    """The web server shares its port with whoever asks, so that a second server would take half of the requests."""
    try:
        with socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET):
            return
    except OSError as error:
        raise PortTaken(
            f"Port {port} of {host} cannot be used: {os.strerror(error.errno or 0)}."
            " Stop the program that has it, or set COLLEGIUM_PORT."
        ) from error


def _granian(settings: Installation) -> list[str]:
    return [
        "--interface", "asgi", "--host", settings.host, "--port", str(settings.port), "--workers", "1",
        "--backpressure", str(BACKPRESSURE), "--no-ws", "--log-level", "warning", "--workers-kill-timeout", "2",
        "collegium.asgi:application",
    ]  # fmt: skip


def _signal(child: _Child, number: int) -> None:
    if child.process and child.is_alive():
        os.killpg(child.process.pid, number)
