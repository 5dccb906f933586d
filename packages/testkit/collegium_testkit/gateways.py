"""A real gateway process with its own folder and configuration, to start, stop and kill."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from collegium_connect import SOFTWARE, settings
from collegium_connect.clock import now
from collegium_connect.folders import journal_path
from collegium_connect.journal.database import Journal
from collegium_connect.local_ui.status import as_json, gateway_status
from collegium_testkit.patience import PATIENCE_S


class GatewayProcess:
    """`enrol`, `start`, then send to `receive_port`. Leaving the context ends the process."""

    def __init__(  # noqa: PLR0913 - each is one independent property of the gateway
        self,
        folder: Path,
        server_url: str,
        *,
        callers: tuple[tuple[str, str], ...] = (("TESTPACS", "127.0.0.1"),),
        listen: tuple[int, int] = (0, 0),
        more: str = "",
        ca_file: Path | None = None,
    ) -> None:
        """Write the configuration.

        Args:
            folder: configuration, log and data go there.
            server_url: where it delivers to.
            callers: AE title and address of every PACS that may send.
            listen: ports for DICOM and for the local page; 0 takes any free one.
            more: TOML put at the end.
            ca_file: the authority of an https server, if it is nobody's that the system knows.
        """
        self.folder, self.data_dir = folder, folder / "gateway"
        self.config, self.log_file = folder / "connect.toml", folder / "gateway.log"
        self.program = [sys.executable, "-m", "collegium_connect.cli"]
        folder.mkdir(parents=True, exist_ok=True)
        trusted = f'ca_file = "{ca_file.as_posix()}"\n' if ca_file else ""
        listed = ", ".join(f'{{ae = "{ae}", address = "{address}"}}' for ae, address in callers)
        self.config.write_text(
            f'[gateway]\nname = "Larkspur General"\ndata_dir = "{self.data_dir.as_posix()}"\n'
            f'[server]\nurl = "{server_url}"\nheartbeat_s = 1.0\n{trusted}'
            f'[receive]\nhost = "127.0.0.1"\nport = {listen[0]}\nallowed_callers = [{listed}]\n'
            f"[local]\nport = {listen[1]}\n{more}",
            encoding="utf-8",
        )
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One command of the program, to its end."""
        command = [*self.program, *arguments, "--config", str(self.config)]
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)

    def status(self) -> dict[str, Any]:  # Any: JSON
        """What the command `status --json` prints, without a process for every question."""
        chosen = settings.load(self.config)
        journal = Journal(journal_path(chosen))
        try:
            told = gateway_status(journal, name=chosen.gateway.name, software=SOFTWARE, at=now())
        finally:
            journal.close()
        return dict(json.loads(json.dumps(as_json(told))))

    def enrol(self, server_url: str, code: str) -> None:
        done = self.run("enrol", "--server", server_url, "--code", code)
        assert done.returncode == 0, done.stderr

    def start(self, timeout_s: float = PATIENCE_S) -> None:
        """Start and wait until it listens."""
        (self.data_dir / "running.json").unlink(missing_ok=True)
        command = [*self.program, "up", "--config", str(self.config)]
        with self.log_file.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        ends = time.monotonic() + timeout_s
        while not (self.data_dir / "running.json").exists():
            assert self._process.poll() is None, self.log_text
            assert time.monotonic() < ends, self.log_text
            time.sleep(0.02)

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def receive_port(self) -> int:
        return self._ports["receive_port"]

    @property
    def local_port(self) -> int:
        return self._ports["local_port"]

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def log_text(self) -> str:
        return self.log_file.read_text("utf-8", "replace")

    @property
    def _ports(self) -> dict[str, int]:
        ports: dict[str, int] = json.loads((self.data_dir / "running.json").read_text("utf-8"))
        return ports

    def kill(self) -> None:
        """As a power cut does: no warning, no clean-up."""
        if self._process is not None and self._process.poll() is None:
            os.kill(self._process.pid, signal.SIGKILL)
        self._wait(PATIENCE_S)

    def stop(self, timeout_s: float = PATIENCE_S, *, number: int = signal.SIGTERM) -> int:
        """As the service manager does (or Ctrl-C: SIGINT); the exit code."""
        assert self._process is not None
        self._process.send_signal(number)
        return self._wait(timeout_s)

    def _wait(self, timeout_s: float) -> int:
        if self._process is None:
            return 0
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise
        finally:
            self._process = None
