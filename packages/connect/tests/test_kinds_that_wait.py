"""Kinds of pictures that a person must see (PS3.15 section E.3.1) wait for one, unless the channel waives it."""

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import (
    UID,
    SecondaryCaptureImageStorage,
    UltrasoundImageStorage,
    VLEndoscopicImageStorage,
    XRayAngiographicImageStorage,
)

from collegium_connect.service import Gateway
from collegium_connect.settings import Settings
from collegium_testkit import pacs, phantoms, wordy
from collegium_testkit.fake_server import FakeServer
from collegium_wire import ChannelSetup

KINDS = {
    "US": UltrasoundImageStorage,
    "OT": SecondaryCaptureImageStorage,
    "XA": XRayAngiographicImageStorage,
    "ES": VLEndoscopicImageStorage,
}


def picture(folder: Path, number: int, modality: str, kind: UID) -> Path:
    """A picture of this kind, of a patient of its own."""
    path = phantoms.ct_exam(folder / modality, slices=1, size=64, seed=number).files[0]
    dataset = dcmread(path)
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = kind
    dataset.Modality = modality
    dataset.save_as(path, enforce_file_format=True)
    return path


def with_recipe(channel: ChannelSetup, recipe: str) -> ChannelSetup:
    return replace(channel, recipe_yaml=recipe, recipe_digest=hashlib.sha256(recipe.encode()).hexdigest())


@pytest.mark.requirement("C13")
def test_pictures_of_screens_and_cameras_wait_for_a_person_unless_the_channel_waives_it(
    settings: Settings,
    start: Callable[..., Gateway],
    server: FakeServer,
    tmp_path: Path,
    until: Callable[..., None],
) -> None:
    recipe = server.channels[0].recipe_yaml.replace("objects:\n", "objects:\n  - VL Endoscopic Image\n")
    asking = with_recipe(server.channels[0], recipe)
    second = replace(asking, channel_id="ch-2", called_ae="TRIAL2", project_name="Another")
    waiving = with_recipe(second, recipe.replace("release: person", "release: automatic"))
    server.channels = (asking, waiving)
    gateway = start(settings)
    made = [picture(tmp_path, number, *kind) for number, kind in enumerate(KINDS.items())]
    document = wordy.document(phantoms.ct_exam(tmp_path / "DOC", slices=1, size=64, seed=9).files[0])

    pacs.send([*made, document], "127.0.0.1", gateway.receive_port, "TRIAL1")
    pacs.send(made, "127.0.0.1", gateway.receive_port, "TRIAL2")
    until(lambda: len(server.receipted) == len(KINDS))

    waits = {line.reason_code: line.objects for line in gateway.status().quarantine}
    assert waits == {"deid.release": len(KINDS), "deid.object": 1}
    delivered = [item.manifest for item in server.deliveries.values()]
    assert {item.channel_id for item in delivered} == {"ch-2"}
    assert {item.objects[0].sop_class_uid for item in delivered} == set(KINDS.values())
