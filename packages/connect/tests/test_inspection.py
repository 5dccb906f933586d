"""Inspection in processes of its own: whatever becomes of one of them, no object is lost and none is sent unseen."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from collegium_connect.inspection import Inspector, crew
from collegium_connect.inspection.worker import Asked
from collegium_connect.service import Gateway
from collegium_connect.settings import InspectSettings, Settings
from collegium_testkit import pacs, phantoms
from collegium_testkit.fake_server import FakeServer

Until = Callable[..., None]


@pytest.fixture
def apart(settings: Settings) -> Settings:
    """Inspect in one process of its own."""
    return replace(settings, inspect=InspectSettings(processes=1))


def send(gateway: Gateway, *paths: Path) -> list[int]:
    return [item.status for item in pacs.send(paths, "127.0.0.1", gateway.receive_port, "TRIAL1")]


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Time that is up is up, even if the answer is there just then."""
    hear = crew.Worker._hear

    def heard(worker: crew.Worker, ends: float) -> Asked:
        if time.monotonic() > ends:
            raise EOFError
        return hear(worker, ends)

    monkeypatch.setattr(crew.Worker, "_hear", heard)


@pytest.mark.requirement("C09", "C18")
def test_an_exam_is_inspected_by_a_process_of_its_own_and_delivered(
    apart: Settings, start: Callable[..., Gateway], server: FakeServer, tmp_path: Path, until: Until
) -> None:
    gateway = start(apart)
    exam = phantoms.ct_exam(tmp_path, slices=3, size=64)
    exam.files[1].write_bytes(exam.files[1].read_bytes()[:-9])

    send(gateway, *exam.files)
    until(lambda: len(server.receipted) == 2)

    until(lambda: gateway.inspection().waiting == 0)
    assert [line.objects for line in gateway.status().quarantine] == [1]


@pytest.mark.requirement("C15")
def test_a_worker_that_is_killed_is_replaced_and_its_objects_are_inspected(
    apart: Settings, start: Callable[..., Gateway], server: FakeServer, tmp_path: Path, until: Until
) -> None:
    gateway = start(apart)
    send(gateway, phantoms.ct_exam(tmp_path / "a", slices=1, size=64, seed=1).files[0])
    until(lambda: bool(gateway.inspection().pids))

    for pid in gateway.inspection().pids:
        os.kill(pid, signal.SIGKILL)
    send(gateway, *phantoms.ct_exam(tmp_path / "b", slices=2, size=64, seed=2).files)

    until(lambda: len(server.receipted) == 3)


@pytest.mark.requirement("C18")
@pytest.mark.usefixtures("strict")
def test_an_object_that_ends_its_worker_twice_is_set_aside_and_the_rest_goes_on(  # noqa: PLR0917 - fixtures
    apart: Settings,
    start: Callable[..., Gateway],
    server: FakeServer,
    tmp_path: Path,
    until: Until,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gateway = start(apart)
    with monkeypatch.context() as hurried:
        hurried.setattr(crew, "ITEM_LIMIT_S", -1.0)
        send(gateway, phantoms.ct_exam(tmp_path / "a", slices=1, size=64, seed=1).files[0])
        until(lambda: bool(gateway.status().quarantine))

    send(gateway, phantoms.ct_exam(tmp_path / "b", slices=1, size=64, seed=2).files[0])
    until(lambda: len(server.receipted) == 1)

    (line,) = gateway.status().quarantine
    assert line.reason_code == "connect.inspection.crashed"


@pytest.mark.requirement("C18")
@pytest.mark.usefixtures("strict")
def test_no_object_is_blamed_for_a_worker_that_does_not_start(  # noqa: PLR0917 - fixtures
    apart: Settings,
    start: Callable[..., Gateway],
    server: FakeServer,
    tmp_path: Path,
    until: Until,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun: list[float] = []
    gateway = start(apart)
    with monkeypatch.context() as hurried:
        hurried.setattr(crew, "_AFTER_FAULT_S", 0.1)
        hurried.setattr(crew, "_START_LIMIT_S", -1.0)
        hurried.setattr(crew.log, "fault", lambda *_args, **_keys: begun.append(0.0))
        send(gateway, phantoms.ct_exam(tmp_path, slices=1, size=64).files[0])
        until(lambda: len(begun) > 3)
        blamed = list(gateway.status().quarantine)
    until(lambda: len(server.receipted) == 1)

    assert blamed == []


@pytest.mark.requirement("C14")
def test_nothing_of_an_exam_is_sent_while_one_of_its_objects_was_not_looked_at(  # noqa: PLR0917 - fixtures
    settings: Settings,
    start: Callable[..., Gateway],
    server: FakeServer,
    tmp_path: Path,
    until: Until,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (soon,) = server.channels
    server.channels = (replace(soon, quiet_time_s=3600),)
    gateway = start(settings)
    exam = phantoms.ct_exam(tmp_path, slices=2, size=64)
    send(gateway, exam.files[0])
    until(lambda: gateway.inspection().inspected == 1)
    with monkeypatch.context() as idle:
        idle.setattr(Inspector, "_take", lambda _self: [])
        send(gateway, exam.files[1])
        server.channels = (soon,)
        until(lambda: [item.quiet_time_s for item in gateway.configuration.in_force()] == [1])
        beats = len(server.heartbeats)
        until(lambda: len(server.heartbeats) > beats + 10)  # two seconds, twice the quiet time
        unsent = list(server.deliveries)
    until(lambda: len(server.receipted) == 2)

    assert unsent == []
    assert len(server.deliveries) == 1


@pytest.mark.requirement("C18")
def test_what_is_too_large_to_be_looked_at_waits_in_quarantine_with_that_reason(
    settings: Settings, start: Callable[..., Gateway], tmp_path: Path, until: Until
) -> None:
    gateway = start(replace(settings, inspect=InspectSettings(processes=0, object_bytes=5_000)))

    send(gateway, phantoms.ct_exam(tmp_path, slices=1, size=64).files[0])
    until(lambda: bool(gateway.status().quarantine))

    (line,) = gateway.status().quarantine
    assert line.reason_code == "connect.inspection.too_large"
