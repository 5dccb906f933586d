"""Each fault in words on the local page, and gone from it when it is over: what a person at the site sees."""

import os
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collegium_connect.service import Gateway
from collegium_connect.settings import Settings
from collegium_testkit import certificates, pacs, phantoms
from collegium_testkit.fake_server import FakeServer, Fault
from collegium_testkit.patience import PATIENCE_S

DELIVERED = '<span class="state delivered">Delivered</span>'
Until = Callable[..., None]
Start = Callable[..., Gateway]


def push(gateway: Gateway, folder: Path, *, slices: int = 2) -> None:
    exam = phantoms.ct_exam(folder, slices=slices, size=64)
    pacs.send(exam.folder, "127.0.0.1", gateway.receive_port, "TRIAL1")


def page_of(gateway: Gateway) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{gateway.local_port}/", timeout=PATIENCE_S) as answer:
        return str(answer.read().decode())


@pytest.mark.requirement("C15", "C16", "C24")
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (Fault("complete", "status", status=500), "A fault on purpose."),
        (Fault("complete", "hang"), "The server did not answer in time."),
        (Fault("complete", "half_closed"), "The server cannot be reached."),
        (Fault("objects", "half_closed"), "The server cannot be reached."),
        (Fault("complete", "garbage"), "The server&#39;s answer is not of this protocol."),
        (Fault("complete", "wrong_receipt"), "The server&#39;s receipt is not for what was sent."),
    ],
    ids=lambda item: str(item) if isinstance(item, Fault) else "",
)
def test_what_the_server_does_wrong_is_told_until_the_one_receipt_is_there(  # noqa: PLR0917 - fixtures
    settings: Settings,
    start: Start,
    server: FakeServer,
    tmp_path: Path,
    until: Until,
    fault: Fault,
    words: str,
) -> None:
    server.faults = [replace(fault, times=1000)]
    # Who waits for what never comes waits shortly; else no answer is late.
    timeout_s = 2.0 if fault.kind == "hang" else settings.server.timeout_s
    gateway = start(replace(settings, server=replace(settings.server, timeout_s=timeout_s)))

    push(gateway, tmp_path / "exam")
    until(lambda: words in page_of(gateway))
    waiting = page_of(gateway)
    server.faults = []
    until(lambda: [line.state for line in gateway.status().exams] == ["delivered"])

    assert DELIVERED not in waiting
    until(lambda: words not in page_of(gateway))
    assert set(server.receipted.values()) == {1}


@pytest.mark.requirement("C15")
def test_a_receipt_that_comes_a_second_time_delivers_once(
    gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    # The server has made its receipt; it is lost.
    server.faults = [Fault("complete", "cut_after"), Fault("complete", "cut_before", times=1000)]

    push(gateway, tmp_path / "exam")
    until(lambda: "The server cannot be reached." in page_of(gateway))
    server.faults = []
    until(lambda: DELIVERED in page_of(gateway))

    (exam,) = gateway.status().exams
    assert (exam.objects, exam.delivered, exam.state) == (2, 2, "delivered")
    assert set(server.receipted.values()) == {1}


@pytest.mark.requirement("C16", "C24")
def test_a_certificate_that_expired_is_told_and_what_waits_goes_out_with_the_new_one(
    settings: Settings, start: Start, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    old, its = certificates.own_authority(tmp_path / "old", ends=datetime.now(UTC) - timedelta(hours=1))
    start().stop()
    with FakeServer(server.channels, tls=its) as expired:
        chosen = replace(settings.server, url=expired.url, ca_file=old)
        gateway = start(replace(settings, server=chosen))
        push(gateway, tmp_path / "exam")
        until(lambda: "certificate has expired. Tell whoever runs the server." in page_of(gateway))
        sent = list(expired.sent)
        gateway.stop()

    renewed = start()
    until(lambda: len(server.receipted) == 2)

    assert sent == []
    until(lambda: "certificate has expired" not in page_of(renewed))
    assert set(server.receipted.values()) == {1}


@pytest.mark.requirement("C24")
def test_a_clock_that_jumped_is_told_until_it_is_right(
    gateway: Gateway, server: FakeServer, until: Until
) -> None:
    server.clock_ahead_s = -400.5 * 86400
    until(lambda: "clock is 400 days ahead of the server&#39;s" in page_of(gateway))
    server.clock_ahead_s = 3 * 3600.0 + 60
    until(lambda: "clock is 3 hours behind the server&#39;s" in page_of(gateway))
    server.clock_ahead_s = 0.0

    until(lambda: "This machine&#39;s clock" not in page_of(gateway))


@pytest.mark.requirement("C14", "C24")
def test_a_torn_segment_is_told_with_its_number_of_objects(
    settings: Settings, start: Start, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    server.channels = (replace(server.channels[0], quiet_time_s=3600),)
    gateway = start()
    push(gateway, tmp_path / "exam", slices=3)
    until(lambda: not gateway.inspection().waiting)
    gateway.stop()
    last = max((settings.gateway.data_dir / "spool").iterdir())
    os.truncate(last, len(last.read_bytes().rstrip(b"\0")) - 10)

    page = page_of(start())

    assert "Its record is not on the disk as it was written." in page
    assert "<code>connect.spool.damaged</code>" in page
