"""Looking at one object: in a process of its own, bounded in time, and without a trace of a file tried."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from pydicom import dcmread
from pydicom.uid import SecondaryCaptureImageStorage

from collegium_connect.channels import Channel
from collegium_connect.quarantine import NotShown, Viewer
from collegium_connect.quarantine.view import Verdict, View, view_of
from collegium_deid import SiteKey, load_recipe, parse_recipe
from collegium_testkit import phantoms, wordy
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


# PS3.15 Table E.1-1 replaces a value that its kind of object must have (PS3.3 A.45.1.4: type 1) by a dummy.
DUMMY = "(2 bytes)"
WORDY = {
    "report": wordy.report,
    "key objects": wordy.key_objects,
    "document": wordy.document,
    "waveform": wordy.waveform,
}


@pytest.mark.parametrize("make", WORDY.values(), ids=WORDY.keys())
def test_what_the_recipe_does_not_take_is_shown_as_the_rules_would_leave_it(
    channel: Channel, path: Path, make: Callable[[Path], Path]
) -> None:
    view = view_of(make(path).read_bytes(), channel, WHO, (), 0)

    rows = {row.name: row.after for row in view.attributes}
    assert (view.is_fit, view.is_supposed, view.code) == (False, True, "deid.object")
    assert view.kind
    assert (rows["PatientID"], rows.get("EncapsulatedDocument", DUMMY)) == ("LG-001", DUMMY)
    assert not [row for row in view.attributes if row.after and "Placeholder" in row.after]


def taking(channel: Channel, *kinds: str) -> Channel:
    text = load_recipe("trial").text.replace(
        "objects:\n", "".join(["objects:\n", *(f"  - {one}\n" for one in kinds)])
    )
    return replace(channel, recipe=parse_recipe(text, "trial"))


@pytest.mark.parametrize(
    ("make", "kind"),
    [(wordy.report, "Basic Text SR"), (wordy.key_objects, "Key Object Selection Document")],
)
def test_what_has_no_picture_can_be_judged_by_its_header(
    channel: Channel, path: Path, make: Callable[[Path], Path], kind: str
) -> None:
    view = view_of(make(path).read_bytes(), taking(channel, kind), WHO, (), 0)

    assert (view.is_fit, view.is_shown, view.is_supposed) == (True, True, False)
    assert (view.kind, view.before, view.after) == (kind, b"", b"")
    assert not [row for row in view.attributes if row.after and "Placeholder" in row.after]


def test_a_document_cannot_leave_even_where_its_kind_is_taken(channel: Channel, path: Path) -> None:
    view = view_of(wordy.document(path).read_bytes(), taking(channel, "Encapsulated PDF"), WHO, (), 0)

    rows = {row.name: row.after for row in view.attributes}
    assert (view.is_fit, view.has_document, view.is_supposed) == (False, True, True)
    assert rows["EncapsulatedDocument"] == DUMMY


def test_a_picture_that_cannot_be_shown_is_not_shown_by_its_header_alone(
    channel: Channel, path: Path
) -> None:
    view = view_of(path.read_bytes(), channel, WHO, (), 7)

    assert (view.is_fit, view.is_shown) == (True, False)


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
