"""A throw-away PostgreSQL that all workers of one test run share: one server, one template, many clones."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
from psycopg import conninfo, sql

from collegium.kit.ids import uuid7
from collegium.kit.postgres import Addresses, EmbeddedPostgres

if TYPE_CHECKING:
    from collections.abc import Iterator

TEMPLATE = "template_of_tests"
OTHERS_S = 600.0
"""How long the worker that started the server waits for the others to finish."""


@dataclass(frozen=True, slots=True)
class TestServer:
    """The shared server; `clone` makes a fresh database on it, migrated and empty or a copy of another."""

    __test__ = False
    addresses: Addresses

    def clone(self, of: str = TEMPLATE) -> tuple[str, str]:
        """A new database with all tables: its address as the app role, and as the owner."""
        name = f"t{uuid7().hex}"
        _run(self.addresses.owner, sql.SQL("create database {} template {} strategy file_copy"), name, of)
        return tuple(
            conninfo.make_conninfo(url, dbname=name) for url in (self.addresses.app, self.addresses.owner)
        )  # type: ignore[return-value]  # two in, two out

    def drop(self, name: str) -> None:
        _run(self.addresses.owner, sql.SQL("drop database {} with (force)"), name)


_started: dict[str, EmbeddedPostgres] = {}


def shared_server(run: str) -> TestServer:
    """The server of a test run, started by whoever comes first."""
    folder = _folder(run)
    with _locked(folder):
        server = EmbeddedPostgres(folder, durable=False)
        if not (folder / "users").exists():
            _started[run] = server
            server.start()
            _migrate_template(server.addresses)
        _count(folder, +1)
        return TestServer(server.addresses)


def leave(run: str) -> None:
    """Say that this worker is done; who started the server waits for the others and stops it."""
    folder = _folder(run)
    with _locked(folder):
        _count(folder, -1)
    server = _started.pop(run, None)
    if server is None:
        return
    deadline = time.monotonic() + OTHERS_S
    while _count(folder, 0) > 0 and time.monotonic() < deadline:
        time.sleep(0.1)
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def clone_of_durable(folder: Path) -> Iterator[tuple[str, str]]:
    """A migrated database on a server of its own that fsyncs as in production: for benchmarks."""
    with EmbeddedPostgres(folder) as server:
        _migrate_template(server.addresses)
        yield TestServer(server.addresses).clone()


def _folder(run: str) -> Path:
    folder = Path(tempfile.gettempdir()) / f"collegium-run-{run[:12]}"
    folder.mkdir(mode=0o755, exist_ok=True)
    return folder


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _count(folder: Path, step: int) -> int:
    path = folder / "users"
    users = (int(path.read_text("utf-8")) if path.exists() else 0) + step
    path.write_text(str(users), "utf-8")
    return users


def _migrate_template(addresses: Addresses) -> None:
    _run(addresses.owner, sql.SQL("create database {} template {}"), TEMPLATE, "collegium")
    url = conninfo.make_conninfo(addresses.owner, dbname=TEMPLATE)
    environment = {
        **{key: value for key, value in os.environ.items() if not key.startswith("COLLEGIUM_")},
        "DJANGO_SETTINGS_MODULE": "collegium.settings.django",
        "COLLEGIUM_AS_OWNER": "true",
        "COLLEGIUM_DATABASE_URL": url,
        "COLLEGIUM_OWNER_DATABASE_URL": url,
    }
    subprocess.run(
        [sys.executable, "-m", "django", "migrate", "--verbosity", "0", "--skip-checks"],
        check=True,
        env=environment,
    )


def _run(url: str, statement: sql.SQL, *names: str) -> None:
    with psycopg.connect(conninfo.make_conninfo(url, dbname="postgres"), autocommit=True) as connection:
        connection.execute(statement.format(*map(sql.Identifier, names)))
