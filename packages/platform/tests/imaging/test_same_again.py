"""An instance that comes again: the same is stored once; another header or other pixels are kept and told."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pydicom.datadict import dictionary_VR
from pydicom.dataset import Dataset
from pydicom.uid import ImplicitVRLittleEndian, JPEGLosslessSV1, RLELossless

from collegium.imaging.archive import queries as archive
from collegium.imaging.archive.models import Instance
from collegium.imaging.archive.sameness import differing
from collegium.imaging.connections import queries as connections
from collegium.imaging.ingest import queries, services
from collegium.imaging.ingest.models import Delivery, DeliveryObject
from collegium.kit.database import acting_as
from collegium.trust.access.queries import actor_in
from collegium.trust.audit import queries as audit
from collegium_testkit.delivering import edited
from collegium_wire import Manifest, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from collegium_testkit.delivering import CleanExam, CleanObject, Sender

    Exams = Callable[..., CleanExam]


def again(exam: CleanExam, change: Callable[[Dataset], None]) -> CleanExam:
    return replace(exam, objects=(edited(exam.objects[0], change),))


def corrected(dataset: Dataset) -> None:
    dataset.PatientWeight = "64.25"
    dataset.ImageLaterality = "L"


def implicit(dataset: Dataset) -> None:
    dataset.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian


def corrected_and_compressed(dataset: Dataset) -> None:
    corrected(dataset)
    dataset.compress(RLELossless, generate_instance_uid=False)


@pytest.mark.requirement("I04")
@pytest.mark.parametrize("change", [corrected, corrected_and_compressed])
def test_a_corrected_header_of_the_same_picture_is_held_and_says_what_differs(
    sender: Sender, clean_exam: Exams, change: Callable[[Dataset], None]
) -> None:
    exam = clean_exam(slices=1)
    sender.deliver(exam)

    (item,) = sender.deliver(again(exam, change))["items"]

    assert item["outcome"] == "held"
    assert "Image Laterality" in item["reason"]
    assert "Patient's Weight" in item["reason"]
    assert "64.25" not in item["reason"]
    with acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        actor = sender.world.actor()
        (held,) = queries.held(actor)
        assert held.code == "ingest.object.other_header"
        assert held.blob_id is not None
        assert (
            archive.known_instances(actor, [held.sop_instance_uid])[held.sop_instance_uid].blob_id
            != held.blob_id
        )
        assert Instance.objects.count() == 1


@pytest.mark.requirement("I04")
def test_what_is_held_already_is_not_held_twice(sender: Sender, clean_exam: Exams) -> None:
    exam = clean_exam(slices=1)
    sender.deliver(exam)
    correction = again(exam, corrected)
    sender.deliver(correction)

    (item,) = sender.deliver(correction)["items"]

    assert (item["outcome"], item["reason"]) == ("duplicate", "")
    with acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        assert len(queries.held(sender.world.actor())) == 1


@pytest.mark.requirement("I04")
def test_the_same_object_in_another_encoding_of_its_header_is_a_duplicate(
    sender: Sender, clean_exam: Exams
) -> None:
    exam = clean_exam(slices=1)
    sender.deliver(exam)

    (item,) = sender.deliver(again(exam, implicit))["items"]

    assert (item["outcome"], item["reason"]) == ("duplicate", "")


def of_other_software(_sender: Sender) -> dict[str, Any]:  # Any: fields of the manifest
    return {"software": "test 2"}


def of_other_recipe(sender: Sender) -> dict[str, Any]:  # Any: fields of the manifest
    with acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        Delivery.objects.update(recipe_digest="0" * 64)
    return {}


@pytest.mark.requirement("I04")
@pytest.mark.parametrize("cleaned_otherwise", [of_other_software, of_other_recipe])
def test_a_header_that_another_recipe_or_version_cleaned_is_told_and_not_held(
    sender: Sender, clean_exam: Exams, cleaned_otherwise: Callable[[Sender], dict[str, Any]]
) -> None:
    exam = clean_exam(slices=1)
    sender.deliver(exam)
    changes = cleaned_otherwise(sender)

    receipt = sender.deliver(again(exam, corrected), **changes)

    (item,) = receipt["items"]
    assert item["outcome"] == "duplicate"
    assert "cleaned by another" in item["reason"]
    with acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        actor = sender.world.actor()
        assert queries.held(actor) == []
        line = audit.history(actor, "ingest.delivery", receipt["delivery_id"])[0]
    assert line.new
    assert line.new["cleaned_otherwise"] == 1


def test_where_nobody_knows_who_cleaned_what_is_stored_nothing_else_is_said(
    sender: Sender, clean_exam: Exams
) -> None:
    exam = clean_exam(slices=1)
    sender.deliver(exam)
    with acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        DeliveryObject.objects.update(blob=None)

    receipt = sender.deliver(again(exam, corrected))

    (item,) = receipt["items"]
    assert item["outcome"] == "duplicate"
    assert "not known whether the same recipe and version cleaned both" in item["reason"]
    with acting_as(sender.world.administrator.principal, [sender.world.space_id]):
        line = audit.history(sender.world.actor(), "ingest.delivery", receipt["delivery_id"])[0]
    assert line.new
    assert line.new["cleaner_unknown"] == 1
    assert "cleaned_otherwise" not in line.new


def test_what_another_version_cleaned_into_the_same_header_is_a_plain_duplicate(
    sender: Sender, clean_exam: Exams
) -> None:
    exam = clean_exam(slices=1)
    sender.deliver(exam)

    (item,) = sender.deliver(again(exam, implicit), software="test 2")["items"]

    assert (item["outcome"], item["reason"]) == ("duplicate", "")


@dataclass
class Effort:
    """What it took to settle one delivery."""

    parses: int = 0
    reads: list[str] = field(default_factory=list)

    @property
    def of_deliveries(self) -> int:
        return sum("imaging_ingest_delivery" in sql and sql.startswith("SELECT") for sql in self.reads)


def effort_of_a_resend(sender: Sender, exam: CleanExam, monkeypatch: pytest.MonkeyPatch) -> Effort:
    """Settle an exam that is there already and comes with another header in all of its objects."""
    sender.deliver(exam)
    otherwise = replace(exam, objects=tuple(edited(one, corrected) for one in exam.objects))
    manifest, effort = sender.manifest(otherwise), Effort()
    sender.open(manifest)
    sender.send(manifest, otherwise.objects)
    parse = Manifest.from_json

    def counted(text: bytes) -> Manifest:
        effort.parses += 1
        return parse(text)

    gateway = connections.gateway_of(sender.token)
    with acting_as(gateway.principal, [gateway.space_id]), monkeypatch.context() as patch:
        patch.setattr(Manifest, "from_json", counted)
        actor = actor_in(gateway.principal, gateway.space_id)
        with CaptureQueriesContext(connection) as asked:
            receipt = services.complete_delivery(actor=actor, delivery_id=UUID(manifest.delivery_id))
    assert {item.outcome for item in receipt.items} == {Outcome.HELD}
    effort.reads = [one["sql"] for one in asked.captured_queries]
    return effort


def test_a_resend_asks_for_manifests_and_deliveries_as_often_whatever_its_length(
    sender: Sender, clean_exam: Exams, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = effort_of_a_resend(sender, clean_exam(slices=2), monkeypatch)
    many = effort_of_a_resend(sender, clean_exam(slices=12), monkeypatch)

    assert many.parses == few.parses == 2
    assert many.of_deliveries == few.of_deliveries


def no_change(_dataset: Dataset) -> None:
    pass


def written_anew(dataset: Dataset) -> None:
    """What an archive writes with every send."""
    dataset.RetrieveAETitle = "PACS"
    dataset.InstanceAvailability = "ONLINE"
    dataset.ContributingEquipmentSequence = [Dataset()]
    dataset.add_new(0x00080000, "UL", 4)
    dataset.add_new(0xFFFCFFFC, "OB", bytes(16))
    dataset.file_meta.ImplementationVersionName = "OTHER"


def other_charset(dataset: Dataset) -> None:
    dataset.SpecificCharacterSet = "ISO_IR 192"


def emptied(dataset: Dataset) -> None:
    dataset.AcquisitionNumber = None
    dataset.BodyPartExamined = ""


def emptied_otherwise(dataset: Dataset) -> None:
    emptied(dataset)
    del dataset.BodyPartExamined


def with_private(dataset: Dataset) -> None:
    dataset.add_new(0x00091001, "LO", "private")


def as_colour_of_jpeg(dataset: Dataset) -> None:
    """Of which only the header is looked at."""
    del dataset.PixelData
    dataset.file_meta.TransferSyntaxUID = JPEGLosslessSV1
    dataset.PhotometricInterpretation = "YBR_FULL_422"
    dataset.PlanarConfiguration = 1


def colour(dataset: Dataset) -> None:
    dataset.PhotometricInterpretation = "RGB"
    dataset.PlanarConfiguration = 0


def inverted(dataset: Dataset) -> None:
    dataset.PhotometricInterpretation = "MONOCHROME1"


def deep(dataset: Dataset) -> None:
    item = Dataset()
    item.ViewCodeSequence = [Dataset()]
    item.ViewCodeSequence[0].CodeValue = "R-10226"
    dataset.RequestAttributesSequence = [item]


def unreadable(dataset: Dataset) -> None:
    dataset.add_new(0x00101030, "DS", "")
    dataset[0x00101030]._value = "seventy"


@pytest.mark.parametrize(
    ("before", "now", "names"),
    [
        (no_change, written_anew, ()),
        (no_change, other_charset, ()),
        (emptied, emptied_otherwise, ()),
        (colour, as_colour_of_jpeg, ()),
        (no_change, inverted, ("Photometric Interpretation",)),
        (no_change, deep, ("Request Attributes Sequence",)),
        (no_change, corrected, ("Patient's Weight", "Image Laterality")),
        (no_change, unreadable, ("Patient's Weight",)),
        (no_change, with_private, ("(0009,1001)",)),
    ],
)
def test_headers_are_compared_by_what_they_say_not_by_how_they_are_sent(
    clean_exam: Exams,
    before: Callable[[Dataset], None],
    now: Callable[[Dataset], None],
    names: tuple[str, ...],
) -> None:
    exam: CleanObject = clean_exam(slices=1).objects[0]

    found = differing(edited(exam, before).content, edited(exam, now).content)

    assert found == names


@pytest.mark.parametrize(
    "tag",
    [
        *(0x00080053, 0x00080061, 0x00080062, 0x00081195),
        *(0x00201200, 0x00201202, 0x00201204, 0x00201206, 0x00201208, 0x00201209),
        *(0x0032000A, 0x0032000C),
    ],
    ids=hex,
)
def test_what_an_archive_writes_anew_with_each_answer_says_nothing(clean_exam: Exams, tag: int) -> None:
    exam: CleanObject = clean_exam(slices=1).objects[0]

    def counted(dataset: Dataset) -> None:
        dataset.add_new(tag, dictionary_VR(tag), "2")

    assert differing(exam.content, edited(exam, counted).content) == ()


def private(place: tuple[int, str, int], vr: str, value: Any) -> Callable[[Dataset], None]:  # Any: of the VR
    """A private element, in itself and in an item of a public and of a private sequence."""
    group, creator, element = place

    def change(dataset: Dataset) -> None:
        inner, outer = Dataset(), Dataset()
        for one in (dataset, inner, outer):
            one.private_block(group, creator, create=True).add_new(element, vr, value)
        dataset.RequestAttributesSequence = [inner]
        dataset.private_block(0x0011, "OURS", create=True).add_new(0x01, "SQ", [outer])

    return change


@pytest.mark.parametrize(
    ("place", "vr", "value", "other"),
    [
        ((0x2001, "Philips Imaging DD 001", 0xCB), "LO", "abc", "abd"),
        ((0x2001, "Philips Imaging DD 001", 0x55), "UL", 4711, 4712),
        ((0x01E1, "ELSCINT1", 0x26), "CS", "ABC", "ABD"),
        ((0x0099, "NOBODY", 0x26), "FD", [1.5, 0.0], [1.5, 0.25]),
    ],
)
def test_private_values_agree_whether_or_not_the_syntax_says_what_they_are(
    clean_exam: Exams, place: tuple[int, str, int], vr: str, value: object, other: object
) -> None:
    exam: CleanObject = clean_exam(slices=1).objects[0]

    explicit = edited(exam, private(place, vr, value))
    changed = edited(edited(exam, private(place, vr, other)), implicit)

    assert differing(explicit.content, edited(explicit, implicit).content) == ()
    assert differing(explicit.content, changed.content) == (
        "(0011,1001)",
        "Request Attributes Sequence",
        f"({place[0]:04X},10{place[2]:02X})",
    )


def with_short_number(exam: CleanObject, value: str) -> bytes:
    """With a number in an item that has half as many bytes as its VR asks for."""

    def change(dataset: Dataset) -> None:
        item = Dataset()
        item.add_new(0x00189087, "SH", value)
        dataset.RequestAttributesSequence = [item]

    return edited(exam, change).content.replace(b"\x18\x00\x87\x90SH", b"\x18\x00\x87\x90FD")


def test_a_value_in_an_item_that_cannot_be_read_agrees_with_none(clean_exam: Exams) -> None:
    exam: CleanObject = clean_exam(slices=1).objects[0]

    found = differing(with_short_number(exam, "abcd"), with_short_number(exam, "wxyz"))

    assert found == ("Request Attributes Sequence",)


def with_palette(data: bytes) -> Callable[[Dataset], None]:
    def change(dataset: Dataset) -> None:
        dataset.add_new(0x00281201, "OW", data)

    return change


def test_data_that_only_differ_by_zeros_at_their_end_differ(clean_exam: Exams) -> None:
    exam: CleanObject = clean_exam(slices=1).objects[0]
    one, other = (edited(exam, with_palette(b"\1\2" + bytes(zeros))).content for zeros in (2, 4))

    assert differing(one, other) == ("Red Palette Color Lookup Table Data",)


@pytest.mark.parametrize("tag", [0x00180061, 0x04000315, 0x300A0782], ids=hex)
def test_an_attribute_whose_name_the_dictionary_lacks_is_named_by_its_tag(
    clean_exam: Exams, tag: int
) -> None:
    exam: CleanObject = clean_exam(slices=1).objects[0]

    def numbered(dataset: Dataset) -> None:
        dataset.add_new(tag, dictionary_VR(tag), 7)

    assert differing(exam.content, edited(exam, numbered).content) == (
        f"({tag >> 16:04X},{tag & 0xFFFF:04X})",
    )


_ALONE = """
import sys

import django

django.setup()

from collegium.imaging.archive.sameness import differing

print(*differing(*(open(name, "rb").read() for name in sys.argv[1:])))
"""


def test_what_a_header_wrongly_holds_is_quoted_in_no_log(clean_exam: Exams, tmp_path: Path) -> None:
    exam: CleanObject = clean_exam(slices=1).objects[0]

    def marked(dataset: Dataset) -> None:
        dataset.FrameOfReferenceUID = "1.7777.7"

    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(exam.content)
    other.write_bytes(edited(exam, marked).content.replace(b"1.7777.7", b"canary77"))

    done = subprocess.run(
        [sys.executable, "-c", _ALONE, one, other], capture_output=True, text=True, check=False, timeout=120
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, "Frame of Reference UID\n", "")
