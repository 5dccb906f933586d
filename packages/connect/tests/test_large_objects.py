"""Objects too large for memory: taken piece by piece, and the same in the end as if they had come whole."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from pydicom import Dataset, dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    JPEGBaseline8Bit,
    SecondaryCaptureImageStorage,
)

from collegium_connect import enrol
from collegium_connect.channels import Channel, Channels
from collegium_connect.clock import now
from collegium_connect.folders import journal_path
from collegium_connect.intake import Intake, Status
from collegium_connect.journal.database import Journal
from collegium_connect.keys import KeyFolder, load_secrets
from collegium_connect.ledger import JournalLedger
from collegium_connect.links import LinkTable
from collegium_connect.recover import recover
from collegium_connect.settings import LimitSettings, Settings
from collegium_connect.spool import Place, Stores
from collegium_testkit import phantoms
from collegium_testkit.fake_server import FakeServer

LARGE = 300_000  # more than a first look at a header takes


@dataclass
class Bench:
    """What takes objects, without a door."""

    journal: Journal
    stores: Stores
    intake: Intake
    channel: Channel

    def rows(self) -> list[dict[str, object]]:
        with self.journal.look() as db:
            return [dict(row) for row in db.execute("SELECT * FROM objects ORDER BY rowid")]

    def stream(self, path: Path, piece: int = 10_007) -> Status:
        """Take a file as if a door read it in pieces."""
        meta, data = split(path)
        sink = self.intake.begin(self.channel, *meta)
        for start in range(0, len(data), piece):
            sink.write(memoryview(data)[start : start + piece])
        return sink.finish()

    def original(self, row: dict[str, object]) -> bytes:
        return self.stores.original(str(row["object_id"]), place_of(row), is_clean=bool(row["is_clean"]))


def place_of(row: dict[str, object]) -> Place:
    segment, offset = row["segment"], row["offset"]
    assert isinstance(segment, str)
    assert isinstance(offset, int)
    return Place(segment, offset)


def split(path: Path) -> tuple[tuple[str, str, str], bytes]:
    """SOP class, instance and syntax, and the data set as it goes over the network."""
    raw = path.read_bytes()
    meta = dcmread(path, stop_before_pixels=True).file_meta
    start = 144 + int.from_bytes(raw[140:144], "little")
    uids = (meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID, meta.TransferSyntaxUID)
    return (str(uids[0]), str(uids[1]), str(uids[2])), raw[start:]


@pytest.fixture
def bench(settings: Settings, server: FakeServer) -> Iterator[Bench]:
    yield from begun(settings, server)


@pytest.fixture
def cramped(settings: Settings, server: FakeServer) -> Iterator[Bench]:
    """A spool with room for two megabytes."""
    yield from begun(replace(settings, limits=LimitSettings(spool_bytes=2 << 20, keep_free_bytes=0)), server)


def begun(settings: Settings, server: FakeServer) -> Iterator[Bench]:
    recipe = server.channels[0].recipe_yaml.replace("look: all", "look: doubtful")  # CT may pass unseen
    digest = hashlib.sha256(recipe.encode()).hexdigest()
    server.channels = (replace(server.channels[0], recipe_yaml=recipe, recipe_digest=digest),)
    folder, journal = settings.gateway.data_dir, Journal(journal_path(settings))
    enrol.enrol(settings, journal, server.url, server.code)
    keys = KeyFolder(folder / "keys")
    secrets = load_secrets(keys)
    stores = Stores.below(folder, settings.limits, secrets.sealing)
    channel = Channels(journal, keys).called("TRIAL1")
    assert channel is not None
    intake = Intake(JournalLedger(journal, stores), stores, LinkTable(journal, secrets, now), secrets, now)
    yield Bench(journal, stores, intake, channel)
    journal.close()
    stores.segments.close()


def large(folder: Path, **changes: object) -> Path:
    """A CT slice of 512 x 512: half a megabyte of pixels."""
    path = phantoms.ct_exam(folder, slices=1, size=512).files[0]
    dataset = dcmread(path)
    for name, value in changes.items():
        setattr(dataset, name, value)
    dataset.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.requirement("C14")
def test_what_came_in_pieces_leaves_as_if_it_had_come_whole(bench: Bench, tmp_path: Path) -> None:
    path = large(tmp_path)
    (meta, data), twin = split(path), tmp_path / "twin.dcm"
    twin.write_bytes(path.read_bytes())

    status = bench.stream(path)

    (row,) = bench.rows()
    leaves = b"".join(bench.stores.outbound(str(row["object_id"]), place_of(row)))
    assert status == Status.SUCCESS
    assert (row["state"], row["is_clean"], row["size_bytes"]) == ("received", 1, len(leaves))
    assert hashlib.sha256(leaves).hexdigest() == row["sha256"]
    assert leaves.endswith(dcmread(path).PixelData)
    assert bench.original(row).endswith(data)
    sink = bench.intake.begin(bench.channel, *meta)  # small enough for memory, so it is taken whole
    sink.write(data)
    assert sink.finish() == Status.SUCCESS
    assert len(bench.rows()) == 1


@pytest.mark.requirement("C03")
def test_no_header_lies_in_clear_while_an_object_comes(bench: Bench, tmp_path: Path) -> None:
    exam = phantoms.ct_exam(tmp_path / "exam", slices=1, size=512)
    meta, data = split(exam.files[0])

    sink = bench.intake.begin(bench.channel, *meta)
    sink.write(data[:LARGE])

    (segment,) = (bench.stores.segments.names()[-1:],)
    at_rest = b"".join(path.read_bytes() for path in (tmp_path / "gateway" / "spool").iterdir())
    assert segment
    assert len(at_rest) > LARGE // 2
    assert not [planted for planted in exam.planted if planted.encode() in at_rest]
    sink.abandon()
    assert bench.stores.segments.names() == []


@pytest.mark.requirement("C18")
def test_an_object_that_ends_in_its_pixels_is_sealed_whole_as_it_came(bench: Bench, tmp_path: Path) -> None:
    path = large(tmp_path)
    path.write_bytes(path.read_bytes()[:-4321])
    _, data = split(path)

    status = bench.stream(path)

    (row,) = bench.rows()
    assert status == Status.SUCCESS
    assert (row["state"], row["reason_code"], row["is_clean"]) == ("quarantined", "deid.truncated", 0)
    assert bench.original(row).endswith(data)
    assert len(bench.stores.segments.names()) == 1


@pytest.mark.requirement("C18")
@pytest.mark.parametrize("piece", [5, 9_973, 262_144])
def test_an_object_refused_in_the_middle_of_its_pixels_is_sealed_whole_as_it_came(
    bench: Bench, tmp_path: Path, piece: int
) -> None:
    path = encapsulated(tmp_path)
    meta, data = split(path)
    spoiled = data[:-8] + b"\xfe\xff\x00\xe0\xff\xff\xff\xff" + b"what no frame is" * 3
    sink = bench.intake.begin(bench.channel, *meta)
    sink.write(spoiled[:LARGE])

    for start in range(LARGE, len(spoiled), piece):
        sink.write(spoiled[start : start + piece])
    status = sink.finish()

    (row,) = bench.rows()
    assert status == Status.SUCCESS
    assert (row["state"], row["is_clean"], row["sha256"]) == ("quarantined", 0, None)
    assert bench.original(row).endswith(spoiled)
    at_rest = (tmp_path / "gateway" / "spool" / f"{row['segment']}.segment").read_bytes()
    assert b"what no frame is" not in at_rest


def encapsulated(folder: Path) -> Path:
    """A CT slice whose pixels are, by name, JPEG; 310,000 bytes in one fragment."""
    path = large(folder)
    dataset: Dataset = dcmread(path)
    dataset.file_meta.TransferSyntaxUID = JPEGBaseline8Bit
    dataset.PixelData = encapsulate([b"\xff\xd8" + bytes(309_996) + b"\xff\xd9"])
    dataset["PixelData"].is_undefined_length = True
    dataset["PixelData"].VR = "OB"
    dataset.save_as(path, enforce_file_format=True)
    return path


@pytest.mark.requirement("C13")
def test_a_kind_that_waits_for_a_person_is_sealed_with_its_reason(bench: Bench, tmp_path: Path) -> None:
    path = large(tmp_path, SOPClassUID=SecondaryCaptureImageStorage, Modality="OT")
    dataset = dcmread(path)
    dataset.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    dataset.save_as(path, enforce_file_format=True)
    _, data = split(path)

    bench.stream(path)

    (row,) = bench.rows()
    assert (row["state"], row["is_clean"]) != ("waiting", 1)
    assert bench.original(row).endswith(data)


def test_what_cannot_be_read_in_pieces_waits_sealed_for_inspection(bench: Bench, tmp_path: Path) -> None:
    path = large(tmp_path)
    dataset = dcmread(path)
    dataset.PixelData = bytes(hashlib.shake_256(b"noise").digest(512 * 512 * 2))
    dataset.file_meta.TransferSyntaxUID = DeflatedExplicitVRLittleEndian
    dataset.save_as(path, enforce_file_format=True)
    _, data = split(path)

    bench.stream(path)

    (row,) = bench.rows()
    assert (row["state"], row["is_clean"], row["reason_code"]) == ("received", 0, "")
    assert bench.original(row).endswith(data)


@pytest.mark.requirement("C24")
def test_a_spool_that_fills_in_the_middle_refuses_the_object_and_keeps_nothing_of_it(
    cramped: Bench, tmp_path: Path
) -> None:
    path = large(tmp_path, NumberOfFrames=4, PixelData=bytes(4 * 512 * 512 * 2))

    status = cramped.stream(path)

    assert status == Status.OUT_OF_RESOURCES
    assert cramped.rows() == []
    assert cramped.stores.segments.names() == []
    assert cramped.stores.segments.used_bytes == 0


@pytest.mark.requirement("C14")
def test_an_object_sent_again_in_pieces_is_kept_once(bench: Bench, tmp_path: Path) -> None:
    good, cut = large(tmp_path / "good"), large(tmp_path / "cut")
    cut.write_bytes(cut.read_bytes()[:-99])

    statuses = [bench.stream(path) for path in (good, good, cut, cut)]

    assert statuses == [Status.SUCCESS] * 4
    assert len(bench.rows()) == 2
    assert len(bench.stores.segments.names()) == 2


@pytest.mark.requirement("C14")
def test_what_was_being_taken_at_a_power_cut_is_gone_and_the_rest_is_whole(
    bench: Bench, settings: Settings, tmp_path: Path
) -> None:
    meta, data = split(large(tmp_path / "cut"))
    bench.stream(large(tmp_path / "whole", SOPInstanceUID="1.2.3"))
    sink = bench.intake.begin(bench.channel, *meta)
    sink.write(data[:LARGE])

    again = Stores.below(settings.gateway.data_dir, settings.limits, b"")
    recover(bench.journal, again)

    assert len(again.segments.names()) == 1
    assert [row["state"] for row in bench.rows()] == ["received"]
    sink.abandon()
