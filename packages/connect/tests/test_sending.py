"""Every way a delivery can be cut or refused: retried, never doubled, never called delivered too early."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from collegium_connect.service import Gateway
from collegium_connect.settings import Settings
from collegium_testkit import pacs, phantoms
from collegium_testkit.fake_server import Call, FakeServer, Fault, Kind

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
    server.faults = [Fault("complete", "wrong_receipt", times=1)]

    push(gateway, tmp_path / "exam")
    until(lambda: states(gateway) == ["retrying"])
    (line,) = gateway.status().exams
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
    server.faults = [Fault("complete", "cut_before", times=1)]
    push(gateway, tmp_path / "exam")
    until(lambda: bool(server.deliveries))
    (delivery,) = server.deliveries.values()
    server.refuse = {delivery.manifest.objects[0].sop_instance_uid}

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
    until(lambda: states(gateway) == ["retrying"])

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


def test_queued_manifests_say_how_the_exam_was_cleaned(
    gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    push(gateway, tmp_path / "exam", slices=2)
    until(lambda: states(gateway) == ["delivered"])

    (delivery,) = server.deliveries.values()
    assert delivery.manifest.report.counts
    assert delivery.manifest.recipe_digest
    assert json.loads(delivery.manifest.to_json())["subject_code"] == "LG-001"
