"""What monitoring reads: metrics for Prometheus, the log as events."""

import json
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from collegium_connect import log
from collegium_connect.service import Gateway
from collegium_connect.settings import LogSettings
from collegium_testkit import pacs, phantoms
from collegium_testkit.fake_server import FakeServer
from collegium_testkit.patience import PATIENCE_S

SAMPLE = re.compile(r'^collegium_connect_[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? -?[0-9.e+]+$')


def metrics_of(gateway: Gateway) -> str:
    return httpx.get(
        f"http://127.0.0.1:{gateway.local_port}/metrics", trust_env=False, timeout=PATIENCE_S
    ).text


@pytest.fixture
def rotating(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "logs" / "gateway.log"
    log.configure(file=LogSettings(file=path, max_bytes=400, keep_files=2))
    yield path
    log.configure()


@pytest.mark.requirement("C24")
def test_metrics_tell_what_waits_and_what_was_delivered(
    gateway: Gateway, server: FakeServer, tmp_path: Path, until: Callable[..., None]
) -> None:
    exam = phantoms.ct_exam(tmp_path / "exam", slices=2, size=64)
    pacs.send(exam.folder, "127.0.0.1", gateway.receive_port, "TRIAL1")
    until(lambda: len(server.receipted) == 2)
    until(lambda: 'state="delivered"} 2' in metrics_of(gateway))

    lines = metrics_of(gateway).splitlines()

    samples = [line for line in lines if not line.startswith("#")]
    assert 'collegium_connect_channel_open{channel="TRIAL1"} 1' in samples
    assert "collegium_connect_queue_objects 0" in samples
    assert [line for line in samples if not SAMPLE.match(line)] == []
    assert {line.split()[2] for line in lines if line.startswith("# TYPE")} == {
        re.split(r"[ {]", line)[0] for line in samples
    }


def test_a_label_cannot_break_out_of_its_quotes(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collegium_connect.service.SOFTWARE", 'a"b\\c\nd')

    first = next(line for line in metrics_of(gateway).splitlines() if not line.startswith("#"))

    assert first == r'collegium_connect_info{software="a\"b\\c\nd"} 1'


def test_the_log_is_put_aside_when_it_grows(rotating: Path) -> None:
    for number in range(40):
        log.EventLog("test").info("event.of_test", number=number)

    files = sorted(path.name for path in rotating.parent.iterdir())
    last = json.loads(rotating.read_text("utf-8").splitlines()[-1])
    assert files == ["gateway.log", "gateway.log.1", "gateway.log.2"]
    assert max(path.stat().st_size for path in rotating.parent.iterdir()) <= 400
    assert (last["event"], last["number"], last["level"]) == ("event.of_test", 39, "info")


def test_the_last_events_are_at_hand_for_the_page(rotating: Path) -> None:
    log.EventLog("test").warning("event.of_test", what="recent")

    assert rotating.exists()
    assert log.recent()[-1]["what"] == "recent"


def test_of_an_unforeseen_error_no_word_is_logged(rotating: Path) -> None:
    try:
        int("Doe^Jane")
    except ValueError as error:
        log.EventLog("test").fault("event.failed", error)

    line = json.loads(rotating.read_text("utf-8"))
    assert line["error"] == "ValueError"
    assert line["at_line"].startswith("test_metrics_and_log.py:")
    assert "Doe" not in rotating.read_text("utf-8")


def test_the_libraries_do_not_write_logs_of_their_own(rotating: Path) -> None:
    logging.getLogger("pynetdicom").error("Doe^Jane")
    logging.getLogger("httpx").error("https://collegium.example.org/?name=Doe")

    assert rotating.read_text("utf-8") == ""
