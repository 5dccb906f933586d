"""Every way a delivery can be cut or refused: retried, never doubled, never called delivered too early."""

import io
import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from pydicom import dcmread
from pydicom.encaps import generate_frames

from collegium_connect.actor import CONSOLE
from collegium_connect.clock import now
from collegium_connect.send.pace import PIECE_BYTES, Pace
from collegium_connect.service import Gateway
from collegium_connect.settings import Settings
from collegium_connect.twins import SHARED
from collegium_testkit import pacs, phantoms
from collegium_testkit.fake_server import Call, FakeServer, Fault, Kind
from collegium_testkit.patience import PATIENCE_S

Until = Callable[..., None]
CALLS: tuple[Call, ...] = ("manifest", "objects", "complete")
CUTS: tuple[Kind, ...] = ("cut_before", "cut_during", "cut_after")
ODD: tuple[Kind, ...] = ("status", "garbage")


def push(gateway: Gateway, folder: Path, slices: int = 3) -> None:
    exam = phantoms.ct_exam(folder, slices=slices, size=64)
    pacs.send(exam.folder, "127.0.0.1", gateway.receive_port, "TRIAL1")


def states(gateway: Gateway) -> list[str]:
    return [line.state for line in gateway.status().exams]


@pytest.mark.requirement("C14", "C15", "C16")
@pytest.mark.parametrize("fault", [Fault(call, kind, times=2) for call in CALLS for kind in CUTS], ids=str)
def test_a_link_cut_at_any_message_ends_in_one_receipt(
    gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until, fault: Fault
) -> None:
    server.faults = [replace(fault)]

    push(gateway, tmp_path / "exam")
    until(lambda: states(gateway) == ["delivered"])

    assert set(server.receipted.values()) == {1}
    assert len(server.receipted) == 3
    assert {len(stored) for stored in server.archive.values()} == {1}


@pytest.mark.requirement("C16")
@pytest.mark.parametrize("fault", [Fault(call, kind) for call in CALLS for kind in ODD], ids=str)
def test_errors_and_strange_answers_are_retried(
    gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until, fault: Fault
) -> None:
    server.faults = [replace(fault)]

    push(gateway, tmp_path / "exam")
    until(lambda: states(gateway) == ["delivered"])

    assert set(server.receipted.values()) == {1}


@pytest.mark.requirement("C15", "C16")
def test_a_severed_link_never_shows_delivered(
    gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    server.faults = [Fault("complete", "cut_before", times=1000)]

    push(gateway, tmp_path / "exam")
    until(lambda: states(gateway) == ["retrying"])

    (line,) = gateway.status().exams
    assert (line.delivered, line.reason) == (0, "The server cannot be reached.")
    assert line.next_attempt_at is not None


@pytest.mark.requirement("C15")
def test_a_receipt_for_something_else_does_not_deliver(
    gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    server.faults = [Fault("complete", "wrong_receipt", times=1000)]

    push(gateway, tmp_path / "exam")
    until(lambda: states(gateway) == ["retrying"])
    (line,) = gateway.status().exams
    server.faults = []
    until(lambda: states(gateway) == ["delivered"])

    assert (line.delivered, line.reason) == (0, "The server's receipt is not for what was sent.")


@pytest.mark.requirement("C16")
def test_a_wrong_token_shows_its_reason_and_loses_nothing(
    gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    right, server.token = server.token, "another"

    push(gateway, tmp_path / "exam")
    until(lambda: states(gateway) == ["retrying"])
    (line,) = gateway.status().exams
    server.token = right
    until(lambda: states(gateway) == ["delivered"])

    assert line.reason == "The token is not known."


@pytest.mark.requirement("C15")
def test_an_object_that_the_receipt_refuses_is_shown_and_kept(
    gateway: Gateway, settings: Settings, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    server.faults = [Fault("complete", "cut_before", times=1000)]
    push(gateway, tmp_path / "exam")
    until(lambda: bool(server.deliveries))
    (delivery,) = server.deliveries.values()
    server.refuse = {delivery.manifest.objects[0].sop_instance_uid}
    server.faults = []

    until(lambda: states(gateway) == ["refused"])

    (line,) = gateway.status().exams
    assert (line.delivered, line.objects) == (2, 3)
    until(lambda: len(list((settings.gateway.data_dir / "spool").iterdir())) == 1)


@pytest.mark.requirement("C15")
def test_the_receipt_takes_object_and_sealed_header_with_it(
    gateway: Gateway, settings: Settings, tmp_path: Path, until: Until
) -> None:
    push(gateway, tmp_path / "exam")
    until(lambda: states(gateway) == ["delivered"])
    until(lambda: not list((settings.gateway.data_dir / "spool").iterdir()))

    assert gateway.status().totals.queue_bytes == 0


@pytest.mark.requirement("C14")
def test_an_upload_resumes_with_what_is_missing(
    gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    server.faults = [Fault("complete", "cut_before", times=1)]

    push(gateway, tmp_path / "exam")
    until(lambda: states(gateway) == ["delivered"])

    uploads = [request for request in server.sent if request.split(b" ", 2)[1].endswith(b"/objects")]
    assert len(uploads) == 1


@pytest.mark.requirement("C16")
def test_failed_attempts_are_in_the_next_heartbeat(
    gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    server.faults = [Fault("manifest", "status", status=503, times=1000)]

    push(gateway, tmp_path / "exam")
    until(lambda: server.heartbeats and server.heartbeats[-1].failures > 0)

    assert server.heartbeats[-1].queue_objects == 3


def test_one_exam_that_the_server_does_not_want_does_not_hold_up_the_next(
    gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    server.faults = [Fault("manifest", "status", status=422, times=1)]
    push(gateway, tmp_path / "first")
    until(lambda: not server.faults[0].times)

    exam = phantoms.ct_exam(tmp_path / "second", slices=1, size=64, seed=2)
    pacs.send(exam.folder, "127.0.0.1", gateway.receive_port, "TRIAL1")

    until(lambda: states(gateway) == ["delivered", "delivered"])


def test_an_object_missing_on_the_disk_is_shown_after_a_restart_and_not_made_up(
    start: Callable[..., Gateway], settings: Settings, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    gateway = start()
    server.faults = [Fault("manifest", "status", status=503, times=1000)]
    push(gateway, tmp_path / "exam")
    until(lambda: states(gateway) == ["retrying"])
    gateway.stop()
    next((settings.gateway.data_dir / "spool").iterdir()).unlink()
    server.faults = []

    second = start()

    until(lambda: states(second) == ["refused"])
    assert not server.receipts


@pytest.mark.requirement("C21")
def test_queued_manifests_say_how_the_exam_was_cleaned(
    gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    push(gateway, tmp_path / "exam", slices=2)
    until(lambda: states(gateway) == ["delivered"])

    (delivery,) = server.deliveries.values()
    assert delivery.manifest.report.counts
    assert delivery.manifest.recipe_digest
    assert json.loads(delivery.manifest.to_json())["subject_code"] == "LG-001"


@pytest.mark.requirement("C16")
def test_a_delivery_is_given_up_after_its_limit_and_tried_again_when_a_person_says_so(
    gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    server.channels = (replace(server.channels[0], attempts_limit=2),)
    until(lambda: [item.attempts_limit for item in gateway.configuration.in_force()] == [2])
    server.faults = [Fault("manifest", "status", status=422, times=1000)]
    push(gateway, tmp_path / "exam")

    until(lambda: states(gateway) == ["given up"])
    until(lambda: "connect.delivery.given_up" in [alarm.code for alarm in server.heartbeats[-1].alarms])
    (line,) = gateway.status().exams
    server.faults = []
    was_queued = gateway.sender.retry_now(actor=CONSOLE, exam_id=line.exam_id)
    until(lambda: states(gateway) == ["delivered"])

    assert was_queued
    assert line.reason == "A fault on purpose. Given up after 2 attempts."
    assert line.delivered == 0
    until(lambda: "send.exam.retried" in [entry.action for entry in server.trail])


def test_a_line_that_is_down_gives_no_delivery_up(
    gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    server.channels = (replace(server.channels[0], attempts_limit=1),)
    until(lambda: [item.attempts_limit for item in gateway.configuration.in_force()] == [1])
    server.faults = [Fault("manifest", "status", status=503, times=2)]

    push(gateway, tmp_path / "exam")
    until(lambda: states(gateway) == ["delivered"])

    assert not server.faults[0].times


def test_an_exam_waits_for_its_channels_window(
    gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    at = now().astimezone()
    window = f"{at + timedelta(hours=2):%H:%M}-{at + timedelta(hours=3):%H:%M}"
    server.channels = (replace(server.channels[0], send_window=window),)
    until(lambda: [item.send_window for item in gateway.configuration.in_force()] == [window])
    push(gateway, tmp_path / "exam")
    until(lambda: states(gateway) == ["queued"])
    (line,) = gateway.status().exams

    server.channels = (replace(server.channels[0], send_window=""),)
    until(lambda: states(gateway) == ["delivered"])

    assert line.reason == f"Its channel sends at {window}."
    assert len(server.deliveries) == 1


def test_an_upload_that_hangs_does_not_hold_up_other_exams(
    gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    server.faults = [Fault("objects", "hang", times=1)]
    push(gateway, tmp_path / "first")
    until(lambda: not server.faults[0].times)

    exam = phantoms.ct_exam(tmp_path / "second", slices=1, size=64, seed=2)
    pacs.send(exam.folder, "127.0.0.1", gateway.receive_port, "TRIAL1")

    until(lambda: min(states(gateway)) == "delivered")
    assert len(server.receipts) == 1


def test_a_channel_keeps_to_its_share_of_the_line(
    gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, int, int]] = []

    def wait_s(_self: Pace, channel_id: str, max_mbps: int, size: int) -> float:
        asked.append((channel_id, max_mbps, size))
        return 0.0  # how long it should be is `Pace`'s own test

    monkeypatch.setattr(Pace, "wait_s", wait_s)
    server.channels = (replace(server.channels[0], max_mbps=4),)
    until(lambda: [item.max_mbps for item in gateway.configuration.in_force()] == [4])
    exam = phantoms.ct_exam(tmp_path / "exam", slices=2, size=512)
    pacs.send(exam.folder, "127.0.0.1", gateway.receive_port, "TRIAL1")

    until(lambda: states(gateway) == ["delivered"])

    assert {(channel_id, max_mbps) for channel_id, max_mbps, _ in asked} == {("ch-1", 4)}
    assert sum(size for _, _, size in asked) >= sum(map(len, server.objects)) > 1_000_000
    assert max(size for _, _, size in asked) <= PIECE_BYTES


@pytest.mark.requirement("C14")
def test_a_delivery_under_way_ends_when_another_gateway_uses_the_enrolment_and_loses_nothing(
    gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first piece of each upload waits until the gateway has heard, and longer than it thinks that it knows.
    heard = threading.Event()
    monkeypatch.setattr(Pace, "wait_s", lambda *_: 1.5 if heard.wait(PATIENCE_S) else 0.0)
    server.channels = (replace(server.channels[0], max_mbps=1),)
    until(lambda: [item.max_mbps for item in gateway.configuration.in_force()] == [1])
    exam = phantoms.ct_exam(tmp_path / "exam", slices=3, size=512)
    pacs.send(exam.folder, "127.0.0.1", gateway.receive_port, "TRIAL1")
    until(lambda: gateway.sender.is_busy)

    server.is_shared = True
    until(lambda: SHARED in [alarm.code for alarm in gateway.status().alarms])
    heard.set()
    until(lambda: not gateway.sender.is_busy)

    (line,) = gateway.status().exams
    assert (line.delivered, line.state, server.receipts) == (0, "queued", [])
    monkeypatch.undo()
    server.is_shared = False
    server.channels = (replace(server.channels[0], max_mbps=0),)
    until(lambda: states(gateway) == ["delivered"])
    assert set(server.receipted.values()) == {1}


def test_records_stay_as_long_as_their_channel_says_and_then_go(
    start: Callable[..., Gateway], settings: Settings, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    server.channels = (replace(server.channels[0], retention_days=3),)
    spool = settings.gateway.data_dir / "spool"
    first = start()
    push(first, tmp_path / "exam")
    until(lambda: states(first) == ["delivered"])
    first.stop()
    second, beats = start(), len(server.heartbeats)
    until(lambda: len(server.heartbeats) > beats)
    kept = list(spool.iterdir())
    second.stop()

    later = start(settings, lambda: now() + timedelta(days=4))
    until(lambda: not list(spool.iterdir()))
    lines = later.status().exams

    assert len(kept) == 1
    assert [(line.state, line.delivered) for line in lines] == [("delivered", 3)]


def test_a_channel_that_compresses_sends_the_same_values_in_fewer_bytes(
    gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    server.channels = (replace(server.channels[0], compress=True),)
    until(lambda: [item.compress for item in gateway.configuration.in_force()] == [True])
    exam = phantoms.ct_exam(tmp_path / "exam", slices=2, size=128)
    originals = {int(dcmread(path).InstanceNumber): dcmread(path).pixel_array for path in exam.files}

    pacs.send(exam.folder, "127.0.0.1", gateway.receive_port, "TRIAL1")
    pacs.send(exam.folder, "127.0.0.1", gateway.receive_port, "TRIAL1")
    until(lambda: states(gateway) == ["delivered"])

    (delivery,) = server.deliveries.values()
    assert {item.transfer_syntax_uid for item in delivery.manifest.objects} == {"1.2.840.10008.1.2.4.201"}
    arrived = [dcmread(io.BytesIO(data)) for data in server.objects]
    assert len(arrived) == 2
    for item in arrived:
        (frame,) = generate_frames(item.PixelData, number_of_frames=1)
        assert np.array_equal(imagecodecs.htj2k_decode(frame), originals[int(item.InstanceNumber)])
    assert sum(map(len, server.objects)) < sum(path.stat().st_size for path in exam.files)


def test_a_clock_that_is_set_back_holds_up_no_delivery(
    start: Callable[..., Gateway], settings: Settings, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    gateway = start()
    server.faults = [Fault("manifest", "status", status=422, times=1000)]
    push(gateway, tmp_path / "exam")
    until(lambda: states(gateway) == ["retrying"])
    gateway.stop()
    server.faults = []

    earlier = start(settings, lambda: now() - timedelta(days=2))
    until(lambda: states(earlier) == ["delivered"])

    assert set(server.receipted.values()) == {1}
