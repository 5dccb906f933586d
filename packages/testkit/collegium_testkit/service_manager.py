"""A service manager as systemd is one: it starts a program again and again and holds its sockets meanwhile."""

from __future__ import annotations

import array
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Final

from collegium_testkit.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_MOST_FILES: Final = 8
# sd_listen_fds(3): the sockets lie from 3 on, and LISTEN_PID is the process that they are for.
_HAND_OVER: Final = """
import fcntl, os, sys
count = int(sys.argv[1])
high = [fcntl.fcntl(int(item), fcntl.F_DUPFD_CLOEXEC, 100) for item in sys.argv[2:2 + count]]
for place, handle in enumerate(high, 3):
    os.dup2(handle, place)
os.environ["LISTEN_PID"] = str(os.getpid())
os.execv(sys.argv[2 + count], sys.argv[2 + count:])
"""


class ServiceManager(threading.Thread):
    """Start it; `stop` ends the program for good.

    `Type=notify`, `Restart=always` and `FileDescriptorStoreMax=` of systemd.service(5), nothing else.
    """

    def __init__(self, command: Sequence[str], folder: Path, *, pause_s: float = 0.2) -> None:
        """Prepare.

        Args:
            command: the program with its arguments; a path, not a name.
            folder: the program's output (`gateway.log`) and the manager's socket go there.
            pause_s: between an end and the next start.
        """
        super().__init__(daemon=True)
        self._command, self._pause_s = list(command), pause_s
        self._log, self._address = folder / "gateway.log", folder / "notify"
        self._over = threading.Event()
        self._told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._told.bind(str(self._address))
        self._told.settimeout(0.1)
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self.held: dict[str, int] = {}
        """The sockets that were handed over, by name."""
        self.starts = 0

    def run(self) -> None:
        listener = threading.Thread(target=self._listen, daemon=True)
        listener.start()
        while process := self._begun():
            process.wait()
            self._over.wait(self._pause_s)
        listener.join()

    def kill(self) -> None:
        """End the program as a crash does; it is started again."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)

    def stop(self) -> None:
        """End the program, and hold nothing any more."""
        self._over.set()
        with self._lock:  # from here on it starts no other
            if self._process is not None:
                self._process.terminate()
        self.join(PATIENCE_S)
        self._told.close()
        for handle in self.held.values():
            os.close(handle)
        self.held.clear()

    def _begun(self) -> subprocess.Popen[bytes] | None:
        """The program, begun anew; nothing once it is over."""
        with self._lock, self._log.open("ab") as log:
            if self._over.is_set():
                return None
            handles = list(self.held.values())
            more = {"NOTIFY_SOCKET": str(self._address)}
            if handles:
                more |= {"LISTEN_FDS": str(len(handles)), "LISTEN_FDNAMES": ":".join(self.held)}
            self._process = subprocess.Popen(
                [sys.executable, "-c", _HAND_OVER, str(len(handles)), *map(str, handles), *self._command],
                stdout=log, stderr=log, pass_fds=handles, env=os.environ | more,
            )  # fmt: skip
            self.starts += 1
        return self._process

    def _listen(self) -> None:
        room = socket.CMSG_SPACE(_MOST_FILES * array.array("i").itemsize)
        while not self._over.is_set():
            with contextlib.suppress(TimeoutError):
                words, given, _, _ = self._told.recvmsg(4096, room)
                self._hear(words.decode(), [data for _, kind, data in given if kind == socket.SCM_RIGHTS])

    def _hear(self, words: str, given: list[bytes]) -> None:
        said = dict(line.split("=", 1) for line in words.splitlines())
        name = said.get("FDNAME", "")
        with self._lock:
            if "FDSTOREREMOVE" in said and name in self.held:
                os.close(self.held.pop(name))
            for data in given:
                (self.held[name],) = array.array("i", data)
