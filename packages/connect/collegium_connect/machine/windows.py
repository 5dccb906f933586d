"""Windows Server: what has no like of it there is made from what there is.

Every part of Windows comes in through the constructor, so that tests can pretend it elsewhere. There
is no positioned write (a lock and a seek do), no sync of a folder (NTFS logs its entries), no file
mode (an access list does), and a file that somebody has open can be neither deleted nor replaced
(it is tried again for a moment: scanners and backups let go).
"""

import ctypes
import importlib
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from collegium_connect.machine.interface import Piece
from collegium_connect.machine.service_windows import Service

_BELOW_NORMAL: Final = 0x4000  # BELOW_NORMAL_PRIORITY_CLASS
# SYSTEM, Administrators and whoever owns the file: their SIDs are the same in every language.
_TRUSTED: Final = ("*S-1-5-18", "*S-1-5-32-544", "*S-1-3-4")
# In an access list's text: Everyone, Users, Authenticated Users, Guests, Interactive, Anonymous, Network,
# Domain Users, Domain Guests.
_BROAD: Final = ("WD", "BU", "AU", "BG", "IU", "AN", "NU", "DU", "DG")
_NO_LIST: Final = "NO_ACCESS_CONTROL"  # of the whole file: everybody may do everything
_FILE_OBJECT, _ACCESS_LIST = 1, 4  # SE_FILE_OBJECT, DACL_SECURITY_INFORMATION
_PATIENCE_S: Final = 2.0


class _MemoryStatus(ctypes.Structure):
    """MEMORYSTATUSEX of the Windows API."""

    _fields_ = (
        ("length", ctypes.c_uint32), ("load", ctypes.c_uint32), ("total", ctypes.c_uint64),
        ("free", ctypes.c_uint64), ("total_page", ctypes.c_uint64), ("free_page", ctypes.c_uint64),
        ("total_virtual", ctypes.c_uint64), ("free_virtual", ctypes.c_uint64), ("extended", ctypes.c_uint64),
    )  # fmt: skip


class _ProcessMemory(ctypes.Structure):
    """PROCESS_MEMORY_COUNTERS of the Windows API."""

    _fields_ = (
        ("size", ctypes.c_uint32), ("page_faults", ctypes.c_uint32), ("peak_working_set", ctypes.c_size_t),
        ("working_set", ctypes.c_size_t), ("quota", ctypes.c_size_t * 4), ("page_file", ctypes.c_size_t),
        ("peak_page_file", ctypes.c_size_t),
    )  # fmt: skip


class Windows:
    """Windows, or what a test pretends it to be."""

    name = "windows"

    def __init__(
        self,
        library: Callable[[str], Any] = ctypes.CDLL,  # Any: a system library, or a test's stand-in
        module: Callable[[str], Any] = importlib.import_module,  # Any: a module that exists on Windows only
        run: Callable[[list[str]], object] | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._library, self._module, self._pause = library, module, pause
        self._run = run or _run
        self._seek_lock = threading.Lock()
        self._service: Service | None = None

    def open_new(self, path: Path) -> int:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | _flags(), 0o600)
        self.keep_private(path)
        return handle

    def open_again(self, path: Path) -> int:
        return os.open(path, os.O_WRONLY | _flags())

    def open_to_read(self, path: Path) -> int:
        return os.open(path, os.O_RDONLY | _flags())

    def write_at(self, handle: int, pieces: Sequence[Piece], offset: int) -> None:
        with self._seek_lock:
            os.lseek(handle, offset, os.SEEK_SET)
            for piece in pieces:
                left = memoryview(piece).cast("B")
                while left:
                    left = left[os.write(handle, left) :]

    def sync_data(self, handle: int) -> None:
        os.fsync(handle)  # FlushFileBuffers

    def sync_folder(self, folder: Path) -> None:
        """NTFS logs a folder's entries itself; there is nothing to call."""

    def allocate(self, handle: int, start: int, size: int) -> None:
        """NTFS writes zeros up to where a file is first written: nothing would be won."""

    def punch(self, path: Path, start: int, size: int) -> bool:  # noqa: ARG002 - other systems need them
        """No holes there: NTFS has them only in files made for it. Room comes back with the whole file."""
        return False

    def remove(self, path: Path) -> None:
        self._patiently(lambda: path.unlink(missing_ok=True))

    def replace(self, source: Path, target: Path) -> None:
        self._patiently(lambda: source.replace(target))

    def point(self, link: Path, folder: Path) -> None:
        # A junction needs no privilege, unlike a symbolic link. It cannot be replaced in one step: the
        # program must not run while this does, which the caller sees to.
        if os.path.lexists(link):
            link.rmdir()
        self._module("_winapi").CreateJunction(str(folder), str(link))

    def lock(self, path: Path) -> int:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | _flags(), 0o600)
        msvcrt = self._module("msvcrt")
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            os.close(handle)
            raise BlockingIOError from error
        return handle

    def keep_private(self, path: Path) -> None:
        # The installation gives the data folder a list with the service's account, which new files take over.
        # A list of our own would shut that account out of what an administrator's command made.
        if path.exists() and self.is_private(path):
            return
        rights = ":(OI)(CI)F" if path.is_dir() else ":F"
        icacls = shutil.which("icacls") or "icacls"
        grants = [f"{who}{rights}" for who in _TRUSTED]
        self._run([icacls, str(path), "/inheritance:r", "/grant:r", *grants, "/Q"])

    def is_private(self, path: Path) -> bool:
        text = self._access_list(path)
        entries = text.split("(")
        return _NO_LIST not in text and not any(
            entry.startswith("A;") and entry.rstrip(")").endswith(_BROAD) for entry in entries
        )

    def owner_if_another(self, folder: Path) -> str:  # noqa: ARG002 - other systems need it
        """Nobody: access there goes by lists, which each new file takes over from its folder."""
        return ""

    def usual_config(self) -> Path:
        return Path(os.environ.get("ProgramData", r"C:\ProgramData")) / "Collegium Connect" / "connect.toml"  # noqa: SIM112 - as Windows writes it

    def on_stop(self, ask: Callable[[], None]) -> None:
        # No SIGTERM comes from outside there: a service is asked by its manager, a console by Ctrl-C.
        if self._service is not None:
            self._service.on_stop(ask)
        for name in ("SIGINT", "SIGBREAK"):
            number = getattr(signal, name, None)
            if number is not None:
                signal.signal(number, lambda _number, _frame: ask())

    def run_as_service(self, name: str, body: Callable[[], int]) -> int:
        self._service = Service(name, self._library)
        return self._service.run(body)

    def tell_ready(self) -> None:
        """The service manager there was told when the service began."""

    def kept_sockets(self) -> dict[str, socket.socket]:
        """Nobody there holds a socket for a service that is not running."""
        return {}

    def keep_socket(self, name: str, kept: socket.socket) -> None:
        """Nobody there would: senders are refused for the seconds of a restart, and try again."""

    def release_socket(self, name: str) -> None:
        """Nobody there has it."""

    def lower_priority(self) -> None:
        kernel = self._library("kernel32")
        kernel.SetPriorityClass(ctypes.c_void_p(-1), _BELOW_NORMAL)  # -1: this process

    def keep_large_blocks(self) -> None:
        """The heap of Windows keeps them by itself."""

    def processors(self) -> int:
        return os.cpu_count() or 1

    def memory_bytes(self) -> int:
        status = _MemoryStatus(length=ctypes.sizeof(_MemoryStatus))
        self._library("kernel32").GlobalMemoryStatusEx(ctypes.byref(status))
        return int(status.total)

    def resident_bytes(self) -> int:
        counters = _ProcessMemory(size=ctypes.sizeof(_ProcessMemory))
        this_process = ctypes.c_void_p(-1)
        self._library("kernel32").K32GetProcessMemoryInfo(
            this_process, ctypes.byref(counters), ctypes.sizeof(_ProcessMemory)
        )
        return int(counters.working_set)

    def _access_list(self, path: Path) -> str:
        """A file's access list in the system's own text form (SDDL), the same in every language."""
        advapi, kernel = self._library("advapi32"), self._library("kernel32")
        descriptor, text = ctypes.c_void_p(), ctypes.c_wchar_p()
        code = advapi.GetNamedSecurityInfoW(
            str(path), _FILE_OBJECT, _ACCESS_LIST, None, None, None, None, ctypes.byref(descriptor)
        )
        if code:
            raise OSError(code, "The access list cannot be read.")
        try:
            done = advapi.ConvertSecurityDescriptorToStringSecurityDescriptorW(
                descriptor, 1, _ACCESS_LIST, ctypes.byref(text), None
            )
            if not done:
                raise OSError("The access list cannot be read.")
            found = text.value or ""
        finally:
            kernel.LocalFree(descriptor)
        kernel.LocalFree(text)
        return found

    def _patiently(self, act: Callable[[], object]) -> None:
        ends = time.monotonic() + _PATIENCE_S
        while True:
            try:
                act()
            except PermissionError:
                if time.monotonic() >= ends:
                    raise
                self._pause(0.05)
            else:
                return


def _flags() -> int:
    return getattr(os, "O_BINARY", 0) | getattr(os, "O_NOINHERIT", 0)


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - the system's own icacls, with a path of ours
