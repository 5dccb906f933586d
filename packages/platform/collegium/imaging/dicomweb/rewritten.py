"""Segmentations and structure sets under a grant: files written anew from an allow list, never the stored ones.

A viewer needs these two as files. Everything in one is either on the list, or replaced: UIDs by the grant's, the
subject by its label, names by numbers, and what the standard wants to be there by a value that says nothing
(PS3.15 annex E, action D). Times, people, scanners, private elements, preamble and free text do not come along.

Memory: the object twice.

Source: DICOM PS3.3 A.51 (segmentation), A.19 (structure set), PS3.10 section 7.1.
"""

from __future__ import annotations

import io
import re
from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydicom import DataElement, Dataset, dcmread
from pydicom.datadict import dictionary_VR
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import UID, ExplicitVRLittleEndian

from collegium.imaging.archive.attributes import DESCRIPTIVE, WORDS, key_of, term
from collegium.imaging.archive.errors import ImageNotFound
from collegium.imaging.archive.header import NATIVE

if TYPE_CHECKING:
    from collections.abc import Callable

SEGMENTATIONS = frozenset({"1.2.840.10008.5.1.4.1.1.66.4", "1.2.840.10008.5.1.4.1.1.66.7"})
STRUCTURE_SET = "1.2.840.10008.5.1.4.1.1.481.3"
REWRITTEN = SEGMENTATIONS | {STRUCTURE_SET}
"""SOP classes that are served as files."""

IMPLEMENTATION_UID = "2.25.163965269180284117280010646439396892664"
"""Ours, the same in every file: it says which program wrote it."""
_PIXELS = frozenset({0x7FE00010, 0x7FE00001, 0x7FE00002})

# Geometry, references (replaced or left out), numbers. Words among them stand in `attributes.TERMS` or below.
_BOTH = (
    "SOPClassUID SOPInstanceUID StudyInstanceUID SeriesInstanceUID FrameOfReferenceUID ReferencedSOPClassUID "
    "ReferencedSOPInstanceUID ReferencedFrameNumber"
)
_SEGMENTATION = (
    "ImageType SamplesPerPixel PhotometricInterpretation NumberOfFrames Rows Columns BitsAllocated BitsStored HighBit "
    "PixelRepresentation PixelPaddingValue LossyImageCompression SegmentationType SegmentationFractionalType "
    "MaximumFractionalValue SegmentsOverlap SegmentSequence SegmentNumber RecommendedDisplayCIELabValue "
    "SegmentIdentificationSequence ReferencedSegmentNumber ReferencedSeriesSequence ReferencedInstanceSequence "
    "SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence PixelMeasuresSequence PixelSpacing "
    "SliceThickness SpacingBetweenSlices PlanePositionSequence ImagePositionPatient PlaneOrientationSequence "
    "ImageOrientationPatient FrameContentSequence DimensionIndexValues DimensionOrganizationSequence "
    "DimensionOrganizationUID DimensionOrganizationType DimensionIndexSequence DimensionIndexPointer "
    "FunctionalGroupPointer DerivationImageSequence SourceImageSequence PixelData ExtendedOffsetTable "
    "ExtendedOffsetTableLengths"
)
_STRUCTURES = (
    "ReferencedFrameOfReferenceSequence RTReferencedStudySequence RTReferencedSeriesSequence ContourImageSequence "
    "StructureSetROISequence ROINumber ReferencedFrameOfReferenceUID ROIContourSequence ROIDisplayColor "
    "ReferencedROINumber ContourSequence ContourNumber ContourGeometricType NumberOfContourPoints ContourData "
    "RTROIObservationsSequence ObservationNumber"
)
_WORDS = {
    "ContourGeometricType": re.compile("POINT|OPEN_PLANAR|OPEN_NONPLANAR|CLOSED_PLANAR|CLOSEDPLANAR_XOR"),
    "SegmentsOverlap": re.compile("YES|NO|UNDEFINED"),
}
_CODE = frozenset({"CodeValue", "CodingSchemeDesignator", "CodeMeaning"})
_CODED = frozenset({"SegmentedPropertyCategoryCodeSequence", "SegmentedPropertyTypeCodeSequence"})
_DESCRIPTIVE = DESCRIPTIVE
_SEG_CONSTANTS = {
    "Modality": "SEG", "Manufacturer": "Collegium", "ManufacturerModelName": "Collegium", "DeviceSerialNumber": "0",
    "SoftwareVersions": "1", "ContentLabel": "SEGMENTATION", "ContentDescription": "", "ContentCreatorName": "",
    "ContentDate": "", "ContentTime": "", "PositionReferenceIndicator": "", "LossyImageCompression": "00",
}  # fmt: skip
_RT_CONSTANTS = {
    "Modality": "RTSTRUCT", "Manufacturer": "Collegium", "OperatorsName": "", "StructureSetLabel": "STRUCTURES",
    "StructureSetDate": "", "StructureSetTime": "",
}  # fmt: skip
_EMPTY = (
    "StudyDate", "StudyTime", "AccessionNumber", "ReferringPhysicianName", "PatientBirthDate", "PatientSex", "StudyID",
)  # fmt: skip
_CATEGORY = ("91723000", "SCT", "Anatomical structure")
_TYPE = ("123037004", "SCT", "Body structure")


@dataclass(frozen=True)
class Rewriting:
    """What a grant says of a file.

    Args:
        label: the subject.
        keywords: descriptive attributes that the grant names.
        uid: what a UID becomes that is not one of the standard's own.
        shows: whether the grant shows a study, series or instance, by its archive UID.
        series_number, instance_number: places under the grant.
    """

    label: str
    keywords: frozenset[str]
    uid: Callable[[str], str]
    shows: Callable[[str], bool]
    series_number: int
    instance_number: int


def rewrite(raw: bytes, rewriting: Rewriting) -> bytes:
    """A Part 10 file of a stored segmentation or structure set as a grant shows it.

    Args:
        raw: the stored object.
        rewriting: how the grant shows it.

    Raises:
        ImageNotFound: the object cannot be read element by element; then none of it is served.
    """
    try:
        return _rewritten(dcmread(io.BytesIO(raw)), rewriting)
    except Exception as error:  # pydicom raises whatever it likes on odd elements; all of it means the same
        raise ImageNotFound from error


def _rewritten(stored: Dataset, rewriting: Rewriting) -> bytes:
    is_structures = str(stored.SOPClassUID) == STRUCTURE_SET
    words = (_STRUCTURES if is_structures else _SEGMENTATION).split()
    writer = _Writer(rewriting, frozenset({*_BOTH.split(), *words, *rewriting.keywords}))
    made = writer.copy(stored)
    for keyword in _EMPTY:
        if keyword not in made:
            setattr(made, keyword, "")
    constants = _RT_CONSTANTS if is_structures else _SEG_CONSTANTS
    for keyword, value in constants.items():
        if keyword not in made:
            setattr(made, keyword, value)
    made.PatientID = made.PatientName = made.ClinicalTrialSubjectReadingID = rewriting.label
    made.SpecificCharacterSet = "ISO_IR 192"
    made.SeriesNumber, made.InstanceNumber = rewriting.series_number, rewriting.instance_number
    _name_structures(made) if is_structures else _name_segments(made)
    return _written(made, stored)


class _Writer:
    """Copies what is allowed, at every depth."""

    def __init__(self, rewriting: Rewriting, allowed: frozenset[str]) -> None:
        self._given, self._allowed = rewriting, allowed

    def copy(self, item: Dataset, *, extra: frozenset[str] = frozenset()) -> Dataset:
        made = Dataset()
        for element in item:
            keyword = element.keyword
            if keyword in self._allowed | extra and element.VR in dictionary_VR(element.tag).split(" or "):
                value = self._value(element)
                if value is not None:
                    made[element.tag] = value
        return made

    def _value(self, element: DataElement) -> DataElement | None:
        values = element.value if element.VM > 1 else [element.value]
        if element.VR == "SQ":
            items = [
                made for item in element.value if (made := self._item(element.keyword, item)) is not None
            ]
            return DataElement(element.tag, "SQ", Sequence(items)) if items else None
        if element.VR == "UI":
            return DataElement(element.tag, "UI", [self._given.uid(str(value)) for value in values])
        if element.VR == "AT":
            return None if any(int(value) >> 16 & 1 for value in values) else deepcopy(element)
        if element.VR in WORDS and element.tag not in _DESCRIPTIVE and element.keyword not in _CODE:
            terms = [_term(element, str(value)) for value in values]
            return DataElement(element.tag, element.VR, terms) if all(terms) else None
        return element if element.tag in _PIXELS else deepcopy(element)

    def _item(self, keyword: str, item: Dataset) -> Dataset | None:
        """An item as the grant shows it; nothing when all of it is about what the grant hides."""
        if not self._is_shown(item):
            return None
        made = self.copy(item, extra=_CODE if keyword in _CODED else frozenset())
        if "ContourImageSequence" in item and "ContourImageSequence" not in made:
            return None
        # One item a frame, whatever is left in it.
        return made if len(made) or keyword == "PerFrameFunctionalGroupsSequence" else None

    def _is_shown(self, item: Dataset) -> bool:
        """Whether an item points at nothing that the grant hides."""
        names = [
            str(item[word].value)
            for word in ("ReferencedSOPInstanceUID", "SeriesInstanceUID")
            if word in item
        ]
        return all(self._given.shows(name) for name in names)


def _term(element: DataElement, value: str) -> str | None:
    own = _WORDS.get(element.keyword)
    if own:
        return value if own.fullmatch(value) else None
    return term(key_of(element.tag), value)


def _name_segments(made: Dataset) -> None:
    for segment in made.get("SegmentSequence", ()):
        if "SegmentLabel" not in segment:
            segment.SegmentLabel = f"Segment {segment.get('SegmentNumber', '')}".strip()
        if segment.get("SegmentAlgorithmType", "MANUAL") == "MANUAL":
            segment.SegmentAlgorithmType = "MANUAL"
        else:
            segment.SegmentAlgorithmName = "Algorithm"
        for keyword, code in (
            ("SegmentedPropertyCategoryCodeSequence", _CATEGORY),
            ("SegmentedPropertyTypeCodeSequence", _TYPE),
        ):
            if keyword not in segment:
                setattr(segment, keyword, Sequence([_code(*code)]))


def _name_structures(made: Dataset) -> None:
    for roi in made.get("StructureSetROISequence", ()):
        if "ROIName" not in roi:
            roi.ROIName = f"ROI {roi.get('ROINumber', '')}".strip()
        roi.ROIGenerationAlgorithm = ""
    for seen in made.get("RTROIObservationsSequence", ()):
        seen.RTROIInterpretedType, seen.ROIInterpreter = "", ""


def _code(value: str, scheme: str, meaning: str) -> Dataset:
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = value, scheme, meaning
    return code


def _written(made: Dataset, stored: Dataset) -> bytes:
    meta = FileMetaDataset()
    syntax = stored.file_meta.TransferSyntaxUID
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = made.SOPClassUID, made.SOPInstanceUID
    meta.TransferSyntaxUID = ExplicitVRLittleEndian if str(syntax) in NATIVE else syntax
    meta.ImplementationClassUID = UID(IMPLEMENTATION_UID)
    meta.ImplementationVersionName = "COLLEGIUM"
    made.file_meta = meta
    made.preamble = bytes(128)
    out = io.BytesIO()
    made.save_as(out, enforce_file_format=True)
    return out.getvalue()
