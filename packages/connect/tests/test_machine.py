"""What differs between systems, on this one and on a Windows that is pretended."""

import ctypes
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from collegium_connect import machine
from collegium_connect.machine.interface import Machine
from collegium_connect.machine.windows import Windows
from collegium_testkit.patience import PATIENCE_S
from collegium_testkit.windows import TRUSTED, PretendedWindows


@pytest.fixture
def pretended() -> PretendedWindows:
    return PretendedWindows()


@pytest.fixture
def windows(pretended: PretendedWindows) -> Windows:
    return Windows(pretended.library, pretended.module, pretended.commands.append, lambda _: None)


@pytest.fixture(params=["here", "windows"])
def system(request: pytest.FixtureRequest) -> Machine:
    """What must be true of each system is asked of each."""
    return machine.HERE if request.param == "here" else request.getfixturevalue("windows")


def test_pieces_are_written_where_they_belong(system: Machine, tmp_path: Path) -> None:
    handle = system.open_new(tmp_path / "file")

    system.write_at(handle, [b"ab", memoryview(b"cd"), b""], 3)
    system.sync_data(handle)
    os.close(handle)

    assert (tmp_path / "file").read_bytes() == b"\0\0\0abcd"


def test_threads_write_to_one_handle_at_once(system: Machine, tmp_path: Path) -> None:
    handle = system.open_new(tmp_path / "file")
    block = 4096

    threads = [
        threading.Thread(target=system.write_at, args=(handle, [bytes([number]) * block], number * block))
        for number in range(24)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.close(handle)

    assert (tmp_path / "file").read_bytes() == b"".join(bytes([number]) * block for number in range(24))


def test_a_new_file_is_never_one_that_was_there(system: Machine, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")

    with pytest.raises(FileExistsError):
        system.open_new(tmp_path / "file")


def test_a_file_is_written_again_without_being_emptied(system: Machine, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"abcdef")

    handle = system.open_again(tmp_path / "file")
    system.write_at(handle, [b"XY"], 2)
    os.close(handle)

    assert (tmp_path / "file").read_bytes() == b"abXYef"


def test_a_hole_reads_as_nothing_or_is_not_made(system: Machine, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 16384)

    is_hole = system.punch(path, 4096, 4096)
    handle = system.open_to_read(path)
    content = os.read(handle, 16384)
    os.close(handle)

    assert content[4096:8192] == (bytes(4096) if is_hole else b"x" * 4096)
    assert len(content) == 16384


def test_a_name_is_given_and_taken(system: Machine, tmp_path: Path) -> None:
    (tmp_path / "new").write_bytes(b"new")
    (tmp_path / "old").write_bytes(b"old")

    system.replace(tmp_path / "new", tmp_path / "old")
    system.sync_folder(tmp_path)
    content = (tmp_path / "old").read_bytes()
    system.remove(tmp_path / "old")
    system.remove(tmp_path / "old")

    assert content == b"new"
    assert list(tmp_path.iterdir()) == []


def test_a_second_lock_is_refused(system: Machine, tmp_path: Path) -> None:
    handle = system.lock(tmp_path / "lock")

    with pytest.raises(BlockingIOError):
        system.lock(tmp_path / "lock")

    os.close(handle)


def test_the_machine_has_memory(system: Machine) -> None:
    assert system.processors() > 0
    assert system.memory_bytes() > 1 << 28
    assert 1 << 20 < system.resident_bytes() < system.memory_bytes()


def test_asking_to_stop_calls_back(tmp_path: Path) -> None:
    """In a process of its own: signals belong to a process."""
    program = (
        "import os, signal, sys\n"
        "from collegium_connect import machine\n"
        "asked = []\n"
        "machine.HERE.on_stop(lambda: asked.append(1))\n"
        "machine.HERE.keep_large_blocks()\n"
        "machine.HERE.lower_priority()\n"
        "signal.raise_signal(signal.SIGINT)\n"
        "sys.exit(0 if asked else 1)\n"
    )

    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=False, timeout=PATIENCE_S)

    assert done.returncode == 0


@pytest.mark.skipif(sys.platform == "win32", reason="modes are a matter of POSIX")
def test_what_others_can_read_is_told_and_mended(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(b"secret")
    path.chmod(0o640)

    was_private = machine.HERE.is_private(path)
    machine.HERE.keep_private(path)

    assert not was_private
    assert machine.HERE.is_private(path)


@pytest.mark.skipif(sys.platform == "win32", reason="junctions are pretended below")
def test_a_link_leads_elsewhere_in_one_step(tmp_path: Path) -> None:
    for version in ("1", "2"):
        (tmp_path / version).mkdir()
    machine.HERE.point(tmp_path / "current", tmp_path / "1")

    machine.HERE.point(tmp_path / "current", tmp_path / "2")

    assert (tmp_path / "current").resolve() == tmp_path / "2"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["1", "2", "current"]


def test_windows_leaves_a_new_file_the_list_of_a_private_folder(
    windows: Windows, pretended: PretendedWindows, tmp_path: Path
) -> None:
    """It names the service's account, which could not open what an administrator's command made otherwise."""
    os.close(windows.open_new(tmp_path / "key"))

    assert pretended.commands == []


def test_windows_keeps_a_new_file_private_by_its_access_list(
    windows: Windows, pretended: PretendedWindows, tmp_path: Path
) -> None:
    pretended.access_list = f"{TRUSTED}(A;ID;0x1200a9;;;BU)"

    os.close(windows.open_new(tmp_path / "key"))

    (command,) = pretended.commands
    assert command[1:4] == [str(tmp_path / "key"), "/inheritance:r", "/grant:r"]
    assert "*S-1-5-32-544:F" in command


def test_windows_takes_a_file_without_a_list_for_everybodys(
    windows: Windows, pretended: PretendedWindows, tmp_path: Path
) -> None:
    pretended.access_list = "D:NO_ACCESS_CONTROL"

    assert not windows.is_private(tmp_path)


@pytest.mark.parametrize("who", ["WD", "BU", "AU", "DU"])
def test_windows_tells_an_access_list_that_lets_others_read(
    windows: Windows, pretended: PretendedWindows, tmp_path: Path, who: str
) -> None:
    before = windows.is_private(tmp_path)
    pretended.access_list = f"{TRUSTED}(A;ID;0x1200a9;;;{who})"

    after = windows.is_private(tmp_path)

    assert before
    assert not after
    assert pretended.freed == 4


def test_windows_points_a_junction_anew(
    windows: Windows, pretended: PretendedWindows, tmp_path: Path
) -> None:
    windows.point(tmp_path / "current", tmp_path / "1")

    windows.point(tmp_path / "current", tmp_path / "2")

    assert pretended.junctions == {str(tmp_path / "current"): str(tmp_path / "2")}


def test_windows_waits_for_a_scanner_to_let_go(
    windows: Windows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, times = tmp_path / "file", list[int]()
    path.write_bytes(b"x")
    unlink = Path.unlink

    def held(self: Path, missing_ok: bool = False) -> None:
        times.append(1)
        if len(times) < 3:
            raise PermissionError
        unlink(self, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", held)

    windows.remove(path)

    assert len(times) == 3
    assert not path.exists()


def test_windows_lets_others_go_first(windows: Windows, pretended: PretendedWindows) -> None:
    windows.lower_priority()
    windows.keep_large_blocks()

    assert pretended.priority == [0x4000]


HANDLE = 0x1F2_A3B4_C5D0


class Function:
    """A function of a system library as ctypes calls it: what it gives is cut to an int unless somebody says more."""

    def __init__(self, act: Any) -> None:  # Any: whatever the library has there
        self._act = act
        self.restype: Any = ctypes.c_int
        self.argtypes: tuple[Any, ...] = ()

    def __call__(self, *facts: Any) -> Any:
        wide = [
            fact if self.argtypes or not isinstance(fact, int) else ctypes.c_int(fact).value for fact in facts
        ]
        given = self._act(*wide)
        return ctypes.c_int(given).value if self.restype is ctypes.c_int and given is not None else given


class PretendedManager:
    """A service manager that starts the service, and asks it to stop where it is told to."""

    def __init__(self, *, asks_to_stop: bool) -> None:
        self.asks_to_stop, self.states = asks_to_stop, list[tuple[int, int]]()
        self.is_running = threading.Event()
        self.control: Any = None  # Any: a function of ctypes

    def library(self, name: str) -> Any:  # Any: stands in for whatever ctypes gives
        assert name == "advapi32"
        return SimpleNamespace(
            StartServiceCtrlDispatcherW=lambda table: table[0].main(0, None),
            RegisterServiceCtrlHandlerExW=Function(self._register),
            SetServiceStatus=Function(self._status),
        )

    def _register(self, name: str, control: Any, _context: object) -> int:
        assert name == "collegium-connect"
        self.control = control
        return HANDLE

    def _status(self, handle: int, status: Any) -> None:
        assert handle == HANDLE
        self.states.append((status._obj.state, status._obj.specific_code))
        self.is_running.set()

    def body(self, windows: Windows) -> int:
        """What the gateway does: until it is asked to stop, or of its own accord."""
        asked = threading.Event()
        windows.on_stop(asked.set)
        assert self.is_running.wait(PATIENCE_S)
        if self.asks_to_stop:
            assert self.control is not None
            self.control(1, 0, None, None)
            assert asked.wait(PATIENCE_S)
        return 0


def test_a_service_of_windows_stops_when_it_is_asked() -> None:
    manager = PretendedManager(asks_to_stop=True)
    windows = Windows(manager.library)

    code = windows.run_as_service("collegium-connect", lambda: manager.body(windows))

    assert code == 0
    assert manager.states == [(4, 0), (3, 0), (1, 0)]


def test_a_service_of_windows_that_ends_by_itself_is_started_again() -> None:
    manager = PretendedManager(asks_to_stop=False)
    windows = Windows(manager.library)

    windows.run_as_service("collegium-connect", lambda: manager.body(windows))

    assert manager.states == [(4, 0), (1, 75)]


@pytest.mark.skipif(sys.platform == "win32", reason="systemd's way")
@pytest.mark.parametrize("is_abstract", [False, True])
def test_systemd_is_told_when_the_gateway_is_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_abstract: bool
) -> None:
    name = f"@collegium-{os.getpid()}-{tmp_path.name}" if is_abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind("\0" + name[1:] if is_abstract else name)
        manager.settimeout(PATIENCE_S)
        monkeypatch.setenv("NOTIFY_SOCKET", name)

        machine.HERE.tell_ready()

        assert manager.recv(100) == b"READY=1"


@pytest.mark.skipif(sys.platform == "win32", reason="systemd's way")
def test_without_a_service_manager_nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)

    machine.HERE.tell_ready()

    assert machine.HERE.run_as_service("collegium-connect", lambda: 3) == 3


def test_no_other_module_asks_which_system_this_is() -> None:
    package = Path(machine.__file__).parents[1]
    allowed = {
        package / "machine" / name for name in ("__init__.py", "posix.py", "windows.py", "service_windows.py")
    }

    asking = [
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if path not in allowed
        and any(
            word in path.read_text("utf-8") for word in ("sys.platform", "os.name", "import fcntl", "msvcrt")
        )
    ]

    assert asking == []
