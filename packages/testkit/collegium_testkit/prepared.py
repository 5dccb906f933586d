"""Installations made once a test run and then copied: keys and a migrated database, with or without the seeds.

A first start makes both anew, and seeding works through every service; copying takes a moment. Who wants to see a
first start (`tests/journeys/test_house.py`) or a demo asks for no copy.

python -m collegium_testkit.prepared empty|seeded      (makes one in COLLEGIUM_DATA_DIR)
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

from collegium.kit.postgres import EmbeddedPostgres
from collegium.settings.places import database_home

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = "PREPARED_INSTALLATIONS"
"""Environment: where a test run keeps what it copies; set by `kept`."""
QUIET_TIME_S = 1
"""Of the seeded channels: the gateway sends an exam after so long without another image."""


class Prepared(StrEnum):
    """What a copy has in it."""

    EMPTY = "empty"
    SEEDED = "seeded"


@contextlib.contextmanager
def kept() -> Iterator[None]:
    """A folder for what is made and copied within; who comes inside another's shares that one's."""
    if os.environ.get(FOLDER):
        yield
        return
    folder = Path(tempfile.mkdtemp(prefix="collegium-prepared-"))
    folder.chmod(0o755)  # the database's own account must reach it
    os.environ[FOLDER] = str(folder)
    try:
        yield
    finally:
        del os.environ[FOLDER]
        shutil.rmtree(folder, ignore_errors=True)


def copy_to(data_dir: Path, kind: Prepared) -> None:
    """Fill a data folder that does not exist yet; where no test run keeps copies, the first start does it."""
    if not os.environ.get(FOLDER):
        return
    source = _made(Path(os.environ[FOLDER]), kind)
    home, cluster = database_home(data_dir), database_home(source)
    data_dir.mkdir(parents=True, exist_ok=True)
    for part in source.iterdir():
        if part != cluster:
            _copy(part, data_dir)
    home.parent.mkdir(parents=True, exist_ok=True)
    _copy(cluster, home.parent)
    addresses = home / "addresses.json"
    text = addresses.read_text("utf-8").replace(_socket_of(source), _socket_of(data_dir))
    addresses.write_text(text, "utf-8")


def _made(folder: Path, kind: Prepared) -> Path:
    """The one to copy; whoever asks first makes it."""
    source = folder / kind
    with (folder / f"{kind}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (source / "ready").exists():
            source.mkdir(exist_ok=True)
            environment = {key: text for key, text in os.environ.items() if not key.startswith("COLLEGIUM_")}
            environment |= {
                "COLLEGIUM_DATA_DIR": str(source), "DJANGO_SETTINGS_MODULE": "collegium.settings.django",
                "DEMO_QUIET_TIME_S": str(QUIET_TIME_S),
            }  # fmt: skip
            environment.pop("DATABASE_URL", None)
            command = [sys.executable, "-m", "collegium_testkit.prepared", kind]
            done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            if done.returncode:
                raise RuntimeError(done.stderr[-3000:])
            (source / "ready").touch()
    return source


def _socket_of(data_dir: Path) -> str:
    """Where the database of a data folder listens: its addresses say so, and a copy's still name the other's."""
    return str(EmbeddedPostgres(data_dir)._socket_folder)  # noqa: SLF001  nobody else moves a data folder


def _copy(part: Path, into: Path) -> None:
    subprocess.run(["cp", "-a", "--reflink=auto", str(part), str(into)], check=True)


def main() -> None:
    """Make one as a first start does, without the web and the worker."""
    from collegium.cli.family import prepare
    from collegium.settings.installation import installation
    from collegium_testkit import seed

    settings = installation()
    database = EmbeddedPostgres(settings.data_dir)
    try:
        prepare(settings, database, tell=print)
        if Prepared(sys.argv[1]) is Prepared.SEEDED:
            path = settings.data_dir / "seed.json"
            path.touch(mode=0o600)
            path.write_text(json.dumps(asdict(seed.seeded())), "utf-8")
    finally:
        database.stop()


if __name__ == "__main__":
    main()
