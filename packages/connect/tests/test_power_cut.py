"""Kill the gateway at any moment: nothing is lost, nothing is doubled."""

import contextlib
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from collegium_testkit import pacs, phantoms
from collegium_testkit.fake_server import FakeServer
from collegium_testkit.gateways import GatewayProcess
from collegium_testkit.killing import STEPS
from collegium_testkit.leftovers import drops_its_socket

Until = Callable[..., None]

EXAMS = 14  # enough that every step has something to do
SIX = (
    "records are synced",
    "an object is committed, not answered",
    "a batch is inspected",
    "objects are sent",
    "a receipt is there, not written down",
    "a receipt is written, not committed",
)
KILLS = 25
"""Of one long run; there are eight."""


class ResendingPacs(threading.Thread):
    """Sends every file until each has once been answered with success, as a PACS's queue does."""

    def __init__(self, paths: list[Path], box: GatewayProcess) -> None:
        super().__init__(daemon=True)
        self._box = box
        self.waiting = list(paths)
        self.ends = time.monotonic() + 1200

    def run(self) -> None:
        while self.waiting and time.monotonic() < self.ends:
            try:
                sent = pacs.send(self.waiting[:60], "127.0.0.1", self._box.receive_port, "TRIAL1")
            except (pacs.AssociationRefused, OSError, ValueError, KeyError):
                time.sleep(0.05)  # it is down, or just coming up
                continue
            stored = {item.path for item in sent if item.stored}
            self.waiting = [path for path in self.waiting if path not in stored]


def exams_of(folder: Path, exams: int, slices: int) -> list[Path]:
    made = [phantoms.ct_exam(folder / f"{seed}", slices=slices, size=64, seed=seed) for seed in range(exams)]
    return [path for exam in made for path in exam.files]


def assert_all_arrived_once(
    process: GatewayProcess, server: FakeServer, instances: int, until: Until
) -> None:
    until(lambda: len(server.receipted) >= instances)
    until(lambda: process.status()["queue_objects"] == 0)
    assert len(server.archive) == instances
    assert set(server.receipted.values()) == {1}
    assert {len(digests) for digests in server.archive.values()} == {1}
    until(lambda: not list((process.data_dir / "spool").glob("*.segment")))


@drops_its_socket
@pytest.mark.requirement("C14", "C15")
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "steps", [SIX, pytest.param(tuple(STEPS), marks=pytest.mark.soak)], ids=["six steps", "all steps"]
)
def test_killed_at_one_step_after_the_other_every_instance_arrives_exactly_once(
    process: GatewayProcess, server: FakeServer, tmp_path: Path, until: Until, steps: tuple[str, ...]
) -> None:
    sender = ResendingPacs(exams_of(tmp_path, EXAMS, 2), process)
    sender.start()
    ordinary = process.program

    for number, step in enumerate(steps):
        process.program = [sys.executable, "-m", "collegium_testkit.killing", step, str(1 + number % 3)]
        with contextlib.suppress(AssertionError):  # it may have died before it listened
            process.start()
        until(lambda: not process.is_running)
    process.program = ordinary
    process.start()
    sender.join(600)

    assert sender.waiting == []
    assert_all_arrived_once(process, server, 2 * EXAMS, until)


@drops_its_socket
@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", range(8))
def test_killed_at_any_moment_two_hundred_times_every_instance_arrives_exactly_once(
    process: GatewayProcess, server: FakeServer, tmp_path: Path, until: Until, seed: int
) -> None:
    chance = random.Random(20260113 + seed)
    sender = ResendingPacs(exams_of(tmp_path, 30, 30), process)
    process.start()
    sender.start()

    for _ in range(KILLS):
        time.sleep(chance.uniform(0.05, 1.2))
        process.kill()
        process.start()
    sender.join(600)

    assert sender.waiting == []
    assert_all_arrived_once(process, server, 900, until)


@pytest.mark.requirement("C14")
@pytest.mark.parametrize("number", [2, 15])
def test_asked_to_stop_it_stops_within_seconds_and_goes_on_where_it_was(
    process: GatewayProcess, server: FakeServer, tmp_path: Path, until: Callable[..., None], number: int
) -> None:
    exam = phantoms.ct_exam(tmp_path / "exam", slices=3, size=64)
    process.start()
    pacs.send(exam.folder, "127.0.0.1", process.receive_port, "TRIAL1")

    code = process.stop(number=number)
    process.start()
    until(lambda: len(server.receipted) == 3)

    assert code == 0
    assert "Traceback" not in process.log_text


def test_an_impatient_second_signal_does_not_hold_up_the_stop(process: GatewayProcess) -> None:
    process.start()
    for _ in range(20):
        os.kill(process.pid, signal.SIGINT)

    assert process.stop() == 0


def test_a_second_process_on_the_same_folder_refuses_to_start(process: GatewayProcess) -> None:
    process.start()

    second = process.run("up")

    assert second.returncode == 1
    assert "connect.gateway.already_running" in second.stderr
