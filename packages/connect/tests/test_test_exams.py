"""A test exam goes the whole way and leaves nothing; no other exam can be taken for one."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
from pydicom import dcmread

from collegium_connect.clock import now
from collegium_connect.doctor import Verdict
from collegium_connect.doctor import round_trip as walk
from collegium_connect.doctor.round_trip import WAIT_S, round_trip
from collegium_connect.folders import journal_path
from collegium_connect.journal import channels as stored
from collegium_connect.journal import subjects
from collegium_connect.journal.database import Journal
from collegium_connect.push import Pushed
from collegium_connect.push_here import push_here
from collegium_connect.service import Gateway
from collegium_connect.settings import Settings
from collegium_testkit import pacs, phantoms
from collegium_testkit.fake_server import FakeServer, Fault
from collegium_wire import NEWEST, PROTOCOL, Allocation, ChannelSetup, Outcome

Until = Callable[..., None]


@pytest.fixture
def journal(gateway: Gateway, settings: Settings, until: Until) -> Iterator[Journal]:
    """That of the running gateway, which has heard its server."""
    assert gateway.receive_port
    journal = Journal(journal_path(settings))
    until(lambda: protocol_of(journal) > 0)
    yield journal
    journal.close()


def protocol_of(journal: Journal) -> int:
    with journal.look() as db:
        return stored.server_protocol(db)


def in_force(journal: Journal) -> list[ChannelSetup]:
    with journal.look() as db:
        return [item.setup for item in stored.channels(db)]


@pytest.mark.requirement("C26")
def test_the_doctor_sends_an_invented_exam_the_whole_way_and_nothing_of_it_stays(
    gateway: Gateway, settings: Settings, journal: Journal, server: FakeServer
) -> None:
    taken, trip = round_trip(settings, journal, now)

    assert (taken.verdict, trip.verdict) == (Verdict.GOOD, Verdict.GOOD)
    assert trip.found.endswith("s; the server keeps nothing of it")
    (delivery,) = server.deliveries.values()
    assert (delivery.manifest.is_test, delivery.manifest.protocol) == (True, NEWEST)
    assert server.archive == {}
    (line,) = gateway.status().exams
    assert (line.state, line.reason) == (
        "delivered",
        "A test exam of the doctor: the server proves and forgets it.",
    )
    assert gateway.status().totals.last_success_at is None
    with journal.look() as db:
        (scope,) = subjects.scopes(db)
        assert subjects.next_number(db, scope.scope_id) == 1


@pytest.mark.parametrize(
    "changed",
    [{"allocation": Allocation.LISTED}, {"selected_only": True}, {"quiet_time_s": 3600}, {"compress": True}],
)
def test_it_waits_for_no_list_no_selection_and_no_quiet_time(
    settings: Settings, journal: Journal, server: FakeServer, until: Until, changed: dict[str, object]
) -> None:
    told = replace(server.channels[0], **changed)  # type: ignore[arg-type] # fields of a channel
    server.channels = (told,)
    until(lambda: in_force(journal) == [told])

    findings = round_trip(settings, journal, now, called_ae="TRIAL1")

    assert [one.verdict for one in findings] == [Verdict.GOOD, Verdict.GOOD]


@pytest.mark.requirement("C26")
def test_an_old_server_is_never_sent_a_test_exam(
    start: Callable[..., Gateway], settings: Settings, server: FakeServer, until: Until
) -> None:
    server.newest = PROTOCOL
    start()
    journal = Journal(journal_path(settings))
    until(lambda: protocol_of(journal) == PROTOCOL)

    (finding,) = round_trip(settings, journal, now)

    journal.close()
    assert finding.verdict is Verdict.UNKNOWN
    assert finding.found.startswith("the server is of before and does not know test exams")
    assert server.deliveries == {}


def test_a_server_that_grew_old_meanwhile_is_sent_none_either(
    settings: Settings, journal: Journal, server: FakeServer, until: Until
) -> None:
    server.newest = PROTOCOL
    until(lambda: protocol_of(journal) == PROTOCOL)

    with patch.object(walk, "NEWEST", PROTOCOL):
        taken, trip = round_trip(settings, journal, now)

    assert (taken.verdict, trip.verdict) == (Verdict.GOOD, Verdict.SHORT)
    assert trip.found == "The server is of before and does not know test exams."
    assert server.deliveries == {}


def test_another_picture_under_the_patient_of_a_test_is_set_aside(
    settings: Settings, journal: Journal, server: FakeServer, tmp_path: Path
) -> None:
    real = dcmread(phantoms.ct_exam(tmp_path / "exam", slices=1, size=64).files[0])

    def in_its_place(own: Settings, folder: Path, called_ae: str) -> Pushed:
        real.PatientID = dcmread(folder / "invented.dcm").PatientID
        real.save_as(folder / "invented.dcm")
        return push_here(own, folder, called_ae)

    with patch.object(walk, "push_here", in_its_place):
        taken, trip = round_trip(settings, journal, now)

    assert (taken.verdict, trip.verdict) == (Verdict.GOOD, Verdict.SHORT)
    assert trip.found == "It came under the patient of a test exam, and is not that exam."
    assert server.deliveries == {}


def test_a_real_exam_is_not_delivered_by_an_answer_that_proves_and_forgets_it(
    gateway: Gateway, server: FakeServer, until: Until, tmp_path: Path
) -> None:
    exam = phantoms.ct_exam(tmp_path / "exam", slices=1, size=64)

    with patch.object(server, "_judge", server._prove):
        pacs.send(exam.files, "127.0.0.1", gateway.receive_port, "TRIAL1")
        until(lambda: [line.state for line in gateway.status().exams] == ["retrying"])

    assert server.receipts[0].items[0].outcome is Outcome.PROVEN
    assert gateway.status().exams[0].delivered == 0
    assert "not for what was sent" in gateway.status().exams[0].reason


def test_a_channel_that_is_not_there_is_named(settings: Settings, journal: Journal) -> None:
    (finding,) = round_trip(settings, journal, now, called_ae="NOBODY")

    assert (finding.verdict, finding.found) == (Verdict.SHORT, "there is no open channel NOBODY")


def test_a_test_exam_without_a_receipt_is_named(
    settings: Settings, journal: Journal, server: FakeServer
) -> None:
    server.faults.append(Fault("complete", "status", times=10_000))
    waits: list[float] = []

    taken, trip = round_trip(settings, journal, now, pause=waits.append)

    assert taken.verdict is Verdict.GOOD
    assert (trip.verdict, trip.found) == (Verdict.SHORT, "no receipt")
    assert sum(waits) == WAIT_S
