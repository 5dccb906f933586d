"""An exam that came with two patient ids: a person decides, and may take that back until something leaves."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import generate_uid

from collegium_connect.actor import CONSOLE, Actor, NotAllowed, Role
from collegium_connect.journal import aside, decisions, deliveries
from collegium_connect.journal.decisions import Kind
from collegium_connect.journal.objects import State, hold
from collegium_connect.quarantine import (
    CannotDecide,
    DecidedAlready,
    NotSetAside,
    ReasonMissing,
    TooLate,
)
from collegium_connect.service import Gateway
from collegium_testkit import pacs, phantoms
from collegium_testkit.deciding import Site
from collegium_testkit.fake_server import FakeServer, Fault
from collegium_wire import Manifest, Missing

Until = Callable[..., None]
ONA = Actor("Ona Operator", Role.OPERATOR)
ADA = Actor("Ada Admin", Role.ADMINISTRATOR)
WHY = "I looked at the picture."


@pytest.fixture
def mixed(gateway: Gateway, tmp_path: Path) -> phantoms.ExamTruth:
    """An exam of four slices, the last of which has another patient's id."""
    exam = phantoms.ct_exam(tmp_path, slices=4, size=64)
    dataset = dcmread(exam.files[3])
    dataset.PatientID = "SOMEONE-ELSE"
    dataset.save_as(exam.files[3], enforce_file_format=True)
    pacs.send(exam.files, "127.0.0.1", gateway.receive_port, "TRIAL1")
    return exam


@pytest.mark.requirement("C18")
def test_an_exam_with_two_patient_ids_shows_both_to_local_people(
    site: Site, mixed: phantoms.ExamTruth
) -> None:
    (exam,) = site.two_patients.exams()

    first = str(dcmread(mixed.files[0]).PatientID)
    assert [(side.local_id, side.objects) for side in exam.sides] == [(first, 3), ("SOMEONE-ELSE", 1)]


@pytest.mark.requirement("C18")
def test_an_exam_that_is_split_becomes_two_exams_of_two_subjects(
    site: Site, mixed: phantoms.ExamTruth, gateway: Gateway, server: FakeServer, until: Until
) -> None:
    assert mixed.files
    (exam,) = site.two_patients.exams()

    site.two_patients.split(ONA, exam.exam_id, WHY)
    until(lambda: len(server.receipted) == 4)

    manifests = [delivery.manifest for delivery in server.deliveries.values()]
    assert sorted((item.subject_code, len(item.objects)) for item in manifests) == [
        ("LG-001", 3),
        ("LG-002", 1),
    ]
    assert len({item.study_uid for item in manifests}) == 2
    until(lambda: [line.state for line in gateway.status().exams] == ["delivered", "delivered"])
    assert site.two_patients.exams() == ()


@pytest.mark.requirement("C18")
def test_an_exam_that_is_confirmed_goes_on_without_the_other_patients_objects(
    site: Site, mixed: phantoms.ExamTruth, server: FakeServer, until: Until
) -> None:
    assert mixed.files
    (exam,) = site.two_patients.exams()

    site.two_patients.confirm(ONA, exam.exam_id, "LG-001", WHY)
    until(lambda: len(server.receipted) == 3)

    (other,) = site.quarantine.objects()
    assert (other.subject_code, other.can_be_released) == ("LG-002", False)
    assert site.trail.of(exam.exam_id)[0].action == "quarantine.exam.confirmed"


@pytest.mark.requirement("C18")
def test_an_exam_is_confirmed_for_one_of_its_patients_only(site: Site, mixed: phantoms.ExamTruth) -> None:
    assert mixed.files
    (exam,) = site.two_patients.exams()

    with pytest.raises(CannotDecide):
        site.two_patients.confirm(ONA, exam.exam_id, "LG-003", WHY)
    with pytest.raises(NotAllowed):
        site.two_patients.split(CONSOLE, exam.exam_id, WHY)


@pytest.fixture
def slow(gateway: Gateway, server: FakeServer, until: Until) -> None:
    idle(gateway, server, until)


def idle(gateway: Gateway, server: FakeServer, until: Until) -> None:
    """Let the channel close its exams long after they came: time to think again."""
    server.channels = (replace(server.channels[0], quiet_time_s=3600),)
    until(lambda: [line.setup.quiet_time_s for line in gateway.status().channels] == [3600])


def hurry(gateway: Gateway, server: FakeServer, until: Until) -> None:
    server.channels = (replace(server.channels[0], quiet_time_s=1),)
    until(lambda: [line.setup.quiet_time_s for line in gateway.status().channels] == [1])


def states(site: Site) -> list[str]:
    with site.journal.look() as db:
        return [row["state"] for row in db.execute("SELECT state FROM objects ORDER BY rowid")]


def sent(server: FakeServer) -> list[tuple[str, int]]:
    return sorted(
        (one.manifest.subject_code, len(one.manifest.objects)) for one in server.deliveries.values()
    )


@pytest.mark.requirement("C18")
@pytest.mark.usefixtures("slow")
def test_what_was_said_of_an_exams_patient_can_be_taken_back_and_said_otherwise(
    site: Site, mixed: phantoms.ExamTruth, gateway: Gateway, server: FakeServer, until: Until
) -> None:
    assert mixed.files
    (exam,) = site.two_patients.exams()
    site.two_patients.confirm(ONA, exam.exam_id, "LG-001", WHY)
    until(lambda: states(site).count(State.WAITING) == 3)
    (decided,) = site.two_patients.decided()

    site.two_patients.take_back(ADA, exam.exam_id, "It was the other patient.")

    assert (decided.subject_code, decided.person, decided.is_split) == ("LG-001", "Ona Operator", False)
    assert (states(site), site.two_patients.decided()) == ([State.HELD] * 4, ())
    assert site.two_patients.exams() == (exam,)
    assert site.trail.of(exam.exam_id)[0].reason == "It was the other patient."
    site.two_patients.confirm(ONA, exam.exam_id, "LG-002", WHY)
    hurry(gateway, server, until)
    until(lambda: sent(server) == [("LG-002", 1)])
    assert states(site).count(State.QUARANTINED) == 3


@pytest.mark.requirement("C18")
@pytest.mark.usefixtures("slow")
def test_a_split_can_be_taken_back_and_the_exam_is_one_again(
    site: Site, mixed: phantoms.ExamTruth, gateway: Gateway, server: FakeServer, until: Until
) -> None:
    assert mixed.files
    (exam,) = site.two_patients.exams()
    site.two_patients.split(ONA, exam.exam_id, WHY)
    until(lambda: states(site) == [State.WAITING] * 4)
    with site.journal.look() as db:
        (own,) = db.execute("SELECT study_uid FROM exams WHERE exam_id = ?", (exam.exam_id,)).fetchone()

    site.two_patients.take_back(ONA, exam.exam_id, "It is the second patient's after all.")

    assert (states(site), site.two_patients.exams()) == ([State.HELD] * 4, (exam,))
    assert len(gateway.status().exams) == 1
    site.two_patients.confirm(ONA, exam.exam_id, "LG-002", WHY)
    hurry(gateway, server, until)
    until(lambda: sent(server) == [("LG-002", 1)])
    assert {one.manifest.study_uid for one in server.deliveries.values()} == {own}


@pytest.mark.usefixtures("slow")
def test_what_was_split_taken_back_and_split_again_becomes_two_exams(
    site: Site, mixed: phantoms.ExamTruth, gateway: Gateway, server: FakeServer, until: Until
) -> None:
    assert mixed.files
    (exam,) = site.two_patients.exams()
    site.two_patients.split(ONA, exam.exam_id, WHY)
    until(lambda: states(site) == [State.WAITING] * 4)
    site.two_patients.take_back(ONA, exam.exam_id, "Let me look once more.")

    site.two_patients.split(ONA, exam.exam_id, WHY)
    hurry(gateway, server, until)

    until(lambda: sent(server) == [("LG-001", 3), ("LG-002", 1)])
    assert len({one.manifest.study_uid for one in server.deliveries.values()}) == 2


@pytest.mark.requirement("C18")
def test_a_split_is_taken_back_though_its_deliveries_wait_for_the_server(
    site: Site, mixed: phantoms.ExamTruth, server: FakeServer, until: Until
) -> None:
    assert mixed.files
    server.faults = [Fault("manifest", "status", status=503, times=10_000)]
    (exam,) = site.two_patients.exams()
    site.two_patients.split(ONA, exam.exam_id, WHY)
    until(lambda: states(site) == [State.QUEUED] * 4)

    until(lambda: is_taken_back(site, exam.exam_id))  # between two tries

    assert (states(site), site.two_patients.exams()) == ([State.HELD] * 4, (exam,))
    server.faults = []
    site.two_patients.confirm(ONA, exam.exam_id, "LG-001", WHY)
    until(lambda: len(server.receipted) == 3)
    assert sent(server) == [("LG-001", 3)]


def is_taken_back(site: Site, exam_id: str) -> bool:
    try:
        site.two_patients.take_back(ONA, exam_id, "It is one exam after all.")
    except TooLate:
        return False
    return True


@pytest.mark.requirement("C18")
def test_a_decision_of_which_something_left_stays(
    site: Site, mixed: phantoms.ExamTruth, server: FakeServer, until: Until
) -> None:
    assert mixed.files
    (exam,) = site.two_patients.exams()
    site.two_patients.split(ONA, exam.exam_id, WHY)
    until(lambda: len(server.receipted) == 4)

    with pytest.raises(TooLate):
        site.two_patients.take_back(ONA, exam.exam_id, "That was too quick of me.")

    assert site.two_patients.decided() == ()


@pytest.mark.requirement("C18")
@pytest.mark.usefixtures("mixed")
def test_a_decision_stays_though_its_delivery_has_the_number_of_one_that_was_taken_back(
    site: Site, gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    (exam,) = site.two_patients.exams()
    server.faults = [Fault("manifest", "status", status=503, times=10_000)]
    other = phantoms.ct_exam(tmp_path / "other", slices=2, size=64, seed=7)
    pacs.send(other.files, "127.0.0.1", gateway.receive_port, "TRIAL1")
    until(lambda: states(site).count(State.QUEUED) == 2)

    with site.journal.change() as db:
        decisions.save(db, exam.exam_id, Kind.CONFIRMED, ONA.name, 1)
        aside.confirm_patient(db, exam.exam_id, "LG-001")
        (queued,) = db.execute("SELECT rowid, exam_id FROM deliveries").fetchall()
        hold(db, queued["exam_id"])
    server.faults = []
    until(lambda: len(server.receipted) == 3)

    with site.journal.look() as db:
        (delivered,) = db.execute("SELECT rowid, exam_id FROM deliveries").fetchall()
    assert (delivered["rowid"], delivered["exam_id"]) == (queued["rowid"], exam.exam_id)
    assert site.two_patients.decided() == ()
    with pytest.raises(TooLate):
        site.two_patients.take_back(ONA, exam.exam_id, "That was too quick of me.")


@pytest.mark.usefixtures("slow")
def test_only_a_named_person_takes_a_decision_back_and_says_why(
    site: Site, mixed: phantoms.ExamTruth
) -> None:
    assert mixed.files
    (exam,) = site.two_patients.exams()
    site.two_patients.confirm(ONA, exam.exam_id, "LG-001", WHY)

    with pytest.raises(NotAllowed):
        site.two_patients.take_back(CONSOLE, exam.exam_id, WHY)
    with pytest.raises(ReasonMissing):
        site.two_patients.take_back(ONA, exam.exam_id, "oops")
    with pytest.raises(NotSetAside):
        site.two_patients.take_back(ONA, str(uuid.uuid4()), WHY)


@pytest.mark.requirement("C18")
@pytest.mark.usefixtures("slow")
def test_an_exam_that_is_one_patients_becomes_no_others_without_taking_that_back(
    site: Site, mixed: phantoms.ExamTruth
) -> None:
    assert mixed.files
    (exam,) = site.two_patients.exams()
    site.two_patients.confirm(ONA, exam.exam_id, "LG-001", WHY)

    with pytest.raises(DecidedAlready):
        site.two_patients.confirm(ONA, exam.exam_id, "LG-002", WHY)


def another(mixed: phantoms.ExamTruth, path: Path) -> Path:
    """One more object of that exam, with the second patient's id."""
    dataset = dcmread(mixed.files[3])
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    dataset.save_as(path, enforce_file_format=True)
    return path


def study_uids(server: FakeServer, subject_code: str) -> list[str]:
    manifests = [one.manifest for one in server.deliveries.values()]
    return [one.study_uid for one in manifests if one.subject_code == subject_code]


@pytest.mark.requirement("C18")
def test_a_second_split_is_taken_back_and_what_the_first_let_go_stays_where_it_is(  # noqa: PLR0917 - what it looks at
    site: Site, mixed: phantoms.ExamTruth, gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    (exam,) = site.two_patients.exams()
    site.two_patients.split(ONA, exam.exam_id, WHY)
    until(lambda: states(site) == [State.DELIVERED] * 4)
    idle(gateway, server, until)
    pacs.send([another(mixed, tmp_path / "late.dcm")], "127.0.0.1", gateway.receive_port, "TRIAL1")
    site.two_patients.split(ONA, exam.exam_id, WHY)
    until(lambda: states(site) == [*[State.DELIVERED] * 4, State.WAITING])

    site.two_patients.take_back(ONA, exam.exam_id, "Let me look once more.")

    with site.journal.look() as db:
        rows = db.execute("SELECT state, exam_id = ? AS is_here FROM objects ORDER BY rowid", (exam.exam_id,))
        assert [(row["state"], row["is_here"]) for row in rows] == [
            *[(State.DELIVERED, 1)] * 3, (State.DELIVERED, 0), (State.HELD, 1),
        ]  # fmt: skip
    site.two_patients.split(ONA, exam.exam_id, WHY)
    hurry(gateway, server, until)
    until(lambda: sent(server) == [("LG-001", 3), ("LG-002", 1), ("LG-002", 1)])
    assert len(set(study_uids(server, "LG-002"))) == 1


@pytest.mark.requirement("C18")
def test_a_second_split_stays_when_something_leaves_that_the_first_let_go(  # noqa: PLR0917 - what it looks at
    site: Site, mixed: phantoms.ExamTruth, gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    server.faults = [Fault("manifest", "status", status=503, times=10_000)]
    (exam,) = site.two_patients.exams()
    site.two_patients.split(ONA, exam.exam_id, WHY)
    until(lambda: states(site) == [State.QUEUED] * 4)
    idle(gateway, server, until)
    pacs.send([another(mixed, tmp_path / "late.dcm")], "127.0.0.1", gateway.receive_port, "TRIAL1")
    site.two_patients.split(ONA, exam.exam_id, WHY)

    server.faults = []
    gateway.sender.line.try_now()
    until(lambda: sent(server) == [("LG-002", 1)])

    assert site.two_patients.decided() == ()
    with pytest.raises(TooLate):
        site.two_patients.take_back(ONA, exam.exam_id, "That was too quick of me.")


@pytest.mark.usefixtures("mixed")
def test_a_delivery_waits_with_an_exam_that_was_held_while_the_server_could_not_be_reached(
    site: Site, gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    server.faults = [Fault("manifest", "status", status=503, times=10_000)]
    other = phantoms.ct_exam(tmp_path / "other", slices=2, size=64, seed=7)
    pacs.send(other.files, "127.0.0.1", gateway.receive_port, "TRIAL1")
    until(lambda: states(site).count(State.QUEUED) == 2)
    gateway.stop()

    with site.journal.change() as db:
        (queued,) = db.execute("SELECT delivery_id, exam_id FROM deliveries").fetchall()
        deliveries.begin(db, queued["delivery_id"], 1)
        hold(db, queued["exam_id"])
        during = db.execute("SELECT count(*) FROM deliveries").fetchone()[0]
        deliveries.take_beginning_back(db, queued["delivery_id"])

    with site.journal.look() as db:
        assert (during, db.execute("SELECT count(*) FROM deliveries").fetchone()[0]) == (1, 0)
    assert states(site) == [State.HELD] * 6


@pytest.mark.requirement("C18")
def test_no_object_leaves_of_an_exam_that_is_held_while_the_server_hears_of_it(  # noqa: PLR0917 - what it looks at
    site: Site,
    gateway: Gateway,
    server: FakeServer,
    tmp_path: Path,
    until: Until,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    open_delivery = gateway._client.open_delivery

    def opened_and_held(manifest: Manifest) -> Missing:
        missing = open_delivery(manifest)
        with site.journal.change() as db:
            hold(db, db.execute("SELECT exam_id FROM deliveries").fetchone()["exam_id"])
        return missing

    monkeypatch.setattr(gateway._client, "open_delivery", opened_and_held)
    exam = phantoms.ct_exam(tmp_path / "exam", slices=2, size=64)
    pacs.send(exam.files, "127.0.0.1", gateway.receive_port, "TRIAL1")
    until(lambda: states(site) == [State.HELD] * 2)

    (announced,) = server.deliveries.values()
    assert announced.objects == {}
