"""A gateway under a service manager is updated while a PACS keeps sending: nothing is cut, nothing is lost."""

import functools
import io
import json
import subprocess
import sys
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from collegium_connect import settings
from collegium_connect.service import lease_folder
from collegium_connect.settings import Settings
from collegium_connect.updates.program import Program
from collegium_connect.updates.repository import Repository
from collegium_connect.updates.updater import Outcome, Update
from collegium_connect.updates.version import Version
from collegium_testkit import pacs, phantoms
from collegium_testkit.fake_server import FakeServer
from collegium_testkit.releases import ReleaseFolder, served_releases
from collegium_testkit.service_manager import ServiceManager

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

SYSTEM = "linux-x86_64"
OLD, NEW, BROKEN = Version(9, 0, 0), Version(9, 1, 0), Version(9, 2, 0)
SLICES, EXAMS = 8, 12
# One program under several versions: it only says that it is another, and may end when it should come up.
PROGRAM = """#!/bin/sh
exec {python} -c '
import importlib.metadata as metadata, sys
known = metadata.version
metadata.version = lambda name: "{version}" if name == "collegium-connect" else known(name)
from collegium_connect.cli import main
sys.exit({ends_at_start} and "up" in sys.argv or main())
' "$@"
"""


class SendingPacs(threading.Thread):
    """Sends exam after exam, one association each, and again what was refused at the door."""

    def __init__(self, exams: list[Path], port: Callable[[], int]) -> None:
        super().__init__(daemon=True)
        self._exams, self._port = exams, port
        self.statuses: list[int] = []
        self.refusals: list[tuple[int, int, int]] = []

    def run(self) -> None:
        for exam in self._exams:
            while not self._push(exam):
                time.sleep(0.1)
            time.sleep(0.2)  # a PACS sends when an exam is done, not without end

    def _push(self, exam: Path) -> bool:
        try:
            sent = pacs.send(exam, "127.0.0.1", self._port(), "TRIAL1")
        except pacs.AssociationRefused as refused:
            self.refusals.append((refused.result, refused.source, refused.reason))
            return False
        except (OSError, KeyError, ValueError):
            return False
        self.statuses += [item.status for item in sent]
        return True


def archive(folder: Path, version: Version) -> Path:
    path = folder / f"{version}.tar.gz"
    text = PROGRAM.format(python=sys.executable, version=version, ends_at_start=version == BROKEN)
    with tarfile.open(path, "w:gz") as packed:
        entry = tarfile.TarInfo("collegium-connect")
        entry.size, entry.mode = len(text), 0o755
        packed.addfile(entry, io.BytesIO(text.encode()))
    return path


@pytest.fixture
def releases(tmp_path: Path) -> Iterator[tuple[ReleaseFolder, str]]:
    with served_releases(tmp_path / "repository") as there:
        yield there


@pytest.fixture
def chosen(tmp_path: Path, server: FakeServer, releases: tuple[ReleaseFolder, str]) -> Settings:
    """The configuration of an installed gateway, as its file says."""
    config = tmp_path / "connect.toml"
    config.write_text(
        f'[gateway]\nname = "Larkspur General"\ndata_dir = "{tmp_path / "data"}"\n'
        f'[server]\nurl = "{server.url}"\nheartbeat_s = 1.0\n'
        '[receive]\nhost = "127.0.0.1"\nport = 0\nallowed_callers = [{ae = "TESTPACS", address = "127.0.0.1"}]\n'
        "[local]\nport = 0\n[inspect]\nprocesses = 0\n"
        f'[updates]\nurl = "{releases[1]}"\nroot_file = "{releases[0].first_root}"\n'
        f'program_dir = "{tmp_path / "program"}"\nstate_dir = "{tmp_path / "state"}"\n'
        "lease_wait_s = 60.0\nstart_wait_s = 120.0\n",
        encoding="utf-8",
    )
    return settings.load(config)


@pytest.fixture
def manager(
    tmp_path: Path, server: FakeServer, chosen: Settings, until: Callable[..., None]
) -> Iterator[ServiceManager]:
    """The old version, installed, enrolled and running under its service manager."""
    program = Program(chosen.updates.program_dir)
    program.stage(OLD, archive(tmp_path, OLD))
    program.switch(OLD)
    config = tmp_path / "connect.toml"
    executable, options = str(tmp_path / "program/current/collegium-connect"), ["--config", str(config)]
    subprocess.run([executable, "enrol", "--code", server.code, *options], check=True, capture_output=True)
    manager = ServiceManager([executable, "up", *options], tmp_path)
    manager.start()
    until(lambda: lease_folder(chosen).running() == str(OLD))
    yield manager
    manager.stop()


def update(chosen: Settings, tmp_path: Path) -> Outcome:
    find = functools.partial(Repository, chosen.updates, chosen.server, SYSTEM)
    return Update(chosen, tmp_path / "connect.toml", find, lease_folder(chosen)).run()


@pytest.mark.requirement("C23", "C28")
@pytest.mark.usefixtures("manager")
def test_an_update_cuts_nothing(
    chosen: Settings,
    server: FakeServer,
    releases: tuple[ReleaseFolder, str],
    tmp_path: Path,
    until: Callable[..., None],
) -> None:
    exams = [
        phantoms.ct_exam(tmp_path / f"exam-{number}", slices=SLICES, size=64, seed=number).folder
        for number in range(1, EXAMS + 1)
    ]
    running = chosen.gateway.data_dir / "running.json"
    sender = SendingPacs(exams, lambda: int(json.loads(running.read_text("utf-8"))["receive_port"]))
    releases[0].add(archive(tmp_path, NEW), str(NEW), SYSTEM)
    sender.start()

    outcome = update(chosen, tmp_path)
    sender.join()
    until(lambda: len(server.receipted) == SLICES * EXAMS)

    log = (tmp_path / "gateway.log").read_text("utf-8")
    assert outcome is Outcome.INSTALLED
    assert sender.statuses == [0] * (SLICES * EXAMS)
    assert {refusal[0] for refusal in sender.refusals} <= {2}  # not now; never "nobody is there"
    assert '"ending": "lost"' not in log
    assert f'"gateway.updated", "before": "{OLD}", "now": "{NEW}"' in log
    assert lease_folder(chosen).running() == str(NEW)


@pytest.mark.requirement("C23")
@pytest.mark.usefixtures("manager")
def test_a_version_that_ends_at_once_is_taken_back(
    chosen: Settings, releases: tuple[ReleaseFolder, str], tmp_path: Path, until: Callable[..., None]
) -> None:
    releases[0].add(archive(tmp_path, BROKEN), str(BROKEN), SYSTEM)

    outcome = update(chosen, tmp_path)
    until(lambda: lease_folder(chosen).running() == str(OLD))

    assert outcome is Outcome.ROLLED_BACK
    assert Program(chosen.updates.program_dir).current() == OLD
    assert update(chosen, tmp_path) is Outcome.FAILED_BEFORE
