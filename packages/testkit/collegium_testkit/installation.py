"""A real installation in a folder: `collegium up` as its own process, to seed, use, kill and stop."""

from __future__ import annotations

import contextlib
import fcntl
import functools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from collegium.settings.places import database_home
from collegium_testkit import prepared
from collegium_testkit.patience import PATIENCE_S

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

    from collegium_testkit.prepared import Prepared
    from collegium_testkit.seed import Seeded


_PORTS = iter(range(15000, 31000))
"""Below those that the kernel deals."""


@functools.cache
def _claims() -> int:
    """A file in which every process of every test run locks the bytes of the ports that it was given."""
    path = Path(tempfile.gettempdir()) / f"collegium-ports-{os.getuid()}"
    return os.open(path, os.O_RDWR | os.O_CREAT, 0o600)  # the locks end with the process


def free_port() -> int:
    """A port that nobody uses and that nobody else is given, though what asked for it takes a while to listen."""
    for port in _PORTS:
        with contextlib.suppress(OSError):
            fcntl.lockf(_claims(), fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
            with socket.create_server(("127.0.0.1", port)):
                return port
    raise AssertionError


class InstallationProcess:
    """`start`, `seed` once, use `url`; leaving the context stops it."""

    def __init__(
        self,
        data_dir: Path,
        *,
        port: int = 0,
        more: dict[str, str] | None = None,
        copied: Prepared | None = None,
    ) -> None:
        """Prepare; nothing runs yet.

        Args:
            data_dir: its folder; `start` makes it.
            port: where it answers; 0 takes any free one.
            more: extra environment.
            copied: begin with a copy of what the test run made once, instead of with a first start.
        """
        self.data_dir = data_dir
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log_file = data_dir / "server.log"
        self._more = more or {}
        self._copied = copied
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def environment(self) -> dict[str, str]:
        """What every process of this installation is told."""
        mine = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("COLLEGIUM_", "DATABASE_URL"))
        }
        told = {"COLLEGIUM_DATA_DIR": str(self.data_dir), "COLLEGIUM_PORT": str(self.port)}
        return {**mine, **told, "DJANGO_SETTINGS_MODULE": "collegium.settings.django", **self._more}

    def start(self, timeout_s: float = 2 * PATIENCE_S) -> None:
        """Start and wait until the pages answer; what does not start is stopped."""
        if self._copied and not self.data_dir.exists():
            prepared.copy_to(self.data_dir, self._copied)
        self.data_dir.mkdir(parents=True, exist_ok=True)
        before = len(self.log_text)
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "collegium.cli", "up"],
                env=self.environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        ends = time.monotonic() + timeout_s
        # Its own word counts: whoever else might answer at this port is not this server.
        while "Collegium answers at" not in self.log_text[before:] or not self.answers():
            if self._process.poll() is not None or time.monotonic() > ends:
                story = self.log_text[-3000:]
                self.stop()
                raise RuntimeError(f"The server did not start. {story}")
            time.sleep(0.1)

    def answers(self) -> bool:
        """Whether the health page answers now."""
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    def run(self, *arguments: str, timeout_s: float = PATIENCE_S) -> subprocess.CompletedProcess[str]:
        """One `collegium` command against this installation."""
        command = [sys.executable, "-m", "collegium.cli", *arguments]
        return subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=timeout_s, check=False
        )

    def seed(self) -> Seeded:
        """Invented organisation, project, people and an enrolment code; made once, then remembered."""
        from collegium_testkit.seed import Seeded
        from collegium_testkit.trial import SeededTrial

        path = self.data_dir / "seed.json"
        if not path.exists():
            command = [sys.executable, "-m", "collegium_testkit.seed"]
            done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
            if done.returncode:
                raise RuntimeError(done.stderr[-3000:])
            path.touch(mode=0o600)
            path.write_text(done.stdout, "utf-8")
        made = json.loads(path.read_text("utf-8"))
        return Seeded(**made | {"trial": SeededTrial(**made["trial"])})

    def play(self, space_id: str, lesions: list[list[dict[str, object]]]) -> str:
        """Let the people of the seeded trial work (`collegium_testkit.play`); why they could not, or nothing."""
        done = subprocess.run(
            [sys.executable, "-m", "collegium_testkit.play", space_id], input=json.dumps(lesions),
            env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        return done.stderr[-3000:] if done.returncode else ""

    @property
    def log_text(self) -> str:
        return self.log_file.read_text("utf-8", "replace") if self.log_file.exists() else ""

    @property
    def pid(self) -> int:
        assert self._process
        return self._process.pid

    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def stop(self, timeout_s: float = PATIENCE_S) -> int | None:
        """Ask it to end as Ctrl-C does and wait until it has; its exit code, or None if it was not started."""
        if self._process is None:
            return None
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
        code = self._process.wait(timeout_s)
        self._process = None
        return code

    def remove(self) -> None:
        """Forget everything this installation kept, wherever its database lies."""
        shutil.rmtree(database_home(self.data_dir), ignore_errors=True)
        shutil.rmtree(self.data_dir, ignore_errors=True)
