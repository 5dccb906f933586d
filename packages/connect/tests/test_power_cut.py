"""Kill the gateway at any moment: nothing is lost, nothing is doubled."""

import os
import random
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from collegium_testkit import pacs, phantoms
from collegium_testkit.fake_server import FakeServer
from collegium_testkit.gateways import GatewayProcess

INSTANCES, KILLS = 300, 6


class ResendingPacs(threading.Thread):
    """Sends every file until each has once been answered with success, as a PACS's queue does."""

    def __init__(self, paths: list[Path], box: GatewayProcess) -> None:
        super().__init__(daemon=True)
        self._box = box
        self.waiting = list(paths)
        self.ends = time.monotonic() + 200

    def run(self) -> None:
        while self.waiting and time.monotonic() < self.ends:
            try:
                sent = pacs.send(
                    self.waiting[:60], "127.0.0.1", self._box.receive_port, "TRIAL1", timeout_s=5.0
                )
            except (pacs.AssociationRefused, OSError, ValueError, KeyError):
                time.sleep(0.05)  # it is down, or just coming up
                continue
            stored = {item.path for item in sent if item.stored}
            self.waiting = [path for path in self.waiting if path not in stored]


@pytest.mark.requirement("C14", "C15")
@pytest.mark.timeout(280)
# pynetdicom's sender drops its socket unclosed when a connection is refused, which happens here on purpose.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_killed_again_and_again_every_instance_arrives_exactly_once(
    process: GatewayProcess, server: FakeServer, tmp_path: Path, until: Callable[..., None]
) -> None:
    chance = random.Random(20260113)
    exams = [
        phantoms.ct_exam(tmp_path / f"exam{number}", slices=INSTANCES // 5, size=64, seed=number)
        for number in range(5)
    ]
    sender = ResendingPacs([path for exam in exams for path in exam.files], process)
    process.start()
    sender.start()

    for _ in range(KILLS):
        time.sleep(chance.uniform(0.2, 1.2))
        process.kill()
        process.start()
    sender.join(timeout=200)
    until(lambda: len(server.receipted) >= INSTANCES, 60.0)
    until(lambda: '"queue_objects": 0' in process.run("status", "--json").stdout, 30.0)

    assert sender.waiting == []
    assert len(server.archive) == INSTANCES
    assert set(server.receipted.values()) == {1}
    assert {len(digests) for digests in server.archive.values()} == {1}


@pytest.mark.requirement("C14")
@pytest.mark.parametrize("number", [2, 15])
def test_asked_to_stop_it_stops_within_seconds_and_goes_on_where_it_was(
    process: GatewayProcess, server: FakeServer, tmp_path: Path, until: Callable[..., None], number: int
) -> None:
    exam = phantoms.ct_exam(tmp_path / "exam", slices=3, size=64)
    process.start()
    pacs.send(exam.folder, "127.0.0.1", process.receive_port, "TRIAL1")

    began = time.monotonic()
    code = process.stop(10.0, number=number)
    took_s = time.monotonic() - began
    process.start()
    until(lambda: len(server.receipted) == 3)

    assert code == 0
    assert took_s < 5
    assert "Traceback" not in process.log_text


def test_an_impatient_second_signal_does_not_hold_up_the_stop(process: GatewayProcess) -> None:
    process.start()
    for _ in range(20):
        os.kill(process.pid, signal.SIGINT)

    assert process.stop(10.0) == 0


def test_a_second_process_on_the_same_folder_refuses_to_start(process: GatewayProcess) -> None:
    process.start()

    second = process.run("up")

    assert second.returncode == 1
    assert "connect.gateway.already_running" in second.stderr
