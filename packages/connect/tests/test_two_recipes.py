"""One exam on two channels: each project gets it by its own recipe, under its own code and site."""

import hashlib
import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread

from collegium_connect.service import Gateway
from collegium_connect.settings import Settings
from collegium_deid import load_recipe
from collegium_testkit import pacs, phantoms
from collegium_testkit.fake_server import FakeServer

Until = Callable[..., None]


def arrived(server: FakeServer, channel_id: str) -> Dataset:
    """The one object that was delivered for a channel."""
    (uid,) = [
        item.manifest.objects[0].sop_instance_uid
        for item in server.deliveries.values()
        if item.manifest.channel_id == channel_id
    ]
    found = [dcmread(io.BytesIO(data)) for data in server.objects]
    (one,) = [dataset for dataset in found if dataset.SOPInstanceUID == uid]
    return one


@pytest.mark.requirement("C04")
def test_one_exam_on_two_channels_comes_out_by_each_channels_own_recipe(
    settings: Settings, start: Callable[..., Gateway], server: FakeServer, tmp_path: Path, until: Until
) -> None:
    strict = load_recipe("strict").text
    digest = hashlib.sha256(strict.encode()).hexdigest()
    second = replace(
        server.channels[0], channel_id="ch-2", called_ae="TRIAL2", project_name="Another", site_code="QH",
        recipe_yaml=strict, recipe_digest=digest,
    )  # fmt: skip
    server.channels = (*server.channels, second)
    gateway = start(settings)
    exam = phantoms.ct_exam(tmp_path, slices=1, size=64)
    original = dcmread(exam.files[0])

    for title in ("TRIAL1", "TRIAL2"):
        pacs.send(exam.files, "127.0.0.1", gateway.receive_port, title)
    until(lambda: len(server.receipted) == 2)

    trial, bare = arrived(server, "ch-1"), arrived(server, "ch-2")
    assert trial.DeidentificationMethod.startswith("Collegium recipe trial ")
    assert bare.DeidentificationMethod.startswith("Collegium recipe strict ")
    assert (trial.PatientID, bare.PatientID) == ("LG-001", "QH-001")
    assert trial.StudyDate not in {"", original.StudyDate}
    assert bare.StudyDate == ""
    assert trial.PatientSex == original.PatientSex
    assert not bare.get("PatientSex")
    assert trial.StudyInstanceUID != bare.StudyInstanceUID
