"""Several processes that accept for one gateway: the same answers, limits and log; any of them may be killed."""

import json
import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path

import pytest

from collegium_connect.service import Gateway
from collegium_connect.settings import Settings
from collegium_testkit import pacs, phantoms
from collegium_testkit.doors import SlowLog
from collegium_testkit.fake_server import FakeServer
from collegium_testkit.patience import PATIENCE_S

Start = Callable[..., Gateway]
Until = Callable[..., None]


@pytest.fixture
def several(settings: Settings, start: Start, log_file: Path, until: Until) -> Gateway:
    """A gateway whose associations two other processes accept."""
    # Inspection in this process, so that whatever is a child here receives.
    chosen = replace(
        settings,
        receive=replace(settings.receive, processes=2, max_associations=6, memory_bytes=0),
        inspect=replace(settings.inspect, processes=0),
    )
    gateway = start(chosen)
    assert log_file.exists()
    until(lambda: pacs.echo("127.0.0.1", gateway.receive_port, "TRIAL1") == pacs.SUCCESS)
    return gateway


def events(log_file: Path, name: str) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in log_file.read_text("utf-8").splitlines()]
    return [line for line in lines if line["event"] == name]


def test_exams_that_come_by_several_processes_are_delivered_once(
    several: Gateway, server: FakeServer, tmp_path: Path, until: Until, log_file: Path
) -> None:
    exams = [
        phantoms.ct_exam(tmp_path / f"exam{number}", slices=6, size=64, seed=number) for number in range(4)
    ]

    def push(number: int) -> list[pacs.Sent]:
        return pacs.send(exams[number].folder, "127.0.0.1", several.receive_port, "TRIAL1")

    with ThreadPoolExecutor(4) as pool:
        sent = [item for items in pool.map(push, range(4)) for item in items]
    until(lambda: len(server.receipted) == 24)
    until(lambda: sum(int(str(item["stored"])) for item in events(log_file, "association.ended")) == 24)

    assert all(item.stored for item in sent)
    assert set(server.receipted.values()) == {1}


def test_what_was_lent_and_not_used_goes_back_when_an_association_ends(
    several: Gateway, server: FakeServer, tmp_path: Path, until: Until, settings: Settings
) -> None:
    exam = phantoms.ct_exam(tmp_path / "exam", slices=9, size=64)
    spool = settings.gateway.data_dir / "spool"

    pacs.send(exam.folder, "127.0.0.1", several.receive_port, "TRIAL1")
    until(lambda: len(server.receipted) == 9)

    until(lambda: not list(spool.iterdir()))


def test_a_second_copy_leaves_nothing_behind(
    several: Gateway, server: FakeServer, tmp_path: Path, until: Until, settings: Settings
) -> None:
    exam = phantoms.ct_exam(tmp_path / "exam", slices=3, size=64)

    for _ in range(2):
        sent = pacs.send(exam.folder, "127.0.0.1", several.receive_port, "TRIAL1")
        assert all(item.stored for item in sent)
    until(lambda: len(server.receipted) == 3)

    assert set(server.receipted.values()) == {1}
    until(lambda: not list((settings.gateway.data_dir / "spool").iterdir()))


def test_an_object_in_pieces_is_written_by_another_process_too(
    several: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    exam = phantoms.ct_exam(tmp_path / "exam", slices=2, size=1024)

    sent = pacs.send(exam.folder, "127.0.0.1", several.receive_port, "TRIAL1")
    until(lambda: len(server.receipted) == 2)

    assert all(item.stored for item in sent)
    assert min(item.stat().st_size for item in exam.files) > 2 << 20


def test_strangers_are_refused_and_logged_by_every_process(several: Gateway, log_file: Path) -> None:
    for _ in range(4):
        with pytest.raises(pacs.AssociationRefused):
            pacs.echo("127.0.0.1", several.receive_port, "TRIAL1", "STRANGER")

    assert len(events(log_file, "association.refused")) == 4


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_a_killed_process_is_replaced_and_the_rest_goes_on(  # noqa: PLR0917 - what it looks at
    several: Gateway, server: FakeServer, tmp_path: Path, until: Until, log_file: Path, settings: Settings
) -> None:
    exam = phantoms.ct_exam(tmp_path / "exam", slices=3, size=64)
    killed = multiprocessing.active_children()
    with socket.create_connection(("127.0.0.1", several.receive_port)):
        for child in killed:
            os.kill(child.pid or 0, signal.SIGKILL)
        until(lambda: len(events(log_file, "receive.process_died")) == len(killed))

    sent = pacs.send(exam.folder, "127.0.0.1", several.receive_port, "TRIAL1")
    until(lambda: len(server.receipted) == 3)

    assert len(killed) == 2
    assert all(item.stored for item in sent)
    until(lambda: not list((settings.gateway.data_dir / "spool").iterdir()))


def test_who_is_being_refused_by_a_process_that_is_to_end_hears_the_refusal(several: Gateway) -> None:
    port = several.receive_port

    with SlowLog() as slow_log, ThreadPoolExecutor(2) as pool:
        knocking = pool.submit(pacs.echo, "127.0.0.1", port, "TRIAL1", "STRANGER")
        slow_log.is_writing.wait(PATIENCE_S)
        closing = pool.submit(several._door.stop, PATIENCE_S)
        is_cut = wait([knocking], 0.5).done  # it has time to do so
        slow_log.goes_on.set()
        with pytest.raises(pacs.AssociationRefused) as refused:
            knocking.result()
        closing.result()

    assert not is_cut
    assert (refused.value.result, refused.value.source, refused.value.reason) == (1, 1, 3)
