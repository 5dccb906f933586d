"""What a cleaned CT says, read by pydicom; and that the same input always gives the same bytes."""

from __future__ import annotations

import copy
import datetime as dt
from typing import TYPE_CHECKING, Any

import pytest
from pydicom.dataset import Dataset

from collegium_deid import (
    DeidError,
    NeedMoreBytes,
    PixelPassage,
    Rejected,
    SiteKey,
    clean_object,
    identifiers_of,
    parse_recipe,
    verify_against,
    verify_conformance,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from collegium_deid import Recipe

both_forms = pytest.mark.parametrize("implicit", [False, True], ids=["explicit", "implicit"])
Tool = Any  # Any: the fixtures of conftest, which a test module cannot import by name
BASIC = 'recipe: b\nversion: "1"\nprofile: basic\noptions: []\nobjects: [CT Image]\n'


@both_forms
@pytest.mark.requirement("C03", "C06")
def test_nothing_of_the_identity_is_left(
    ct: Dataset, write: Tool, clean: Tool, recipe: Recipe, implicit: bool
) -> None:
    data = write(ct, implicit=implicit, pixels=bytes(8))

    cleaned = clean(data)

    verify_against(identifiers_of(data), cleaned.head)
    assert verify_conformance(recipe, cleaned.head, pixels_done=False) == ()
    for planted in (b"rambleworth", b"4471123", b"QUILL", b"uillhaven", b"ACC", b"1931", b"5512", b"ACME"):
        assert planted not in cleaned.head


@both_forms
def test_the_output_is_dicom_with_the_same_acquisition(
    ct: Dataset, write: Tool, clean: Tool, read: Callable[[bytes], Dataset], implicit: bool
) -> None:
    new = read(clean(write(ct, implicit=implicit, pixels=bytes(8))).head)

    for keyword in [
        "ImageType",
        "SOPClassUID",
        "Modality",
        "Manufacturer",
        "SliceThickness",
        "KVP",
        "ConvolutionKernel",
        "SeriesNumber",
        "InstanceNumber",
        "ImagePositionPatient",
        "ImageOrientationPatient",
        "Rows",
        "Columns",
        "PixelSpacing",
        "BitsStored",
        "PatientSize",
        "PatientWeight",
        "PatientSex",
        "SeriesDescription",
        "ProtocolName",
        "StudyTime",
        "SeriesTime",
    ]:
        assert new[keyword] == ct[keyword], keyword


def test_the_subject_code_takes_the_place_of_name_and_id(
    ct: Dataset, write: Tool, clean: Tool, read: Callable[[bytes], Dataset]
) -> None:
    cleaned = clean(write(ct), subject="N1-0042")

    new = read(cleaned.head)
    assert (new.PatientName, new.PatientID, new.ClinicalTrialSubjectID) == ("N1-0042",) * 3
    assert cleaned.local_id == "MRN-4471123"
    assert "4471123" not in repr(cleaned)


@pytest.mark.requirement("C09")
def test_the_method_is_declared(
    ct: Dataset, write: Tool, clean: Tool, read: Callable[[bytes], Dataset]
) -> None:
    new = read(clean(write(ct)).head)

    assert new.PatientIdentityRemoved == "YES"
    assert new.DeidentificationMethod == "Collegium recipe trial 2"
    # CID 7050: Basic Profile, Clean Descriptors, Modified Dates, Patient Characteristics, Safe Private.
    codes = [code.CodeValue for code in new.DeidentificationMethodCodeSequence]
    assert codes == ["113100", "113105", "113107", "113108", "113111"]
    assert new.LongitudinalTemporalInformationModified == "MODIFIED"


@pytest.mark.requirement("C06")
def test_the_file_meta_is_new_and_agrees(
    ct: Dataset, write: Tool, clean: Tool, read: Callable[[bytes], Dataset]
) -> None:
    data = b"PREAMBLE WITH A NAME".ljust(128) + write(ct)[128:]

    cleaned = clean(data)

    meta = read(cleaned.head).file_meta
    assert cleaned.head[:128] == bytes(128)
    assert meta.MediaStorageSOPInstanceUID == cleaned.sop_instance_uid
    assert "SourceApplicationEntityTitle" not in meta
    assert meta.FileMetaInformationGroupLength == len(cleaned.head[144:]) - len(_data_set(cleaned.head))


def _data_set(head: bytes) -> bytes:
    length = int.from_bytes(head[140:144], "little")
    return head[144 + length :]


@pytest.mark.requirement("C07")
def test_uids_are_keyed_consistent_and_leave_classes_alone(
    ct: Dataset, write: Tool, clean: Tool, read: Callable[[bytes], Dataset], key: SiteKey
) -> None:
    new = read(clean(write(ct)).head)

    assert new.SOPInstanceUID == key.uid("1.2.3.4.5.6")
    reference = new.ReferencedImageSequence[0]
    assert reference.ReferencedSOPInstanceUID == key.uid("1.2.3.4.5.7")
    assert reference.ReferencedSOPClassUID == ct.SOPClassUID


@pytest.mark.requirement("C07")
def test_another_key_gives_other_uids(ct: Dataset, write: Tool, recipe: Recipe) -> None:
    data = write(ct)
    first, second = (
        clean_object(data, recipe=recipe, key=SiteKey(bytes([n]) * 32), subject="S", complete=True)
        for n in (1, 2)
    )

    assert {first.study_uid, first.sop_instance_uid}.isdisjoint({second.study_uid, second.sop_instance_uid})


@pytest.mark.requirement("C07", "I04")
def test_a_resend_gives_the_same_bytes(ct: Dataset, write: Tool, clean: Tool) -> None:
    data = write(ct, pixels=bytes(8))

    assert clean(data).head == clean(data).head


@pytest.mark.requirement("C08")
def test_dates_move_by_one_offset_and_times_stay(
    ct: Dataset, write: Tool, clean: Tool, read: Callable[[bytes], Dataset], key: SiteKey
) -> None:
    follow_up = copy.deepcopy(ct)
    follow_up.StudyDate = "20250301"  # 366 days after 29 February 2024

    new, later = read(clean(write(ct)).head), read(clean(write(follow_up)).head)

    def day(text: str) -> dt.date:
        return dt.date(int(text[:4]), int(text[4:6]), int(text[6:8]))

    assert day(later.StudyDate) - day(new.StudyDate) == dt.timedelta(days=366)
    moved = day(new.StudyDate) - dt.date(2024, 2, 29)
    assert moved.days == key.offset_days("MRN-4471123", (-3650, -365))
    assert new.AcquisitionDateTime == f"{new.StudyDate}101112.5+0100"
    assert new.StudyTime == ct.StudyTime
    assert new.PatientBirthDate == ""


def test_ages_above_the_cap_are_capped(
    ct: Dataset, write: Tool, clean: Tool, read: Callable[[bytes], Dataset]
) -> None:
    assert read(clean(write(ct)).head).PatientAge == "090Y"
    ct.PatientAge = "089Y"
    assert read(clean(write(ct)).head).PatientAge == "089Y"


def test_descriptions_keep_medical_words_only(
    ct: Dataset, write: Tool, clean: Tool, read: Callable[[bytes], Dataset]
) -> None:
    new = read(clean(write(ct)).head)

    assert new.StudyDescription == "CT Thorax"
    assert new.SeriesDescription == "Lung 1.5 mm axial"


def test_a_technical_text_that_holds_the_name_does_not_stay(
    ct: Dataset, write: Tool, clean: Tool, read: Callable[[bytes], Dataset]
) -> None:
    ct.Manufacturer = "Siemens for L.Brambleworth"
    ct.BodyPartExamined = "BRAMBLEWORTH"
    ct.ImageType = ["ORIGINAL", "PRIMARY", "BRAMBLEWORTH"]

    new = read(clean(write(ct)).head)

    assert "ramble" not in str(new).casefold()
    assert new.ImageType == ["ORIGINAL", "PRIMARY", ""]


def test_a_meaning_of_a_shared_code_stays_and_a_local_one_is_cleaned(
    ct: Dataset, write: Tool, clean: Tool, read: Callable[[bytes], Dataset]
) -> None:
    def code(value: str, scheme: str, meaning: str) -> Dataset:
        item = Dataset()
        item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
        return item

    meaning = "Fluorodeoxyglucose F^18^"
    ct.ProcedureCodeSequence = [code("C-B1031", "SRT", meaning), code("77", "99LOCAL", "CT Zorbinski thorax")]

    shared, local = read(clean(write(ct)).head).ProcedureCodeSequence

    assert shared.CodeMeaning == meaning
    assert local.CodeMeaning == "CT thorax"


@pytest.mark.requirement("C06")
@both_forms
def test_a_group_can_be_unknown_private_or_an_overlay_and_goes(
    ct: Dataset, write: Tool, clean: Tool, read: Callable[[bytes], Dataset], implicit: bool
) -> None:
    ct.add_new(0x00080FFE, "LO", "Brambleworth")  # no attribute of the standard
    ct.add_new(0x60003000, "OW", b"Brambleworth")
    ct.add_new(0x60004000, "LT", "Brambleworth")
    ct.add_new(0x50003000, "OW", b"Brambleworth")
    inner = Dataset()
    inner.private_block(0x0021, "ACME 1.0", create=True).add_new(0x02, "LO", "Brambleworth")
    ct.ReferencedImageSequence[0].PurposeOfReferenceCodeSequence = [inner]

    new = read(clean(write(ct, implicit=implicit)).head)

    tags = {int(element.tag) for element in new.iterall()}
    assert not tags & {0x00080FFE, 0x60003000, 0x60004000, 0x50003000}
    assert not [tag for tag in tags if tag >> 16 & 1]


@pytest.mark.requirement("C06")
def test_a_sequence_hidden_in_unknown_vr_is_entered(
    ct: Dataset, write: Tool, clean: Tool, key: SiteKey
) -> None:
    # PS3.5 section 6.2.2: UN holds its items in implicit VR little endian.
    inner = b"\x08\x00\x55\x11\x0c\x00\x00\x00" + b"1.2.3.4.5.7\0"
    inner += b"\x10\x00\x10\x00\x0c\x00\x00\x00" + b"Brambleworth"
    item = b"\xfe\xff\x00\xe0" + len(inner).to_bytes(4, "little") + inner
    del ct.ReferencedImageSequence
    ct.add_new(0x00081141, "OB", item)  # pydicom would not write it as UN: change tag and VR in the bytes
    data = write(ct).replace(b"\x08\x00\x41\x11OB", b"\x08\x00\x40\x11UN")

    head = clean(data).head

    assert b"ramble" not in head
    assert key.uid("1.2.3.4.5.7").encode() in head


def test_the_local_id_is_needed(ct: Dataset, write: Tool, clean: Tool) -> None:
    ct.PatientID = ""

    with pytest.raises(Rejected) as error:
        clean(write(ct))

    assert error.value.code == "deid.patient_id"


def test_the_subject_code_can_be_looked_up_by_the_local_id(
    ct: Dataset, write: Tool, recipe: Recipe, key: SiteKey
) -> None:
    links = {"MRN-4471123": "S-007"}

    cleaned = clean_object(write(ct), recipe=recipe, key=key, subject=links.__getitem__, complete=True)

    assert b"S-007" in cleaned.head


@pytest.mark.parametrize("subject", ["", " S", "A^B", "A\\B", "x" * 65, "Ä1", "S\n"])
def test_a_subject_code_is_plain(ct: Dataset, write: Tool, clean: Tool, subject: str) -> None:
    with pytest.raises(DeidError) as error:
        clean(write(ct), subject=subject)

    assert error.value.code == "deid.subject"


@pytest.mark.parametrize(
    ("keyword", "value"),
    [
        ("SOPClassUID", "1.2.840.10008.5.1.4.1.1.6.1"),
        ("SOPClassUID", "1.2.840.10008.5.1.4.1.1.7"),
        ("SOPClassUID", "1.2.840.10008.5.1.4.1.1.104.1"),
        ("BurnedInAnnotation", "YES"),
        ("BurnedInAnnotation", "MAYBE"),
        ("ImageType", ["DERIVED", "SECONDARY", "SCREEN SAVE"]),
        ("ImageType", ["DERIVED", "SECONDARY", "OTHER", "CT_SOM5 PROT"]),
        ("ConversionType", "WSD"),
        ("PhotometricInterpretation", "RGB"),
    ],
)
@pytest.mark.requirement("C13")
def test_what_needs_a_look_at_the_pixels_is_rejected_or_its_pixels_do_not_pass(
    ct: Dataset, write: Tool, clean: Tool, keyword: str, value: Any
) -> None:
    setattr(ct, keyword, value)
    data = write(ct, pixels=bytes(8))

    with pytest.raises(Rejected) as error:
        clean(data, recipe=parse_recipe(BASIC))
    with pytest.raises(DeidError) as unread:
        PixelPassage(clean(data))

    assert error.value.code in {"deid.object", "deid.pixels"}
    assert unread.value.code in {"deid.object", "deid.pixels_not_done"}
    assert "SCREEN" not in error.value.message + unread.value.message


def test_a_header_in_pieces_asks_for_more_until_it_is_there(
    ct: Dataset, write: Tool, recipe: Recipe, key: SiteKey
) -> None:
    data = write(ct, pixels=b"\x01\x02" * 4)
    whole = clean_object(data, recipe=recipe, key=key, subject="S-001")

    def answer(length: int) -> bytes | int:
        try:
            return clean_object(data[:length], recipe=recipe, key=key, subject="S-001").head
        except NeedMoreBytes as error:
            return error.at_least - length

    answers = [answer(length) for length in range(len(data))]

    missing = [more for more in answers if isinstance(more, int)]
    assert len(missing) >= whole.pixel_start
    assert min(missing) > 0
    assert {head for head in answers if isinstance(head, bytes)} == {whole.head}


def test_an_object_without_pixels_ends_only_where_the_caller_says_so(
    ct: Dataset, write: Tool, recipe: Recipe, key: SiteKey
) -> None:
    data = write(ct)

    with pytest.raises(NeedMoreBytes):
        clean_object(data, recipe=recipe, key=key, subject="S-001")
    cleaned = clean_object(data, recipe=recipe, key=key, subject="S-001", complete=True)
    assert cleaned.pixel_start == len(data)
    assert not cleaned.has_pixels


def test_the_report_counts_actions_and_holds_no_value(ct: Dataset, write: Tool, clean: Tool) -> None:
    report = clean(write(ct)).report

    assert set(report.counts) == set("DZXKCU")
    assert report.counts["X"] > 0
    assert report.counts["U"] >= 5
    assert "ramble" not in repr(report)


def test_a_stricter_rule_of_the_recipe_wins(
    ct: Dataset, write: Tool, clean: Tool, read: Callable[[bytes], Dataset], recipe: Recipe
) -> None:
    text = recipe.text + "rules:\n  - {tag: SeriesDescription, action: X, why: test}\n"

    new = read(clean(write(ct), recipe=parse_recipe(text)).head)

    assert "SeriesDescription" not in new


def test_without_options_dates_and_characteristics_go(
    ct: Dataset, write: Tool, clean: Tool, read: Callable[[bytes], Dataset]
) -> None:
    basic = parse_recipe(BASIC)

    cleaned = clean(write(ct), recipe=basic)

    new = read(cleaned.head)
    assert "PatientWeight" not in new
    assert new.StudyDate == ""
    assert "SeriesDescription" not in new
    assert new.LongitudinalTemporalInformationModified == "REMOVED"
    assert verify_conformance(basic, cleaned.head, pixels_done=False) == ()


@pytest.mark.requirement("C08")
def test_what_suv_is_made_of_stays_consistent(ct: Dataset, write: Tool, clean: Tool, read: Tool) -> None:
    ct.SOPClassUID, ct.Modality, ct.Units = "1.2.840.10008.5.1.4.1.1.128", "PT", "BQML"
    ct.DecayCorrection, ct.CorrectedImage = "START", ["ATTN", "DECY"]
    ct.AcquisitionDate, ct.AcquisitionTime = "20240301", "003000"
    drug = Dataset()
    drug.Radiopharmaceutical = "FDG"
    drug.RadiopharmaceuticalStartTime = "233000"
    drug.RadiopharmaceuticalStartDateTime = "20240229233000"
    drug.RadionuclideTotalDose, drug.RadionuclideHalfLife = "350000000", "6586.2"
    ct.RadiopharmaceuticalInformationSequence = [drug]

    new = read(clean(write(ct)).head)

    def moment(text: str) -> dt.datetime:
        return dt.datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=dt.UTC)

    after = new.RadiopharmaceuticalInformationSequence[0]
    waited = moment(new.AcquisitionDate + new.AcquisitionTime) - moment(
        after.RadiopharmaceuticalStartDateTime
    )
    assert waited == dt.timedelta(hours=1)
    assert (new.PatientWeight, new.Units, new.DecayCorrection) == (68.5, "BQML", "START")
    assert (after.RadionuclideTotalDose, after.RadionuclideHalfLife) == (350000000, 6586.2)
    assert after.RadiopharmaceuticalStartTime == "233000"
