"""Linux, and what is like it."""

import ctypes
import fcntl
import os
import pwd
import signal
import socket
import stat
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from collegium_connect.machine import systemd
from collegium_connect.machine.interface import Piece

_MOST_PIECES: Final = 512  # of one call; systems allow 1024
_KEEP_SIZE_AND_PUNCH: Final = 0x01 | 0x02  # FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE
_TRIM_THRESHOLD: Final = -1
_MMAP_THRESHOLD: Final = -3
_ARENA_MAX: Final = -8
_ARENAS: Final = 2


class Posix:
    """Modes are modes, a link is a link, and several threads write to one handle without a lock."""

    name = "posix"

    def open_new(self, path: Path) -> int:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)

    def open_again(self, path: Path) -> int:
        return os.open(path, os.O_WRONLY | os.O_CLOEXEC)

    def open_to_read(self, path: Path) -> int:
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def write_at(self, handle: int, pieces: Sequence[Piece], offset: int) -> None:
        left = [memoryview(piece).cast("B") for piece in pieces if len(piece)]
        while left:
            done = os.pwritev(handle, left[:_MOST_PIECES], offset)
            offset += done
            while left and done >= len(left[0]):
                done -= len(left.pop(0))
            if done:
                left[0] = left[0][done:]

    def sync_data(self, handle: int) -> None:
        # macOS has no fdatasync.
        getattr(os, "fdatasync", os.fsync)(handle)

    def sync_folder(self, folder: Path) -> None:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    def allocate(self, handle: int, start: int, size: int) -> None:
        if _FALLOCATE is not None:
            _FALLOCATE(handle, 0, start, size)  # where there is no room, the write will say so

    def punch(self, path: Path, start: int, size: int) -> bool:
        if _FALLOCATE is None:
            return False
        try:
            handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            return _FALLOCATE(handle, _KEEP_SIZE_AND_PUNCH, start, size) == 0
        finally:
            os.close(handle)

    def remove(self, path: Path) -> None:
        path.unlink(missing_ok=True)

    def replace(self, source: Path, target: Path) -> None:
        source.replace(target)

    def point(self, link: Path, folder: Path) -> None:
        fresh = link.with_name(f".{link.name}.new")
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(os.path.relpath(folder, link.parent))
        fresh.replace(link)
        self.sync_folder(link.parent)

    def lock(self, path: Path) -> int:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BaseException:
            os.close(handle)
            raise
        return handle

    def keep_private(self, path: Path) -> None:
        path.chmod(0o700 if path.is_dir() else 0o600)

    def is_private(self, path: Path) -> bool:
        return not stat.S_IMODE(path.stat().st_mode) & 0o077

    def owner_if_another(self, folder: Path) -> str:
        try:
            owner = folder.stat().st_uid
        except OSError:
            return ""  # not there yet, or not to be seen: whoever opens it hears why
        if owner == os.geteuid():
            return ""
        try:
            return pwd.getpwuid(owner).pw_name
        except KeyError:
            return str(owner)

    def usual_config(self) -> Path:
        return Path("/etc/collegium-connect/connect.toml")

    def on_stop(self, ask: Callable[[], None]) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda _number, _frame: ask())

    def run_as_service(self, name: str, body: Callable[[], int]) -> int:  # noqa: ARG002 - systemd needs no name
        return body()

    def tell_ready(self) -> None:
        systemd.tell("READY=1")

    def kept_sockets(self) -> dict[str, socket.socket]:
        return systemd.kept_sockets()

    def keep_socket(self, name: str, kept: socket.socket) -> None:
        systemd.tell(f"FDSTORE=1\nFDNAME={name}", kept.fileno())

    def release_socket(self, name: str) -> None:
        systemd.tell(f"FDSTOREREMOVE=1\nFDNAME={name}")

    def lower_priority(self) -> None:
        os.nice(10)

    def keep_large_blocks(self) -> None:
        # Measured with glibc: bodies over the mmap threshold otherwise cost a map, page faults and an
        # unmap each time, 2-4 times the work. Whatever is not glibc ignores it.
        if not sys.platform.startswith("linux"):
            return
        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
        if mallopt is not None:
            mallopt(_MMAP_THRESHOLD, 256 << 20)
            mallopt(_TRIM_THRESHOLD, 1 << 30)
            # What a thread frees stays in its arena: eight for each core grow until each had its worst moment.
            mallopt(_ARENA_MAX, _ARENAS)

    def processors(self) -> int:
        # macOS knows no affinity.
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1

    def memory_bytes(self) -> int:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")

    def resident_bytes(self) -> int:
        try:
            pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
        except OSError:
            return 0
        return pages * os.sysconf("SC_PAGE_SIZE")


def _fallocate() -> Callable[[int, int, int, int], int] | None:
    if not sys.platform.startswith("linux"):
        return None
    function = getattr(ctypes.CDLL(None), "fallocate64", None)
    if function is None:
        return None
    function.argtypes = (ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64)
    function.restype = ctypes.c_int
    checked: Callable[[int, int, int, int], int] = function
    return checked


_FALLOCATE: Final = _fallocate()
