"""Pictures that are changed: every frame of them, searched again, told with the delivery; a doubt stops the exam."""

import hashlib
import io
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import cv2
import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.pixels.utils import pixel_array
from pydicom.uid import DeflatedExplicitVRLittleEndian, RLELossless

from collegium_connect import deidentify
from collegium_connect.actor import Actor, Role
from collegium_connect.clock import now
from collegium_connect.folders import copies_path, journal_path
from collegium_connect.keys import KeyFolder, load_secrets
from collegium_connect.rebuild import rebuild
from collegium_connect.service import Gateway
from collegium_connect.settings import Settings
from collegium_connect.spool import Stores
from collegium_deid import Cleaned, clean_object
from collegium_testkit import pacs, phantoms
from collegium_testkit.deciding import Site
from collegium_testkit.fake_server import FakeServer

Until = Callable[..., None]
ONA = Actor("Ona Operator", Role.OPERATOR)


def send(gateway: Gateway, *paths: Path) -> None:
    pacs.send(paths, "127.0.0.1", gateway.receive_port, "TRIAL1")


def written_on(path: Path, *, frames: int = 1, packed: bool = False) -> Dataset:
    """A slice with its patient's name in every frame, and a header that says so."""
    dataset = dcmread(path)
    pixels = dataset.pixel_array.copy()
    ink = np.zeros(pixels.shape, np.uint8)
    name = str(dataset.PatientName).replace("^", " ").upper()
    cv2.putText(ink, name, (6, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 255, 1)
    pixels[ink > 128] = pixels.max()
    dataset.BurnedInAnnotation = "YES"
    dataset.PixelData = pixels.tobytes() * frames
    if frames > 1:
        dataset.NumberOfFrames = frames
    if packed:
        dataset.compress(RLELossless, encoding_plugin="pydicom", generate_instance_uid=False)
    dataset.save_as(path, enforce_file_format=True)
    return dataset


@pytest.mark.requirement("C10", "C12", "C21")
def test_a_name_is_hidden_in_every_frame_of_a_compressed_picture_and_the_delivery_says_so(
    gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    (path,) = phantoms.ct_exam(tmp_path, slices=1, size=256).files
    before = pixel_array(written_on(path, frames=2, packed=True), raw=True)

    send(gateway, path)
    until(lambda: len(server.receipted) == 1)

    arrived = dcmread(io.BytesIO(server.objects[0]))
    after = pixel_array(arrived, raw=True)
    assert arrived.file_meta.TransferSyntaxUID == RLELossless
    assert not (before[:, :30] == after[:, :30]).all(axis=(1, 2)).any()
    assert np.array_equal(after[0, :30], after[1, :30])
    assert np.array_equal(after[:, 40:], before[:, 40:])
    (delivery,) = server.deliveries.values()
    assert delivery.manifest.report.counts["areas"] >= 1


@pytest.mark.requirement("C10", "C21")
def test_the_places_that_a_recipe_names_for_a_device_are_hidden_at_the_gateway(
    settings: Settings, start: Callable[..., Gateway], server: FakeServer, tmp_path: Path, until: Until
) -> None:
    device = "{maker: Invented Imaging, model: Phantom 64, rows: 64, columns: 64, boxes: [[0, 0, 20, 8]]}"
    recipe = server.channels[0].recipe_yaml.replace("pixels:\n", f"pixels:\n  devices:\n    - {device}\n")
    digest = hashlib.sha256(recipe.encode()).hexdigest()
    server.channels = (replace(server.channels[0], recipe_yaml=recipe, recipe_digest=digest),)
    gateway = start(settings)
    (path,) = phantoms.ct_exam(tmp_path, slices=1, size=64).files
    before = dcmread(path).pixel_array

    send(gateway, path)
    until(lambda: len(server.receipted) == 1)

    after = dcmread(io.BytesIO(server.objects[0])).pixel_array
    assert len(np.unique(after[:8, :20])) == 1
    assert np.array_equal(after[8:], before[8:])
    assert np.array_equal(after[:, 20:], before[:, 20:])
    (delivery,) = server.deliveries.values()
    assert delivery.manifest.report.counts["areas"] == 1


@pytest.mark.requirement("C21")
def test_a_delivery_tells_recipe_and_counts_and_of_no_area_where_none_was_hidden(
    gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    send(gateway, *phantoms.ct_exam(tmp_path, slices=2, size=64).files)
    until(lambda: len(server.receipted) == 2)

    (delivery,) = server.deliveries.values()
    manifest, channel = delivery.manifest, server.channels[0]
    assert (manifest.recipe_name, manifest.recipe_digest) == ("trial", channel.recipe_digest)
    assert f'version: "{manifest.recipe_version}"' in channel.recipe_yaml
    assert manifest.report.counts["X"] > 0
    assert manifest.report.counts["areas"] == 0


@pytest.mark.requirement("C12", "C18")
def test_an_exam_with_writing_still_seen_after_hiding_waits_as_a_whole_until_a_person_decides(  # noqa: PLR0917 - fixtures
    site: Site,
    gateway: Gateway,
    server: FakeServer,
    tmp_path: Path,
    until: Until,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = phantoms.ct_exam(tmp_path, slices=2, size=256).files
    written_on(second)
    monkeypatch.setattr("collegium_deid.pixels.redact.hidden", lambda frame, *_, **__: frame)
    monkeypatch.setattr("collegium_deid.pixels.frames._is_covered", lambda *_: False)

    send(gateway, first, second)
    until(lambda: gateway.status().quarantine)
    let_twice_the_quiet_time_pass(server, until)
    (line,), unsent = gateway.status().exams, list(server.deliveries)
    object_id = site.only()
    site.quarantine.delete(ONA, object_id, "It names the patient.")

    until(lambda: len(server.receipted) == 1)
    acts = [(act.actor, act.action, act.reason) for act in site.quarantine.history(object_id)]
    assert acts == [(ONA.name, "quarantine.object.deleted", "It names the patient.")]
    assert unsent == []
    assert (line.state, line.delivered) == ("held", 0)
    assert (
        line.reason == "Something that identifies is still in 1 of its objects. Look at it in the quarantine."
    )


def let_twice_the_quiet_time_pass(server: FakeServer, until: Until) -> None:
    beats = len(server.heartbeats)
    until(lambda: len(server.heartbeats) > beats + 10)


def leak(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let cleaning leave the patient's id in this object."""
    head = dcmread(path, stop_before_pixels=True)
    which, who = str(head.SOPInstanceUID).encode(), str(head.PatientID).encode()

    def leaky(data: bytes, **more: object) -> Cleaned:
        cleaned = clean_object(data, **more)  # type: ignore[arg-type] # handed on as it came
        if which not in data:
            return cleaned
        return replace(cleaned, head=who.ljust(128, b"\0") + cleaned.head[128:])

    monkeypatch.setattr(deidentify, "clean_object", leaky)


@pytest.mark.requirement("C12")
def test_an_exam_with_an_identifier_left_in_a_header_waits_as_a_whole(
    gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    exam = phantoms.ct_exam(tmp_path, slices=2, size=64)
    leak(exam.files[0], monkeypatch)

    send(gateway, *exam.files)
    until(lambda: gateway.status().quarantine)
    let_twice_the_quiet_time_pass(server, until)

    assert [line.reason_code for line in gateway.status().quarantine] == ["deid.verify.identifier_left"]
    assert [line.state for line in gateway.status().exams] == ["held"]
    assert server.deliveries == {}


@pytest.mark.requirement("C12")
def test_what_waits_for_its_window_stays_when_something_of_its_exam_is_found_to_identify(
    gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = now().astimezone()
    window = f"{at + timedelta(hours=2):%H:%M}-{at + timedelta(hours=3):%H:%M}"
    server.channels = (replace(server.channels[0], send_window=window),)
    until(lambda: [item.send_window for item in gateway.configuration.in_force()] == [window])
    exam = phantoms.ct_exam(tmp_path, slices=2, size=64)
    leak(exam.files[0], monkeypatch)
    send(gateway, exam.files[1])
    until(lambda: [line.state for line in gateway.status().exams] == ["queued"])

    send(gateway, exam.files[0])
    until(lambda: gateway.status().quarantine)
    server.channels = (replace(server.channels[0], send_window=""),)
    until(lambda: [item.send_window for item in gateway.configuration.in_force()] == [""])
    let_twice_the_quiet_time_pass(server, until)

    assert [line.state for line in gateway.status().exams] == ["held"]
    assert server.deliveries == {}


@pytest.mark.requirement("C12")
def test_an_identifier_left_still_stops_its_exam_when_the_journal_was_made_again(  # noqa: PLR0917 - fixtures
    settings: Settings,
    start: Callable[..., Gateway],
    server: FakeServer,
    tmp_path: Path,
    until: Until,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe = server.channels[0].recipe_yaml.replace("look: all", "look: doubtful")  # cleaned while it comes
    digest = hashlib.sha256(recipe.encode()).hexdigest()
    server.channels = (replace(server.channels[0], recipe_yaml=recipe, recipe_digest=digest),)
    gateway = start()
    exam = phantoms.ct_exam(tmp_path, slices=2, size=64)
    leak(exam.files[0], monkeypatch)
    send(gateway, *exam.files)
    until(lambda: gateway.status().quarantine)
    gateway.stop()
    journal_path(settings).write_bytes(b"spoilt")
    folder = settings.gateway.data_dir
    secrets = load_secrets(KeyFolder(folder / "keys"))
    stores = Stores.below(folder, settings.limits, secrets.sealing)

    rebuild(journal_path(settings), copies_path(settings), stores, secrets, now)
    again = start()
    let_twice_the_quiet_time_pass(server, until)

    assert [line.state for line in again.status().exams] == ["held"]
    assert server.deliveries == {}


@pytest.mark.requirement("C12")
def test_an_identifier_left_in_an_object_of_no_known_exam_stops_its_exam_as_well(  # noqa: PLR0917 - fixtures
    settings: Settings,
    start: Callable[..., Gateway],
    server: FakeServer,
    tmp_path: Path,
    until: Until,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gateway = start(replace(settings, receive=replace(settings.receive, memory_bytes=0)))
    exam = phantoms.ct_exam(tmp_path, slices=2, size=64)
    unread_as_it_comes(exam.files[0])
    leak(exam.files[0], monkeypatch)

    send(gateway, *exam.files)
    until(lambda: gateway.status().quarantine)
    let_twice_the_quiet_time_pass(server, until)

    assert [line.reason_code for line in gateway.status().quarantine] == ["deid.verify.identifier_left"]
    (line,) = gateway.status().exams
    assert (line.state, line.delivered) == ("held", 0)
    assert line.reason.startswith("Something that identifies is still in 1 of its objects.")
    assert server.deliveries == {}


def unread_as_it_comes(path: Path) -> None:
    """Deflate a slice that is too large to be held while it comes: it is sealed whole, and nobody knows whose it is."""
    dataset = dcmread(path)
    dataset.Rows = dataset.Columns = 800
    noise = np.random.default_rng(1).integers(0, 1 << 16, (800, 800), dtype=np.uint16)
    dataset.PixelData = noise.tobytes()
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset.save_as(path, enforce_file_format=True)
    assert path.stat().st_size > 1 << 20
