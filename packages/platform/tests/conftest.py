"""A real PostgreSQL for every worker: one throw-away server, one migrated template, one clone a worker.

Tests commit like the product does. They never share rows because each makes its own
organisations (`world`), or begins in a copy of a database that was made once (`beginnings`).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collegium_testkit.beginnings import Beginnings
    from collegium_testkit.world import World

_beginnings = pytest.StashKey["Beginnings"]()

_folder = Path(tempfile.mkdtemp(prefix="collegium-test-"))
_folder.chmod(0o755)  # the database's own account must reach it
os.environ["DJANGO_SETTINGS_MODULE"] = "collegium.settings.django"
os.environ["COLLEGIUM_DATA_DIR"] = str(_folder / "data")
os.environ["COLLEGIUM_POOL_SIZE"] = "12"
for _name in ("DATABASE_URL", "COLLEGIUM_DATABASE_URL", "COLLEGIUM_OWNER_DATABASE_URL", "COLLEGIUM_AS_OWNER"):
    os.environ.pop(_name, None)


def pytest_configure(config: pytest.Config) -> None:
    """Make keys and a migrated database of this worker before Django reads its settings."""
    from collegium_testkit import database
    from collegium_testkit.beginnings import Beginnings

    server = database.shared_server(_testrun(config))
    os.environ["COLLEGIUM_DATABASE_URL"], os.environ["COLLEGIUM_OWNER_DATABASE_URL"] = server.clone()
    config.stash[_beginnings] = Beginnings(server)

    from collegium.kit import keyring

    keyring.create(_folder / "data" / "keys")

    import django

    django.setup()

    from django.conf import settings

    settings.ALLOWED_HOSTS.append("testserver")  # what Django's test client calls itself
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher"
    ]  # a slow hash proves nothing here

    from collegium import wiring

    wiring.connect()


def pytest_unconfigure(config: pytest.Config) -> None:
    from collegium_testkit import database

    database.leave(_testrun(config))
    shutil.rmtree(_folder, ignore_errors=True)


def _testrun(config: pytest.Config) -> str:
    worker = getattr(config, "workerinput", None)
    return str(worker["testrunuid"]) if worker else str(os.getpid())


@pytest.fixture(autouse=True)
def _closed_connections() -> Iterator[None]:
    """Give connections back after each test, and prove that none was left inside a transaction."""
    yield
    from django.db import connections

    for connection in connections.all(initialized_only=True):
        assert not connection.in_atomic_block
        connection.close()


@pytest.fixture
def world() -> World:
    """A new organisation with one project, alone with its administrator."""
    from collegium_testkit.world import new_world

    return new_world()


@pytest.fixture
def beginnings(pytestconfig: pytest.Config) -> Iterator[Beginnings]:
    """What takes long to make, made once and copied: a test asks for it before it makes anything else."""
    kept = pytestconfig.stash[_beginnings]
    yield kept
    kept.end()


@pytest.fixture
def other_world() -> World:
    """A second tenant that must never be seen by the first."""
    from collegium_testkit.world import new_world

    return new_world("Other")
