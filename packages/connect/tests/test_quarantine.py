"""What cannot be cleaned is kept, sealed, with a reason; nothing is lost and nothing guessed."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import dcmread

from collegium_connect.folders import journal_path
from collegium_connect.intake import Status
from collegium_connect.journal import objects
from collegium_connect.journal.database import Journal
from collegium_connect.keys import KeyFolder, load_secrets
from collegium_connect.service import Gateway
from collegium_connect.settings import Settings
from collegium_connect.spool import Place, Stores
from collegium_testkit import pacs, phantoms
from collegium_testkit.captures import as_capture
from collegium_testkit.fake_server import FakeServer

Until = Callable[..., None]


def quarantined(gateway: Gateway) -> int:
    return sum(line.objects for line in gateway.status().quarantine)


def send(gateway: Gateway, *paths: Path) -> list[int]:
    return [item.status for item in pacs.send(paths, "127.0.0.1", gateway.receive_port, "TRIAL1")]


def only_record(settings: Settings) -> tuple[str, Place]:
    """The id and the place of the one object that the journal knows."""
    journal = Journal(journal_path(settings))
    try:
        with journal.look() as db:
            (record,) = objects.live_records(db)
    finally:
        journal.close()
    return record.object_id, record.place


def stores_of(settings: Settings) -> Stores:
    sealing = load_secrets(KeyFolder(settings.gateway.data_dir / "keys")).sealing
    return Stores.below(settings.gateway.data_dir, settings.limits, sealing)


def one_file(folder: Path) -> Path:
    return phantoms.ct_exam(folder, slices=1, size=64).files[0]


@pytest.mark.requirement("C18")
def test_bytes_that_are_no_dicom_data_set_are_sealed_whole(
    gateway: Gateway, settings: Settings, server: FakeServer, tmp_path: Path
) -> None:
    path = one_file(tmp_path)
    dataset_start = path.read_bytes().index(b"\x08\x00\x05\x00")
    junk = path.read_bytes()[:dataset_start] + b"this is no data set at all" * 50
    path.write_bytes(junk)

    statuses = send(gateway, path)

    assert statuses == [Status.SUCCESS]
    (object_id, place), stores = only_record(settings), stores_of(settings)
    assert stores.original(object_id, place, is_clean=False).endswith(junk[dataset_start:])
    (segment,) = (settings.gateway.data_dir / "spool").iterdir()
    assert b"no data set" not in segment.read_bytes()
    assert not server.deliveries


@pytest.mark.requirement("C18")
@pytest.mark.parametrize("cut_at", [0.3, 0.99])
def test_a_truncated_object_is_sealed_whole(
    gateway: Gateway, server: FakeServer, tmp_path: Path, cut_at: float, until: Until
) -> None:
    path = one_file(tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * cut_at)])

    statuses = send(gateway, path)

    assert statuses == [Status.SUCCESS]
    until(lambda: quarantined(gateway) == 1)
    assert not server.deliveries


@pytest.mark.requirement("C13", "C18")
def test_an_object_that_needs_a_look_at_its_pixels_waits_in_quarantine(
    gateway: Gateway, server: FakeServer, tmp_path: Path
) -> None:
    path = as_capture(one_file(tmp_path))

    statuses = send(gateway, path)

    assert statuses == [Status.SUCCESS]
    assert quarantined(gateway) == 1
    assert not server.deliveries


@pytest.mark.requirement("C18")
def test_an_object_without_a_patient_id_waits_in_quarantine(gateway: Gateway, tmp_path: Path) -> None:
    path = one_file(tmp_path)
    dataset = dcmread(path)
    dataset.PatientID = ""
    dataset.save_as(path, enforce_file_format=True)

    send(gateway, path)

    (line,) = gateway.status().quarantine
    assert line.reason_code == "deid.patient_id"


@pytest.mark.requirement("C14")
def test_an_object_sent_again_is_in_quarantine_once(
    gateway: Gateway, settings: Settings, tmp_path: Path, until: Until
) -> None:
    path = one_file(tmp_path)
    path.write_bytes(path.read_bytes()[:-100])

    send(gateway, path)
    until(lambda: quarantined(gateway) == 1)
    send(gateway, path)

    assert quarantined(gateway) == 1
    only_record(settings)


@pytest.mark.requirement("C18")
def test_an_exam_with_two_patient_ids_is_held_as_a_whole(
    settings: Settings, start: Callable[..., Gateway], server: FakeServer, tmp_path: Path, until: Until
) -> None:
    server.channels = (replace(server.channels[0], quiet_time_s=1),)
    gateway = start(settings)
    exam = phantoms.ct_exam(tmp_path, slices=2, size=64)
    dataset = dcmread(exam.files[1])
    dataset.PatientID = "SOMEONE-ELSE"
    dataset.save_as(exam.files[1], enforce_file_format=True)

    statuses = send(gateway, *exam.files)
    beats = len(server.heartbeats)
    until(lambda: len(server.heartbeats) > beats + 8)

    assert statuses == [Status.SUCCESS] * 2
    assert [line.state for line in gateway.status().exams] == ["held"]
    assert quarantined(gateway) == 2
    assert not server.deliveries


@pytest.mark.requirement("C24")
def test_a_full_spool_answers_out_of_resources_and_recovers(
    settings: Settings, start: Callable[..., Gateway], server: FakeServer, tmp_path: Path, until: Until
) -> None:
    server.channels = (replace(server.channels[0], quiet_time_s=1),)
    gateway = start(replace(settings, limits=replace(settings.limits, spool_bytes=35_000)))
    exam = phantoms.ct_exam(tmp_path, slices=6, size=64)

    statuses = send(gateway, *exam.files)
    until(lambda: [line.state for line in gateway.status().exams] == ["delivered"])
    until(lambda: gateway._stores.segments.used_bytes == 0)
    again = send(gateway, *exam.files)

    assert Status.SUCCESS in statuses
    assert statuses[-1] == Status.OUT_OF_RESOURCES
    assert again.count(Status.SUCCESS) > statuses.count(Status.SUCCESS)


@pytest.mark.requirement("C24")
def test_new_associations_are_refused_while_the_spool_is_full(
    settings: Settings, start: Callable[..., Gateway], tmp_path: Path
) -> None:
    gateway = start(replace(settings, limits=replace(settings.limits, keep_free_bytes=1 << 60)))

    with pytest.raises(pacs.AssociationRefused) as error:
        send(gateway, one_file(tmp_path))

    assert (error.value.result, error.value.source, error.value.reason) == (2, 3, 2)


@pytest.mark.requirement("C18")
def test_an_exam_says_how_many_of_its_objects_are_in_quarantine(
    gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    exam = phantoms.ct_exam(tmp_path, slices=2, size=64)
    exam.files[1].write_bytes(exam.files[1].read_bytes()[:-100])

    send(gateway, *exam.files)
    until(lambda: len(server.receipted) == 1)
    until(lambda: [line.state for line in gateway.status().exams] == ["delivered"])

    (line,) = gateway.status().exams
    assert (line.objects, line.delivered, line.reason) == (1, 1, "In quarantine: 1.")
