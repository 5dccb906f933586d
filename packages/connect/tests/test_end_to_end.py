"""From a PACS's push to a receipt, over real associations and real HTTP."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread

from collegium_connect.service import Gateway
from collegium_connect.settings import Settings
from collegium_deid import parse_recipe, verify_conformance
from collegium_testkit import pacs, phantoms
from collegium_testkit.fake_server import FakeServer

Until = Callable[..., None]


def states(gateway: Gateway) -> list[str]:
    return [line.state for line in gateway.status().exams]


@pytest.mark.requirement("C01", "C15")
def test_a_pushed_exam_is_delivered_with_a_receipt(
    gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    exam = phantoms.ct_exam(tmp_path / "exam", slices=5, size=64)

    sent = pacs.send(exam.folder, "127.0.0.1", gateway.receive_port, "TRIAL1")
    until(lambda: states(gateway) == ["delivered"])

    assert [item.status for item in sent] == [pacs.SUCCESS] * 5
    (receipt,) = server.receipts
    assert len(receipt.items) == 5
    assert receipt.delivered


@pytest.mark.requirement("C15")
def test_what_arrives_has_the_pixels_of_what_was_sent(
    gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    exam = phantoms.ct_exam(tmp_path / "exam", slices=3, size=64)
    originals = {int(dcmread(path).InstanceNumber): dcmread(path).pixel_array for path in exam.files}

    pacs.send(exam.folder, "127.0.0.1", gateway.receive_port, "TRIAL1")
    until(lambda: states(gateway) == ["delivered"])

    arrived = {int(item.InstanceNumber): item.pixel_array for item in map(_read, server.objects)}
    assert arrived.keys() == originals.keys()
    assert all(np.array_equal(arrived[number], originals[number]) for number in originals)


def test_a_picture_without_pixel_data_arrives_as_its_recipe_demands(
    gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    exam = phantoms.ct_exam(tmp_path / "exam", slices=1, size=64)
    header = dcmread(exam.files[0])
    del header.PixelData
    header.save_as(exam.files[0])

    pacs.send(exam.folder, "127.0.0.1", gateway.receive_port, "TRIAL1")
    until(lambda: states(gateway) == ["delivered"])

    (arrived,) = server.objects
    recipe = parse_recipe(server.channels[0].recipe_yaml)
    assert verify_conformance(recipe, arrived, reach="end") == ()


@pytest.mark.requirement("C07", "C14")
def test_an_exam_sent_twice_is_delivered_once(
    gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    exam = phantoms.ct_exam(tmp_path / "exam", slices=4, size=64)
    pacs.send(exam.folder, "127.0.0.1", gateway.receive_port, "TRIAL1")
    until(lambda: states(gateway) == ["delivered"])

    again = pacs.send(exam.folder, "127.0.0.1", gateway.receive_port, "TRIAL1")
    until(lambda: states(gateway) == ["delivered"])

    assert all(item.stored for item in again)
    assert set(server.receipted.values()) == {1}
    assert len(server.deliveries) == 1


@pytest.mark.requirement("C17")
def test_late_objects_become_a_supplement_to_the_same_exam(
    gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    exam = phantoms.ct_exam(tmp_path / "exam", slices=4, size=64)
    pacs.send(exam.files[:3], "127.0.0.1", gateway.receive_port, "TRIAL1")
    until(lambda: len(server.receipts) == 1)

    pacs.send(exam.files[3:], "127.0.0.1", gateway.receive_port, "TRIAL1")
    until(lambda: len(server.receipts) == 2)

    first, second = (item.manifest for item in server.deliveries.values())
    assert (first.supplement, second.supplement) == (False, True)
    assert first.study_uid == second.study_uid
    assert first.subject_code == second.subject_code == "LG-001"


@pytest.mark.requirement("C17")
def test_nothing_is_sent_before_the_quiet_time_has_passed(
    settings: Settings, start: Callable[..., Gateway], server: FakeServer, tmp_path: Path, until: Until
) -> None:
    server.channels = (replace(server.channels[0], quiet_time_s=3600),)
    gateway = start(settings)
    exam = phantoms.ct_exam(tmp_path / "exam", slices=2, size=64)

    pacs.send(exam.folder, "127.0.0.1", gateway.receive_port, "TRIAL1")
    beats = len(server.heartbeats)
    until(lambda: len(server.heartbeats) > beats + 3)

    assert states(gateway) == ["receiving"]
    assert not server.deliveries


@pytest.mark.requirement("C07", "C19")
def test_a_follow_up_gets_the_same_subject_and_another_patient_the_next_code(
    gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    first = phantoms.ct_exam(tmp_path / "a", slices=1, size=64, seed=1)
    later = phantoms.ct_exam(
        tmp_path / "b", slices=1, size=64, seed=2, patient=first.patient, study_date="20260410"
    )
    other = phantoms.ct_exam(tmp_path / "c", slices=1, size=64, seed=3)

    for exam in (first, later, other):
        pacs.send(exam.folder, "127.0.0.1", gateway.receive_port, "TRIAL1")
    until(lambda: states(gateway) == ["delivered"] * 3)

    codes = [item.manifest.subject_code for item in server.deliveries.values()]
    assert sorted(codes) == ["LG-001", "LG-001", "LG-002"]


@pytest.mark.requirement("C24")
def test_heartbeats_tell_the_server_of_the_queue_and_bring_new_channels(
    gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    exam = phantoms.ct_exam(tmp_path / "exam", slices=2, size=64)
    second = replace(server.channels[0], channel_id="ch-2", called_ae="TRIAL2", project_name="Another")
    server.channels = (*server.channels, second)

    until(lambda: len(gateway._channels.active) == 2)
    pacs.send(exam.folder, "127.0.0.1", gateway.receive_port, "TRIAL2")
    until(lambda: states(gateway) == ["delivered"])
    until(lambda: server.heartbeats[-1].last_success_at is not None)

    beat = server.heartbeats[-1]
    assert (beat.queue_objects, beat.failures) == (0, 0)
    assert {line.channel_id for line in beat.channels} == {"ch-1", "ch-2"}


@pytest.mark.requirement("C07")
def test_two_projects_get_unrelated_uids_for_the_same_exam(
    gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    exam = phantoms.ct_exam(tmp_path / "exam", slices=1, size=64)
    second = replace(server.channels[0], channel_id="ch-2", called_ae="TRIAL2", project_name="Another")
    server.channels = (*server.channels, second)
    until(lambda: len(gateway._channels.active) == 2)

    pacs.send(exam.folder, "127.0.0.1", gateway.receive_port, "TRIAL1")
    pacs.send(exam.folder, "127.0.0.1", gateway.receive_port, "TRIAL2")
    until(lambda: states(gateway) == ["delivered"] * 2)

    assert len({item.manifest.study_uid for item in server.deliveries.values()}) == 2
    assert len(server.archive) == 2


def _read(data: bytes) -> Dataset:
    return dcmread(io.BytesIO(data))
