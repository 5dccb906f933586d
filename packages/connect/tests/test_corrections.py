"""An object that comes again: the same is silent, another header is sent on, and what the server says is told."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread

from collegium_connect.clock import now, to_ms
from collegium_connect.folders import journal_path
from collegium_connect.journal import answers
from collegium_connect.journal.database import Journal
from collegium_connect.service import Gateway
from collegium_connect.settings import Settings
from collegium_testkit import pacs, phantoms
from collegium_testkit.fake_server import FakeServer

Until = Callable[..., None]
HELD = "connect.delivery.held_there"


def push(gateway: Gateway, *paths: Path) -> None:
    sent = pacs.send(paths, "127.0.0.1", gateway.receive_port, "TRIAL1")
    assert all(one.stored for one in sent)


def changed(path: Path, change: Callable[[Dataset], None]) -> Path:
    dataset = dcmread(path)
    change(dataset)
    dataset.save_as(path, enforce_file_format=True)
    return path


def corrected(dataset: Dataset) -> None:
    dataset.PatientWeight = "64.25"


def no_change(_dataset: Dataset) -> None:
    pass


def written_anew(dataset: Dataset) -> None:
    """What a PACS writes with every send; nothing of it leaves."""
    dataset.RetrieveAETitle = "OTHERPACS"
    dataset.StationAETitle = "OTHER"
    dataset.InstitutionName = "Larkspur Radiology"
    dataset.add_new(0x00091001, "LO", "sent on Tuesday")
    dataset.file_meta.SourceApplicationEntityTitle = "OTHERPACS"


@pytest.fixture
def sent(gateway: Gateway, tmp_path: Path, until: Until) -> phantoms.ExamTruth:
    exam = phantoms.ct_exam(tmp_path / "exam", slices=3, size=64)
    push(gateway, *exam.files)
    until(lambda: [line.state for line in gateway.status().exams] == ["delivered"])
    return exam


@pytest.mark.requirement("I04")
def test_a_corrected_header_reaches_the_server_and_what_it_says_is_told(
    gateway: Gateway, settings: Settings, server: FakeServer, sent: phantoms.ExamTruth, until: Until
) -> None:
    push(gateway, changed(sent.files[1], corrected))

    until(lambda: len(server.receipts) == 2)
    until(lambda: HELD in {alarm.code for alarm in gateway.alarms.standing})
    (line,) = gateway.status().exams
    assert (line.state, line.delivered, line.objects) == ("delivered", 4, 4)
    assert line.reason == (
        "Held by the server until the project decides: 1. Other content under a known instance UID."
    )
    with Journal(journal_path(settings)).look() as db:
        soon = answers.held(db, to_ms(now() - timedelta(days=1)))
        later = answers.held(db, to_ms(now() + timedelta(days=1)))
    assert (soon, later) == ({"ch-1": 1}, {})


@pytest.mark.requirement("I04")
@pytest.mark.parametrize("change", [no_change, written_anew])
def test_what_comes_again_and_leaves_as_before_is_not_sent(
    gateway: Gateway,
    server: FakeServer,
    sent: phantoms.ExamTruth,
    until: Until,
    change: Callable[[Dataset], None],
) -> None:
    push(gateway, changed(sent.files[1], change))
    push(gateway, *phantoms.ct_exam(sent.folder.parent / "next", slices=1, seed=2, size=64).files)

    until(lambda: [line.state for line in gateway.status().exams] == ["delivered"] * 2)

    assert len(server.receipts) == 2
    assert [line.reason for line in gateway.status().exams] == ["", ""]


def test_a_header_that_another_version_cleaned_is_told_and_is_no_alarm(
    gateway: Gateway, server: FakeServer, sent: phantoms.ExamTruth, until: Until
) -> None:
    server.cleaned_otherwise = True

    push(gateway, changed(sent.files[1], corrected))

    until(lambda: len(server.receipts) == 2)
    until(
        lambda: (
            gateway.status().exams[0].reason == "Kept by the server as it came first: 1. Cleaned by another."
        )
    )
    assert HELD not in {alarm.code for alarm in gateway.alarms.standing}
