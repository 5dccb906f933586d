"""Write deterministic CT and PET series with a known truth and planted identifiers.

The header is as full as a real scanner's: names in several places, private blocks, nested
sequences, the old identity kept in Original Attributes. The pixels hold a bright rod of known
length, so that a measurement can be right or wrong. The same seed gives the same bytes.

Everything is invented (`people`).
"""

import hashlib
from collections.abc import Sequence as Items
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian

from collegium_testkit import people
from collegium_testkit.ellipses import Ellipse

CT_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.2"
PET_IMAGE: Final = "1.2.840.10008.5.1.4.1.1.128"

FIELD_OF_VIEW_MM: Final = 256.0
SLICE_SPACING_MM: Final = 2.5
ROD_MM: Final = 40.0
ROD_HU: Final = 1200

_AIR_HU, _BODY_HU, _LIVER_HU, _SPINE_HU = -1000, 40, 65, 450
_NOISE_HU: Final = 12.0
_LESION_HU: Final = 130

Pixels = npt.NDArray[np.int16]
Point = tuple[float, float, float]


@dataclass(frozen=True)
class Rod:
    """Two points at a known distance: the centres of the first and last bright pixel.

    `image_points` are (column, row), 0-based, at pixel centres; `world_points` patient mm (LPS).
    """

    slice_index: int
    sop_instance_uid: str
    image_points: tuple[tuple[int, int], tuple[int, int]]
    world_points: tuple[Point, Point]
    length_mm: float


@dataclass(frozen=True)
class Lesion:
    """A bright ellipse of known diameters in the liver, on three slices; points in patient mm (LPS)."""

    slice_index: int
    long_mm: float
    short_mm: float
    points: tuple[Point, Point, Point, Point]
    """Both ends of the long axis, then of the short one."""
    image_points: tuple[tuple[float, float], ...]
    """The same as (column, row)."""


@dataclass(frozen=True)
class ExamTruth:
    """What was written, and what is therefore true of it. UIDs are the originals."""

    folder: Path
    files: tuple[Path, ...]
    patient: people.Person
    study_uid: str
    series_uid: str
    frame_of_reference_uid: str
    study_date: str
    rod: Rod
    planted: tuple[str, ...]
    """Strings that must be in no byte that leaves the hospital: identifiers and original UIDs."""
    lesion: Lesion | None = None


def uid(*parts: object) -> str:
    """A stable UID under 2.25 made from the given words."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()[:16]
    return f"2.25.{int.from_bytes(digest, 'big')}"


def ct_exam(  # noqa: PLR0913 - each is one independent property of the phantom
    folder: Path,
    *,
    slices: int = 24,
    seed: int = 1,
    patient: people.Person | None = None,
    study_date: str = "20260113",
    size: int = 512,
    lesion_mm: tuple[float, float] | None = None,
) -> ExamTruth:
    """Write a CT series of `slices` files of `size` x `size` pixels; the rod lies in the middle slice.

    Args:
        folder: made if missing; files are CT0001.dcm and on.
        slices: how many.
        seed: the exam's identity: UIDs, noise and (unless given) the patient follow from it.
        patient: give the same person to two seeds for a follow-up.
        study_date: DA, as in the header.
        size: rows and columns; 512, 256, 128 or 64 keep the rod exact. Small ones are for tests of flow.
        lesion_mm: long and short diameter of a lesion in the liver, if it shall have one.
    """
    exam = _Exam("ct", seed, patient or people.patient(seed), study_date, size, slices)
    noise = np.random.default_rng(seed).normal(0.0, _NOISE_HU, (size, size))
    anatomy = _anatomy(size)
    files = []
    for index in range(slices):
        pixels = anatomy + np.roll(noise, 17 * index, axis=(0, 1))
        pixels[0, 0] = index  # tells the slices apart by value
        if lesion_mm and abs(index - exam.lesion_slice) <= 1:
            pixels[exam.inside_lesion(lesion_mm)] = _LESION_HU
        if index == exam.rod.slice_index:
            (first, row), (last, _) = exam.rod.image_points
            pixels[row - 1 : row + 2, first : last + 1] = ROD_HU
        dataset = exam.dataset(index)
        _describe_ct(dataset)
        _set_pixels(dataset, np.rint(pixels).astype(np.int16))
        files.append(_save(dataset, folder / f"CT{index + 1:04d}.dcm"))
    return replace(exam.truth(folder, files), lesion=exam.lesion(lesion_mm) if lesion_mm else None)


def pet_exam(folder: Path, *, ct: ExamTruth, slices: int = 24, seed: int = 1, size: int = 128) -> ExamTruth:
    """Write a PET series beside a CT: same person, study and frame of reference; Bq/ml, decay corrected."""
    exam = _Exam(
        "pet",
        seed,
        ct.patient,
        ct.study_date,
        size,
        slices,
        study_uid=ct.study_uid,
        frame=ct.frame_of_reference_uid,
    )
    noise = np.random.default_rng(seed + 1).normal(0.0, 20.0, (size, size))
    activity = np.where(_anatomy(size) > _AIR_HU / 2, 3000.0, 0.0)
    files = []
    for index in range(slices):
        pixels = np.clip(activity + np.roll(noise, 7 * index, axis=(0, 1)), 0, None)
        if index == exam.rod.slice_index:
            (first, row), (last, _) = exam.rod.image_points
            pixels[row, first : last + 1] = 20000.0
        dataset = exam.dataset(index)
        _describe_pet(dataset, slices)
        _set_pixels(dataset, np.rint(pixels).astype(np.int16))
        files.append(_save(dataset, folder / f"PT{index + 1:04d}.dcm"))
    return exam.truth(folder, files)


class _Exam:
    """What the instances of one series share."""

    def __init__(  # noqa: PLR0913, PLR0917 - private, and every value comes from a keyword of the two functions above
        self,
        kind: str,
        seed: int,
        patient: people.Person,
        study_date: str,
        size: int,
        slices: int,
        *,
        study_uid: str | None = None,
        frame: str | None = None,
    ) -> None:
        self.kind, self.seed, self.patient, self.study_date, self.size = kind, seed, patient, study_date, size
        self.study_uid = study_uid or uid(seed, "study", study_date)
        self.series_uid = uid(self.study_uid, kind, "series")
        self.frame = frame or uid(self.study_uid, "frame-of-reference")
        self.spacing_mm = FIELD_OF_VIEW_MM / size
        self.rod = self._rod(slices // 2)

    def instance_uid(self, index: int) -> str:
        return uid(self.series_uid, index)

    def position(self, index: int) -> Point:
        """Centre of the first pixel of a slice, patient mm."""
        corner = -FIELD_OF_VIEW_MM / 2 + self.spacing_mm / 2
        return (corner, corner, index * SLICE_SPACING_MM - 30.0)

    def _rod(self, index: int) -> Rod:
        span = round(ROD_MM / self.spacing_mm)
        row, first = self.size // 2, self.size // 2 - span // 2
        x, y, z = self.position(index)
        ends = ((first, row), (first + span, row))
        world = tuple((x + column * self.spacing_mm, y + row * self.spacing_mm, z) for column, row in ends)
        return Rod(index, self.instance_uid(index), ends, (world[0], world[1]), ROD_MM)

    @property
    def lesion_slice(self) -> int:
        return self.rod.slice_index + 2

    def inside_lesion(self, lesion_mm: tuple[float, float]) -> npt.NDArray[np.bool_]:
        """Which pixels of a slice belong to the lesion: those whose centre lies in the ellipse."""
        rows, columns = np.mgrid[0 : self.size, 0 : self.size]
        x, y, _ = self.position(self.lesion_slice)
        return self._ellipse(lesion_mm).holds(x + columns * self.spacing_mm, y + rows * self.spacing_mm)

    def lesion(self, lesion_mm: tuple[float, float]) -> Lesion:
        left, top, z = self.position(self.lesion_slice)
        ellipse = self._ellipse(lesion_mm)
        points = (*ellipse.long_axis(z), *ellipse.short_axis(z))
        ends = tuple(((x - left) / self.spacing_mm, (y - top) / self.spacing_mm) for x, y, _ in points)
        return Lesion(self.lesion_slice, *lesion_mm, points=points, image_points=ends)

    def _ellipse(self, lesion_mm: tuple[float, float]) -> Ellipse:
        """In the liver, away from the rod."""
        x, y, _ = self.position(self.lesion_slice)
        aside = self.size * 3 // 8 * self.spacing_mm
        return Ellipse((x + aside, y + aside), (lesion_mm[0] / 2, lesion_mm[1] / 2))

    def truth(self, folder: Path, files: Items[Path]) -> ExamTruth:
        planted = (*self.patient.identifiers, self.study_uid, self.series_uid, self.frame)
        return ExamTruth(
            folder, tuple(files), self.patient, self.study_uid, self.series_uid, self.frame, self.study_date,
            self.rod, planted,
        )  # fmt: skip

    def dataset(self, index: int) -> Dataset:
        """One instance without what the modality adds."""
        ds, who, date = Dataset(), self.patient, self.study_date
        ds.SpecificCharacterSet = "ISO_IR 192"
        ds.InstanceCreationDate, ds.InstanceCreationTime = date, "093112"
        ds.SOPInstanceUID = self.instance_uid(index)
        ds.StudyDate = ds.SeriesDate = ds.AcquisitionDate = ds.ContentDate = date
        ds.StudyTime, ds.SeriesTime = "092500", "093000"
        ds.AcquisitionTime = ds.ContentTime = f"0930{index % 60:02d}"
        ds.AcquisitionDateTime = f"{date}0930{index % 60:02d}"
        ds.AccessionNumber, ds.StudyID = who.accession_number, who.accession_number
        ds.Manufacturer, ds.ManufacturerModelName = "Invented Imaging", "Phantom 64"
        ds.InstitutionName, ds.InstitutionAddress = "Larkspur General", who.address
        ds.ReferringPhysicianName, ds.OperatorsName = who.referring_physician, who.operator
        ds.PerformingPhysicianName = ds.NameOfPhysiciansReadingStudy = who.referring_physician
        ds.StationName, ds.DeviceSerialNumber, ds.SoftwareVersions = "CTROOM2", "SN-4711", "7.1"
        ds.ReferencedStudySequence = Sequence([_reference("1.2.840.10008.3.1.2.3.1", self.study_uid)])
        ds.PatientName, ds.PatientID, ds.IssuerOfPatientID = who.dicom_name, who.patient_id, "LARKSPUR"
        ds.PatientBirthDate, ds.PatientSex, ds.PatientAge = who.birth_date, who.sex, "061Y"
        ds.OtherPatientIDsSequence = Sequence([_other_id(who.other_patient_id)])
        ds.PatientWeight, ds.PatientSize = "71.5", "1.74"
        ds.PatientAddress, ds.PatientTelephoneNumbers = who.address, who.phone
        ds.PatientComments = people.MARK
        ds.AdditionalPatientHistory = (
            f"Mr/Ms {who.family} was referred by {who.referring_physician.split('^')[0]}"
        )
        ds.BodyPartExamined, ds.PatientPosition, ds.ProtocolName = "ABDOMEN", "HFS", "Abdomen routine"
        ds.StudyInstanceUID, ds.SeriesInstanceUID = self.study_uid, self.series_uid
        ds.SeriesNumber, ds.AcquisitionNumber, ds.InstanceNumber = 2, 1, index + 1
        ds.FrameOfReferenceUID, ds.PositionReferenceIndicator = self.frame, ""
        ds.ImagePositionPatient = [f"{value:.3f}" for value in self.position(index)]
        ds.ImageOrientationPatient = ["1", "0", "0", "0", "1", "0"]
        ds.SliceLocation = f"{self.position(index)[2]:.3f}"
        ds.SliceThickness = ds.SpacingBetweenSlices = f"{SLICE_SPACING_MM}"
        ds.PixelSpacing = [f"{self.spacing_mm}"] * 2
        ds.RequestAttributesSequence = Sequence([_request(who)])
        ds.OriginalAttributesSequence = Sequence([_original(who)])
        ds.RequestedProcedureDescription = "CT abdomen"
        ds.StudyComments = f"Phone {who.phone} when done"
        _add_private(ds, who)
        return ds


def _anatomy(size: int) -> npt.NDArray[np.float64]:
    """Hounsfield units of an elliptic body with a liver and a spine, the same in every slice."""
    rows, columns = np.mgrid[0:size, 0:size]
    y, x = (rows - size / 2) / size, (columns - size / 2) / size
    image = np.full((size, size), float(_AIR_HU))
    image[(x / 0.42) ** 2 + (y / 0.30) ** 2 < 1] = _BODY_HU
    image[((x + 0.18) / 0.17) ** 2 + ((y + 0.02) / 0.18) ** 2 < 1] = _LIVER_HU
    image[(x / 0.05) ** 2 + ((y - 0.20) / 0.05) ** 2 < 1] = _SPINE_HU
    return image


def _describe_ct(ds: Dataset) -> None:
    ds.SOPClassUID, ds.Modality = CT_IMAGE, "CT"
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.StudyDescription, ds.SeriesDescription = "CT abdomen", "Axial 2.5"
    ds.ScanOptions, ds.KVP, ds.DataCollectionDiameter, ds.ReconstructionDiameter = (
        "HELIX",
        "120",
        "500",
        "256",
    )
    ds.DistanceSourceToDetector, ds.DistanceSourceToPatient = "1040", "570"
    ds.GantryDetectorTilt, ds.TableHeight, ds.RotationDirection = "0", "150", "CW"
    ds.ExposureTime, ds.XRayTubeCurrent, ds.Exposure, ds.FilterType = "500", "210", "105", "BODY"
    ds.GeneratorPower, ds.FocalSpots, ds.ConvolutionKernel = "40", "1.2", "STANDARD"
    ds.RescaleIntercept, ds.RescaleSlope, ds.RescaleType = "0", "1", "HU"
    ds.WindowCenter, ds.WindowWidth = "40", "400"
    ds.BurnedInAnnotation = "NO"


def _describe_pet(ds: Dataset, slices: int) -> None:
    ds.SOPClassUID, ds.Modality = PET_IMAGE, "PT"
    ds.ImageType = ["ORIGINAL", "PRIMARY"]
    ds.StudyDescription, ds.SeriesDescription, ds.SeriesNumber = "CT abdomen", "PET AC", 3
    ds.SeriesType, ds.Units, ds.CountsSource = ["WHOLE BODY", "IMAGE"], "BQML", "EMISSION"
    ds.DecayCorrection, ds.AttenuationCorrectionMethod = "START", "measured"
    ds.CorrectedImage = ["NORM", "DTIM", "ATTN", "SCAT", "DECY", "RAN"]
    ds.NumberOfSlices, ds.ActualFrameDuration, ds.FrameReferenceTime = slices, "180000", "90000"
    tracer = Dataset()
    tracer.RadiopharmaceuticalStartTime, tracer.RadionuclideTotalDose = "083000", "350000000"
    tracer.RadiopharmaceuticalStartDateTime = f"{ds.StudyDate}083000"
    tracer.RadionuclideHalfLife, tracer.RadionuclidePositronFraction = "6586.2", "0.97"
    ds.RadiopharmaceuticalInformationSequence = Sequence([tracer])
    ds.RescaleIntercept, ds.RescaleSlope = "0", "1"
    ds.WindowCenter, ds.WindowWidth = "5000", "10000"
    ds.BurnedInAnnotation = "NO"


def _set_pixels(ds: Dataset, pixels: Pixels) -> None:
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns = pixels.shape
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 16, 15, 1
    ds.add_new("PixelData", "OW", pixels.astype("<i2").tobytes())


def _reference(sop_class: str, instance: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, instance
    return item


def _other_id(value: str) -> Dataset:
    item = Dataset()
    item.PatientID, item.TypeOfPatientID = value, "TEXT"
    return item


def _request(who: people.Person) -> Dataset:
    item = Dataset()
    item.AccessionNumber, item.RequestedProcedureID = who.accession_number, who.accession_number
    item.ScheduledProcedureStepDescription = "CT abdomen"
    item.RequestingPhysician = who.referring_physician
    return item


def _original(who: people.Person) -> Dataset:
    """Original Attributes (PS3.3 C.12.1) keep the identity from before a correction."""
    old = Dataset()
    old.PatientID, old.PatientName = who.other_patient_id, who.dicom_name
    item = Dataset()
    item.SourceOfPreviousValues, item.AttributeModificationDateTime = "Larkspur", "20260113093000"
    item.ModifyingSystem, item.ReasonForTheAttributeModification = "RIS", "CORRECT"
    item.ModifiedAttributesSequence = Sequence([old])
    return item


def _add_private(ds: Dataset, who: people.Person) -> None:
    """Two private blocks: text with a name, and a sequence with a name inside."""
    block = ds.private_block(0x0009, "INVENTED IMAGING 01", create=True)
    block.add_new(0x01, "LO", f"{who.family}, {who.given}")
    block.add_new(0x02, "DS", "42.5")
    nested = Dataset()
    nested.PatientName = who.dicom_name
    block = ds.private_block(0x0019, "INVENTED ACQ", create=True)
    block.add_new(0x10, "SQ", Sequence([nested]))
    block.add_new(0x11, "UN", f"call {who.phone}".encode())


def _save(ds: Dataset, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID, meta.ImplementationVersionName = (
        UID(uid("collegium-testkit")),
        "COLLEGIUM_TK_1",
    )
    meta.SourceApplicationEntityTitle = "LARKSPURCT"
    ds.file_meta = meta
    ds.save_as(path, enforce_file_format=True)
    return path
