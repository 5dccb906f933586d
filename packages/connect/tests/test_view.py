"""Looking at one object: in a process of its own, bounded in time, and without a trace of a file tried."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import SecondaryCaptureImageStorage

from collegium_connect.channels import Channel
from collegium_connect.quarantine import NotShown, Viewer
from collegium_connect.quarantine.view import Verdict, View, view_of
from collegium_deid import SiteKey, load_recipe
from collegium_testkit import phantoms
from collegium_wire import ChannelSetup

WHO = Verdict("LG-001")


@pytest.fixture
def channel() -> Channel:
    recipe = load_recipe("trial")
    setup = ChannelSetup(
        channel_id="ch-1", name="Channel", called_ae="TRIAL1", project_name="Project", site_name="Larkspur",
        site_code="LG", recipe_yaml=recipe.text, recipe_digest=recipe.digest, quiet_time_s=1,
    )  # fmt: skip
    return Channel(setup, 1, recipe, SiteKey(bytes(32)), is_active=True)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return phantoms.ct_exam(tmp_path, slices=1, size=64).files[0]


def test_another_process_sees_the_same(channel: Channel, path: Path) -> None:
    data = path.read_bytes()

    seen = Viewer().view(data, channel, WHO, (), 0)

    assert seen == view_of(data, channel, WHO, (), 0)
    assert seen.is_fit


def test_a_look_that_takes_too_long_is_ended(channel: Channel, path: Path) -> None:
    with pytest.raises(NotShown, match="too long"):
        Viewer(limit_s=0.01).view(path.read_bytes(), channel, WHO, (), 0)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[600:],
        lambda data: data[:-100],
        lambda data: data[: len(data) // 2],
        lambda data: data[:0],
    ],
)
def test_broken_bytes_are_told_in_words_that_quote_nothing(
    channel: Channel, path: Path, spoil: Callable[[bytes], bytes]
) -> None:
    view = view_of(spoil(path.read_bytes()), channel, WHO, (), 0)

    assert not view.is_fit
    assert view.code.startswith("deid.")
    assert view.words
    assert view.after == b""


def test_a_frame_that_is_not_there_is_not_shown(channel: Channel, path: Path) -> None:
    view = view_of(path.read_bytes(), channel, WHO, (), 7)

    assert (view.frames, view.before, view.no_picture) == (1, b"", "There is no such frame.")


def test_colour_is_shown_in_colour(channel: Channel, path: Path) -> None:
    dataset = dcmread(path)
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PlanarConfiguration = 3, "RGB", 0
    dataset.BitsAllocated = dataset.BitsStored = 8
    dataset.HighBit, dataset.PixelRepresentation = 7, 0
    dataset.PixelData = b"\xff\x00\x00" * 64 * 64
    dataset.save_as(path, enforce_file_format=True)

    view = view_of(path.read_bytes(), channel, WHO, (), 0)

    # PNG: colour type 2 (RGB) in the tenth byte of the IHDR chunk (PNG specification 11.2.2).
    assert view.before[25] == 2


def test_a_view_says_nothing_of_itself_in_a_log() -> None:
    view = View(frame=0, before=b"pixels of somebody", attributes=())

    assert "somebody" not in repr(view)
