"""The ways into a gateway: DICOM where its settings say, the local page on this machine, and nothing else."""

import contextlib
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from collegium_testkit.fake_server import FakeServer
from collegium_testkit.gateways import GatewayProcess

_LISTENS = "0A"


def family(pid: int) -> Iterator[int]:
    """A process and all below it."""
    yield pid
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # the thread has just ended
            for child in task.read_text("ascii").split():
                yield from family(int(child))


def sockets(pid: int) -> Iterator[str]:
    """The numbers of the sockets that a process and all below it hold."""
    for process in family(pid):
        for link in Path(f"/proc/{process}/fd").glob("*"):
            with contextlib.suppress(OSError):  # it was just closed
                if found := re.fullmatch(r"socket:\[(\d+)\]", str(link.readlink())):
                    yield found[1]


def listening(pid: int) -> set[tuple[str, int]]:
    """Address and port of each TCP socket that the processes hold open for others."""
    held = set(sockets(pid))
    assert not [line for line in _table("tcp6") if line[3] == _LISTENS and line[9] in held]
    return {
        (".".join(str(byte) for byte in reversed(bytes.fromhex(address))), int(port, 16))
        for address, port in (
            line[1].split(":") for line in _table("tcp") if line[3] == _LISTENS and line[9] in held
        )
    }


def _table(name: str) -> list[list[str]]:
    path = Path("/proc/net") / name
    return [line.split() for line in path.read_text("ascii").splitlines()[1:]] if path.exists() else []


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads sockets from /proc")
@pytest.mark.requirement("C02")
def test_nothing_listens_but_the_door_and_the_page_of_this_machine(
    process: GatewayProcess, server: FakeServer, until: Callable[..., None]
) -> None:
    process.start()
    until(lambda: server.heartbeats)

    ways_in = listening(process.pid)

    assert ways_in == {("127.0.0.1", process.receive_port), ("127.0.0.1", process.local_port)}
