"""Where the header speaks for writing in the picture, the gateway looks before it lets it through."""

import io
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from pydicom import dcmread

from collegium_connect.service import Gateway
from collegium_connect.settings import Settings
from collegium_testkit import pacs, phantoms
from collegium_testkit.fake_server import FakeServer, Fault

Until = Callable[..., None]


def written_on(folder: Path) -> Path:
    """A CT slice with its patient's name in the picture, and a header that says so."""
    path = phantoms.ct_exam(folder, slices=1, size=256).files[0]
    dataset = dcmread(path)
    pixels = dataset.pixel_array.copy()
    name = str(dataset.PatientName).replace("^", " ").upper()
    ink = np.zeros(pixels.shape, np.uint8)
    cv2.putText(ink, name, (6, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, 255, 1)
    pixels[ink > 128] = pixels.max()
    dataset.PixelData = pixels.tobytes()
    dataset.BurnedInAnnotation = "YES"
    dataset.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.requirement("C09")
def test_a_name_in_the_picture_is_hidden_and_the_rest_arrives_as_it_was(
    gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    path = written_on(tmp_path / "exam")
    original = dcmread(path)

    pacs.send([path], "127.0.0.1", gateway.receive_port, "TRIAL1")
    until(lambda: [line.state for line in gateway.status().exams] == ["delivered"])

    arrived = dcmread(io.BytesIO(server.objects[0]))
    assert arrived.BurnedInAnnotation == "NO"
    assert "113101" in {item.CodeValue for item in arrived.DeidentificationMethodCodeSequence}
    assert not np.array_equal(arrived.pixel_array[:30], original.pixel_array[:30])
    assert np.array_equal(arrived.pixel_array[40:], original.pixel_array[40:])


@pytest.mark.requirement("C09", "C18")
def test_the_whole_original_of_a_changed_picture_stays_sealed_until_its_receipt(
    gateway: Gateway, settings: Settings, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    server.faults = [Fault("complete", "cut_before", times=1000)]
    path = written_on(tmp_path / "exam")

    pacs.send([path], "127.0.0.1", gateway.receive_port, "TRIAL1")
    until(lambda: [line.state for line in gateway.status().exams] in (["queued"], ["retrying"]))

    spooled = [file for file in (settings.gateway.data_dir / "spool").rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in spooled) > 2 * len(dcmread(path).PixelData)
