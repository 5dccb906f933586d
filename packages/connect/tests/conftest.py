"""A gateway in this process or as its own, a server that can fail, a PACS that pushes."""

import gc
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from collegium_connect import enrol, log
from collegium_connect.clock import Clock, now
from collegium_connect.folders import journal_path
from collegium_connect.journal.database import Journal
from collegium_connect.service import Gateway
from collegium_connect.settings import (
    CallerSettings,
    GatewaySettings,
    InspectSettings,
    LimitSettings,
    LocalSettings,
    ReceiveSettings,
    ServerSettings,
    Settings,
)
from collegium_testkit import patience
from collegium_testkit.channels import channel
from collegium_testkit.deciding import Site, site_of
from collegium_testkit.fake_server import FakeServer
from collegium_testkit.gateways import GatewayProcess

CALLER = CallerSettings(ae="TESTPACS", address="127.0.0.1")


@pytest.fixture(autouse=True)
def _umask() -> Iterator[None]:
    """A command narrows the umask of its process; here that is the tests' own."""
    before = os.umask(0o077)
    os.umask(before)
    yield
    os.umask(before)


@pytest.fixture(autouse=True)
def _quiet() -> None:
    """A command configures the log of its process, with the streams of the test that called it."""
    logging.getLogger("collegium_connect").handlers[:] = [logging.NullHandler()]


@pytest.fixture(autouse=True)
def _alone() -> Iterator[None]:
    """No thread of a test is at work when the next one begins, with its log and on its cores."""
    before = set(threading.enumerate())
    yield
    ends = time.monotonic() + patience.PATIENCE_S
    for thread in set(threading.enumerate()) - before:
        thread.join(max(0.0, ends - time.monotonic()))


@pytest.fixture
def server() -> Iterator[FakeServer]:
    with FakeServer([channel()]) as fake:
        yield fake


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "events.log"
    with path.open("w", encoding="utf-8") as stream:
        log.configure(stream)
        try:
            yield path
        finally:
            log.configure()


@pytest.fixture
def settings(tmp_path: Path, server: FakeServer) -> Settings:
    return Settings(
        gateway=GatewaySettings(name="Larkspur General", data_dir=tmp_path / "gateway"),
        server=ServerSettings(url=server.url, timeout_s=patience.PATIENCE_S, heartbeat_s=0.2),
        receive=ReceiveSettings(host="127.0.0.1", port=0, allowed_callers=(CALLER,)),
        local=LocalSettings(port=0),
        limits=LimitSettings(keep_free_bytes=0),
        # A process takes half a second to start; the tests of inspection have theirs.
        inspect=InspectSettings(processes=0),
    )


def enrolled(settings: Settings, server: FakeServer) -> None:
    journal = Journal(journal_path(settings))
    try:
        enrol.enrol(settings, journal, server.url, server.code)
    finally:
        journal.close()


class Patient(Gateway):
    """Closes no exam while a PACS is in.

    The quiet time of a test's channel is a second, and a busy machine takes longer than that between two objects.
    """

    def _assemble(self) -> int:
        return 0 if self._door.associations else super()._assemble()


@pytest.fixture
def start(settings: Settings, server: FakeServer, log_file: Path) -> Iterator[Callable[..., Gateway]]:
    """Start gateways on the folder of `settings`, enrolled; all are stopped in the end."""
    assert log_file.exists()  # their events go there, not to the test's output
    with ExitStack() as started:

        def begin(changed: Settings = settings, clock: Clock = now) -> Gateway:
            if not journal_path(changed).exists():
                enrolled(replace(changed, server=settings.server), server)
            gateway = Patient(changed, clock)
            started.callback(gateway.stop)
            gateway.start()
            return gateway

        yield begin


@pytest.fixture
def gateway(start: Callable[..., Gateway]) -> Gateway:
    return start()


@pytest.fixture
def process(tmp_path: Path, server: FakeServer) -> Iterator[GatewayProcess]:
    """An enrolled gateway as a process of its own, not started yet."""
    with GatewayProcess(tmp_path / "process", server.url) as box:
        box.enrol(server.url, server.code)
        yield box


@pytest.fixture
def collected() -> Iterator[None]:
    """Let what a test's peer drops unclosed be found while the test's own filter of warnings holds."""
    yield
    gc.collect()


@pytest.fixture
def until() -> Callable[..., None]:
    """Wait for something to become true."""
    return patience.until


@pytest.fixture
def site(gateway: Gateway, settings: Settings) -> Iterator[Site]:
    """What a person has before them, at the gateway that runs."""
    assert gateway.receive_port
    with site_of(settings) as made:
        yield made
