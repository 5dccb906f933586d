"""Segmentations and structure sets under a grant: nothing of the stored file but its geometry."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian

from collegium.imaging.archive.errors import ImageNotFound
from collegium.imaging.dicomweb.rewritten import IMPLEMENTATION_UID, STRUCTURE_SET, Rewriting, rewrite

if TYPE_CHECKING:
    from collections.abc import Iterable

pytestmark = pytest.mark.requirement("R40", "R42")

SEG, CT = "1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.2"
STUDY, SHOWN, HIDDEN = "2.25.10", "2.25.11", "2.25.12"
MASK = np.zeros((2, 8, 8), np.uint8)
MASK[0, 2:4, 2:6] = MASK[1, 5, 5] = 1


def of(**elements: object) -> Dataset:
    made = Dataset()
    for keyword, value in elements.items():
        setattr(made, keyword, value)
    return made


def several(*items: Dataset) -> Sequence:
    return Sequence(items)


def to(uid: str, sop_class: str = CT) -> Dataset:
    return of(ReferencedSOPClassUID=sop_class, ReferencedSOPInstanceUID=uid)


def common(sop_class: str, modality: str) -> Dataset:
    made = of(
        SOPClassUID=sop_class, SOPInstanceUID="2.25.20", StudyInstanceUID=STUDY, SeriesInstanceUID="2.25.30",
        FrameOfReferenceUID="2.25.40", Modality=modality, PatientName="Canary^Name", PatientID="CANARYID",
        PatientSex="F", PatientBirthDate="19870605", StudyDate="19870605", StudyTime="081500",
        StudyDescription="Canary study", SeriesDescription="Canary series", SeriesDate="19870605",
        Manufacturer="Canarymaker", ManufacturerModelName="Canarymodel", DeviceSerialNumber="CANARYSERIAL",
        SoftwareVersions="Canaryware", InstitutionName="Canary hospital", OperatorsName="Canary^Operator",
        ReferringPhysicianName="Canary^Doctor", AccessionNumber="CANARYACC", StudyID="CANARY", SeriesNumber=871,
        InstanceNumber=66, InstanceCreationDate="19870605", ContentDate="19870605", ContentTime="081500",
    )  # fmt: skip
    block = made.private_block(0x0029, "CANARY PRIVATE", create=True)
    block.add_new(0x10, "LO", "Canary private")
    return made


def saved(made: Dataset, syntax: Any = ExplicitVRLittleEndian) -> bytes:  # Any: pydicom's UIDs
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = made.SOPClassUID, made.SOPInstanceUID
    meta.TransferSyntaxUID, meta.SourceApplicationEntityTitle = syntax, "CANARYAE"
    meta.ImplementationVersionName = "CANARYIMPL"
    made.file_meta, made.preamble = meta, b"Canary preamble".ljust(128, b" ")
    out = io.BytesIO()
    made.save_as(out, enforce_file_format=True)
    return out.getvalue()


def segmentation(syntax: Any = ExplicitVRLittleEndian) -> bytes:  # Any: pydicom's UIDs
    def frame(position: int, source: str) -> Dataset:
        return of(
            FrameContentSequence=several(
                of(DimensionIndexValues=[1, position], FrameComments="Canary frame")
            ),
            PlanePositionSequence=several(of(ImagePositionPatient=["0", "0", str(position)])),
            SegmentIdentificationSequence=several(of(ReferencedSegmentNumber=1)),
            DerivationImageSequence=several(of(SourceImageSequence=several(to(source)))),
        )

    made = common(SEG, "SEG")
    made.update(of(
        ContentLabel="CANARYLABEL", ContentDescription="Canary text", ContentCreatorName="Canary^Creator",
        ImageType=["DERIVED", "PRIMARY", "CANARY"], SegmentationType="BINARY", LossyImageCompression="00",
        SegmentSequence=several(of(
            SegmentNumber=1, SegmentLabel="Canary lesion", SegmentDescription="Canary description",
            SegmentAlgorithmType="AUTOMATIC", SegmentAlgorithmName="Canarynet", TrackingID="Canary track",
            TrackingUID="2.25.99",
        )),
        ReferencedSeriesSequence=several(
            of(SeriesInstanceUID="2.25.31", ReferencedInstanceSequence=several(to(SHOWN), to(HIDDEN)))
        ),
        SharedFunctionalGroupsSequence=several(of(
            PixelMeasuresSequence=several(of(PixelSpacing=["1", "1"], SliceThickness="1")),
            PlaneOrientationSequence=several(of(ImageOrientationPatient=["1", "0", "0", "0", "1", "0"])),
        )),
        PerFrameFunctionalGroupsSequence=several(frame(1, SHOWN), frame(2, HIDDEN)),
        NumberOfFrames=2, Rows=8, Columns=8, SamplesPerPixel=1, PhotometricInterpretation="MONOCHROME2",
        BitsAllocated=1, BitsStored=1, HighBit=0, PixelRepresentation=0,
    ))  # fmt: skip
    made.add_new("PixelData", "OB", np.packbits(MASK.ravel(), bitorder="little").tobytes())
    return saved(made, syntax)


def structures() -> bytes:
    made = common(STRUCTURE_SET, "RTSTRUCT")
    contour = of(
        ContourImageSequence=several(to(SHOWN)), ContourGeometricType="CLOSED_PLANAR", NumberOfContourPoints=1,
        ContourData=["1.5", "2.5", "3.5"],
    )  # fmt: skip
    elsewhere = of(
        ContourImageSequence=several(to(HIDDEN)), ContourGeometricType="POINT", NumberOfContourPoints=1,
        ContourData=["7.5", "2.5", "3.5"],
    )  # fmt: skip
    series = of(SeriesInstanceUID="2.25.31", ContourImageSequence=several(to(SHOWN), to(HIDDEN)))
    study = to(STUDY, "1.2.840.10008.3.1.2.3.1")
    study.RTReferencedSeriesSequence = several(series)
    made.update(of(
        StructureSetLabel="CANARYSET", StructureSetName="Canary set", StructureSetDate="19870605",
        StructureSetTime="081500", ApprovalStatus="APPROVED", ReviewerName="Canary^Reviewer",
        ReferencedFrameOfReferenceSequence=several(
            of(FrameOfReferenceUID="2.25.40", RTReferencedStudySequence=several(study))
        ),
        StructureSetROISequence=several(of(
            ROINumber=4, ReferencedFrameOfReferenceUID="2.25.40", ROIName="Canary liver", ROIDescription="Canary",
            ROIGenerationAlgorithm="AUTOMATIC", ROIGenerationDescription="Canarynet",
        )),
        ROIContourSequence=several(of(
            ReferencedROINumber=4, ROIDisplayColor=[255, 0, 0], ContourSequence=several(contour, elsewhere)
        )),
        RTROIObservationsSequence=several(of(
            ObservationNumber=1, ReferencedROINumber=4, RTROIInterpretedType="GTV", ROIInterpreter="Canary^Reader"
        )),
    ))  # fmt: skip
    return saved(made)


def projected(uid: str) -> str:
    if uid.startswith("1.2.840.10008."):
        return uid
    return f"2.25.{int.from_bytes(hashlib.sha256(uid.encode()).digest()[:16], 'big')}"


def shown(raw: bytes, grant: Iterable[str] = ()) -> tuple[bytes, Dataset]:
    made = rewrite(
        raw, Rewriting("R-7", frozenset(grant), projected, {STUDY, "2.25.31", SHOWN}.__contains__, 2, 1)
    )
    return made, dcmread(io.BytesIO(made))


FILES = pytest.mark.parametrize("raw", [segmentation(), structures()], ids=["SEG", "RTSTRUCT"])


@FILES
def test_no_word_time_or_name_of_the_stored_file_is_in_the_new_one(raw: bytes) -> None:
    made, read = shown(raw)

    assert b"canary" not in made.lower()
    assert b"19870605" not in made
    assert not [element for element in read.iterall() if element.VR in {"DA", "TM", "DT"} and element.value]
    assert not [element for element in read.iterall() if element.tag.is_private]
    assert made[:128] == bytes(128)


@FILES
def test_every_uid_is_the_grants_own(raw: bytes) -> None:
    _, read = shown(raw)
    before = {str(one.value) for one in dcmread(io.BytesIO(raw)).iterall() if one.VR == "UI"}

    uids = {str(one.value) for part in (read, read.file_meta) for one in part.iterall() if one.VR == "UI"}

    assert not {uid for uid in uids & before if not uid.startswith("1.2.840.10008.")}
    assert read.StudyInstanceUID == projected(STUDY)
    assert read.file_meta.ImplementationClassUID == IMPLEMENTATION_UID


@FILES
def test_references_to_what_the_grant_hides_are_left_out(raw: bytes) -> None:
    _, read = shown(raw)

    named = {str(one.value) for one in read.iterall() if one.keyword == "ReferencedSOPInstanceUID"}

    assert projected(SHOWN) in named
    assert projected(HIDDEN) not in named


@FILES
def test_the_label_and_the_grants_numbers_stand_in_it(raw: bytes) -> None:
    _, read = shown(raw)

    assert (read.PatientID, str(read.PatientName), read.ClinicalTrialSubjectReadingID) == ("R-7",) * 3
    assert (read.SeriesNumber, read.InstanceNumber, read.PatientSex) == (2, 1, "")


@pytest.mark.parametrize(
    "syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian], ids=["explicit", "implicit"]
)
def test_a_segmentation_keeps_its_pixels_and_their_places(syntax: Any) -> None:  # Any: pydicom's UIDs
    _, read = shown(segmentation(syntax))

    assert np.array_equal(read.pixel_array, MASK)
    assert len(read.PerFrameFunctionalGroupsSequence) == 2
    assert read.PerFrameFunctionalGroupsSequence[1].PlanePositionSequence[0].ImagePositionPatient[2] == 2
    assert "DerivationImageSequence" not in read.PerFrameFunctionalGroupsSequence[1]


def test_a_segment_is_a_number_unless_its_name_is_granted() -> None:
    (plain,) = shown(segmentation())[1].SegmentSequence
    (named,) = shown(segmentation(), ["SegmentLabel", "SegmentAlgorithmType"])[1].SegmentSequence

    assert (plain.SegmentLabel, plain.SegmentAlgorithmType) == ("Segment 1", "MANUAL")
    assert (named.SegmentLabel, named.SegmentAlgorithmType) == ("Canary lesion", "AUTOMATIC")
    assert "Canary" not in named.SegmentAlgorithmName


def test_a_structure_is_a_number_unless_its_name_is_granted() -> None:
    (plain,) = shown(structures())[1].StructureSetROISequence
    (named,) = shown(structures(), ["ROIName"])[1].StructureSetROISequence

    assert (plain.ROIName, plain.ROINumber) == ("ROI 4", 4)
    assert named.ROIName == "Canary liver"


def test_contours_keep_their_points() -> None:
    (roi,) = shown(structures())[1].ROIContourSequence

    assert list(roi.ContourSequence[0].ContourData) == [1.5, 2.5, 3.5]
    assert roi.ROIDisplayColor == [255, 0, 0]


def test_a_contour_on_an_image_that_is_not_shown_is_left_out() -> None:
    (roi,) = shown(structures())[1].ROIContourSequence

    assert len(roi.ContourSequence) == 1


def test_what_cannot_be_read_is_not_served() -> None:
    with pytest.raises(ImageNotFound):
        shown(segmentation()[:400])
