"""The line to the server is cut without a word, for seconds or for minutes: nothing lost, nothing doubled, and told."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from collegium_testkit import certificates, pacs, phantoms
from collegium_testkit.fake_server import FakeServer
from collegium_testkit.gateways import GatewayProcess
from collegium_testkit.networks import CannotMakeNetworks, Network

SLICES = 12
MINUTES = float(os.environ.get("COLLEGIUM_SOAK_CUT_MINUTES", "3"))
Until = Callable[..., None]
ASK = "import sys, urllib.request; print(urllib.request.urlopen(sys.argv[1], timeout=60).read().decode())"


@pytest.fixture
def network() -> Iterator[Network]:
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")
    try:
        with Network(int(worker) % 64) as made:
            yield made
    except CannotMakeNetworks as reason:
        pytest.skip(str(reason))


@pytest.fixture
def far(network: Network, server: FakeServer, tmp_path: Path) -> Iterator[tuple[FakeServer, Path]]:
    """A server at the end of the line that can be cut."""
    address = network.addresses(1)[0]
    pem, context = certificates.own_authority(tmp_path / "tls", address=address)
    with FakeServer(server.channels, tls=context, host=address) as fake:
        yield fake, pem


@pytest.fixture
def apart(network: Network, far: tuple[FakeServer, Path], tmp_path: Path) -> Iterator[GatewayProcess]:
    """A gateway in the namespace, enrolled and running, with short time-outs."""
    fake, pem = far
    hospital, own = network.addresses(0)
    with GatewayProcess(
        tmp_path / "process", fake.url, ca_file=pem, callers=(("TESTPACS", hospital),),
        more="[inspect]\nprocesses = 0\n",
    ) as box:  # fmt: skip
        text = box.config.read_text("utf-8").replace('host = "127.0.0.1"', f'host = "{own}"')
        box.config.write_text(
            text.replace("heartbeat_s = 1.0", "heartbeat_s = 1.0\ntimeout_s = 2.0"), "utf-8"
        )
        box.program = network.inside(*box.program)
        box.enrol(fake.url, fake.code)
        box.start()
        yield box


def local_page(network: Network, box: GatewayProcess) -> str:
    command = network.inside(sys.executable, "-c", ASK, f"http://127.0.0.1:{box.local_port}/")
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def notice_on(page: str) -> str:
    """What is said of the server, if it cannot be reached."""
    _, words, rest = page.partition("The server cannot be reached.")
    return (words + rest)[:300]


@pytest.mark.requirement("C14", "C15", "C16", "C24")
@pytest.mark.timeout(60 * MINUTES + 600)
@pytest.mark.parametrize(
    "cut_s", [3.0, pytest.param(60 * MINUTES, marks=pytest.mark.soak)], ids=["seconds", "minutes"]
)
def test_a_line_that_is_cut_without_a_word_is_told_and_costs_nothing(  # noqa: PLR0917 - fixtures
    network: Network,
    apart: GatewayProcess,
    far: tuple[FakeServer, Path],
    tmp_path: Path,
    until: Until,
    cut_s: float,
) -> None:
    fake, own, notices = far[0], network.addresses(0)[1], list[str]()
    exams = [phantoms.ct_exam(tmp_path / f"{at}", slices=SLICES, size=256, seed=at) for at in (1, 2)]

    def push(exam: phantoms.ExamTruth) -> list[int]:
        return [item.status for item in pacs.send(exam.folder, own, apart.receive_port, "TRIAL1")]

    before = push(exams[0])
    until(lambda: bool(fake.deliveries))  # in the middle of the first exam's delivery
    network.cut()
    ends = time.monotonic() + cut_s
    during = push(exams[1])

    def is_told() -> bool:
        notices.append(notice_on(local_page(network, apart)))
        return "exams wait here" in notices[-1]

    until(is_told)
    threading.Event().wait(max(0.0, ends - time.monotonic()))
    network.mend()
    until(lambda: len(fake.receipted) == 2 * SLICES)
    until(lambda: "cannot be reached" not in local_page(network, apart))

    assert "since" in notices[-1]
    assert [*before, *during] == [pacs.SUCCESS] * 2 * SLICES
    assert set(fake.receipted.values()) == {1}
    assert {len(digests) for digests in fake.archive.values()} == {1}
