"""The door's sockets outlive the gateway's process: whoever comes between two of them waits and is served."""

import os
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from collegium_connect import machine
from collegium_connect.receive.listeners import listeners
from collegium_connect.settings import ReceiveSettings
from collegium_testkit import pacs, phantoms
from collegium_testkit.fake_server import FakeServer
from collegium_testkit.gateways import GatewayProcess
from collegium_testkit.patience import PATIENCE_S
from collegium_testkit.service_manager import ServiceManager

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="systemd's way")
Until = Callable[..., None]


@pytest.fixture
def managed(process: GatewayProcess, until: Until) -> Iterator[ServiceManager]:
    """A gateway that runs under a service manager, and listens."""
    command = [*process.program, "up", "--config", str(process.config)]
    manager = ServiceManager(command, process.folder)
    manager.start()
    try:
        until(lambda: "dicom" in manager.held and (process.data_dir / "running.json").exists())
        yield manager
    finally:
        manager.stop()


@pytest.mark.requirement("C14", "C23")
def test_an_exam_that_comes_while_the_gateway_is_killed_waits_and_is_delivered(
    managed: ServiceManager, process: GatewayProcess, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    exam = phantoms.ct_exam(tmp_path / "exam", slices=3, size=64)
    port = process.receive_port

    managed.kill()
    sent = pacs.send(exam.folder, "127.0.0.1", port, "TRIAL1")
    until(lambda: len(server.receipted) == 3)

    assert [item.status for item in sent] == [pacs.SUCCESS] * 3
    assert (managed.starts, process.receive_port) == (2, port)


class Told:
    """What a service manager would be told: words, and how many files came with them."""

    def __init__(self, path: Path) -> None:
        self.line = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.line.bind(str(path))
        self.line.settimeout(PATIENCE_S)

    def next(self) -> tuple[str, int]:
        words, handles, _, _ = socket.recv_fds(self.line, 1000, 4)
        for handle in handles:
            os.close(handle)
        return words.decode(), len(handles)


@pytest.fixture
def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Told]:
    told = Told(tmp_path / "notify")
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    yield told
    told.line.close()


class Kept:
    """A service manager's store, as the next start finds it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.sockets: dict[str, socket.socket] = {}
        monkeypatch.setattr(machine.HERE, "kept_sockets", lambda: self.sockets, raising=True)


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch) -> Kept:
    return Kept(monkeypatch)


def test_a_socket_that_is_bound_is_given_to_the_service_manager(told: Told) -> None:
    ((listener, is_tls),) = listeners(ReceiveSettings(host="127.0.0.1", port=0), with_tls=False)
    listener.close()

    assert not is_tls
    assert told.next() == ("FDSTORE=1\nFDNAME=dicom", 1)


def test_a_kept_socket_is_taken_over(kept: Kept) -> None:
    before = kept.sockets["dicom"] = socket.create_server(("127.0.0.1", 0))
    port = before.getsockname()[1]

    ((listener, _),) = listeners(ReceiveSettings(host="127.0.0.1", port=port), with_tls=False)
    listener.close()

    assert listener is before


def test_a_socket_of_settings_that_changed_is_let_go(kept: Kept, told: Told) -> None:
    before = kept.sockets["dicom"] = socket.create_server(("127.0.0.1", 0))
    port = before.getsockname()[1]

    ((listener, _),) = listeners(ReceiveSettings(host="127.0.0.2", port=port), with_tls=False)
    address = listener.getsockname()
    listener.close()

    assert before.fileno() == -1
    assert address == ("127.0.0.2", port)
    assert told.next() == ("FDSTOREREMOVE=1\nFDNAME=dicom", 0)


def test_sockets_that_are_meant_for_another_process_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    for key, value in {"LISTEN_PID": "1", "LISTEN_FDS": "1", "LISTEN_FDNAMES": "dicom"}.items():
        monkeypatch.setenv(key, value)

    assert machine.HERE.kept_sockets() == {}
    assert "LISTEN_FDS" not in os.environ
