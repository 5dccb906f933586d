"""Which attributes leave the archive as metadata: a closed list, in two halves.

`RENDERING` is what a viewer needs to draw, measure, compute a SUV and play a loop; every view may have it.
`DESCRIPTIVE` is what a grant must name: it tells of the person, the site, the scanner, the time, the order or the
treatment. What is in neither is not stored in a document and cannot be asked for. A document stores both halves;
the view decides, so a keyword that changes sides needs no re-reading of what is stored (decision 34).
"""

from __future__ import annotations

import re

from pydicom.datadict import dictionary_VR, keyword_for_tag, tag_for_keyword

# Each group says why it may be in every view. Words (CS, LO) stand in `TERMS` as well: only the terms the standard
# defines pass, because a scanner, or someone at it, can write anything into them. UIDs are replaced by the view's.
_RENDERING = (
    # What it is: a viewer chooses its way of drawing by these. The two numbers are given anew by the view.
    "SpecificCharacterSet ImageType SOPClassUID SOPInstanceUID StudyInstanceUID SeriesInstanceUID "
    "FrameOfReferenceUID Modality InstanceNumber SeriesNumber "
    # How stored values become pixels (PS3.3 C.7.6.3).
    "SamplesPerPixel PhotometricInterpretation PlanarConfiguration NumberOfFrames FrameIncrementPointer Rows Columns "
    "BitsAllocated BitsStored HighBit PixelRepresentation SmallestImagePixelValue LargestImagePixelValue "
    "PixelPaddingValue PixelPaddingRangeLimit "
    # How pixels become greys and colours (PS3.3 C.11.1, C.11.2, C.7.9).
    "WindowCenter WindowWidth VOILUTFunction RescaleIntercept RescaleSlope RescaleType PresentationLUTShape "
    "ModalityLUTSequence VOILUTSequence LUTDescriptor LUTData ModalityLUTType "
    "RedPaletteColorLookupTableDescriptor GreenPaletteColorLookupTableDescriptor "
    "BluePaletteColorLookupTableDescriptor RedPaletteColorLookupTableData GreenPaletteColorLookupTableData "
    "BluePaletteColorLookupTableData SegmentedRedPaletteColorLookupTableData "
    "SegmentedGreenPaletteColorLookupTableData SegmentedBluePaletteColorLookupTableData "
    # A reader must be told that pixels were compressed with loss (PS3.3 C.7.6.1.1.5).
    "LossyImageCompression LossyImageCompressionRatio LossyImageCompressionMethod "
    # Millimetres: without them nothing can be measured.
    "PixelSpacing PixelAspectRatio ImagerPixelSpacing NominalScannedPixelSpacing PixelSpacingCalibrationType "
    "EstimatedRadiographicMagnificationFactor SliceThickness SpacingBetweenSlices GantryDetectorTilt "
    "SequenceOfUltrasoundRegions RegionSpatialFormat RegionDataType RegionFlags RegionLocationMinX0 "
    "RegionLocationMinY0 RegionLocationMaxX1 RegionLocationMaxY1 ReferencePixelX0 ReferencePixelY0 "
    "PhysicalUnitsXDirection PhysicalUnitsYDirection PhysicalDeltaX PhysicalDeltaY ReferencePixelPhysicalValueX "
    "ReferencePixelPhysicalValueY "
    # Where the image lies, and which side is which: without them a reader mistakes left for right.
    "ImagePositionPatient ImageOrientationPatient PatientPosition PatientOrientation Laterality ImageLaterality "
    "ViewPosition "
    # Loops and phases. The temporal position is given anew by the view: its rank in the series.
    "TemporalPositionIdentifier FrameTime FrameTimeVector CineRate RecommendedDisplayFrameRate StartTrim StopTrim "
    "PreferredPlaybackSequencing "
    # The same facts in multi-frame objects. The indices count from 1 inside one object (PS3.3 C.7.6.16.2.2).
    "SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence PixelMeasuresSequence PlanePositionSequence "
    "PlaneOrientationSequence FrameVOILUTSequence PixelValueTransformationSequence FrameContentSequence "
    "InStackPositionNumber TemporalPositionIndex DimensionIndexValues DimensionIndexSequence DimensionIndexPointer "
    "FunctionalGroupPointer DimensionOrganizationType "
    # SUV, with what the grant names of weight, dose and times; all of it is relative to the scan (PS3.3 C.8.9).
    "Units CountsSource SeriesType DecayCorrection CorrectedImage DecayFactor FrameReferenceTime ActualFrameDuration "
    "RealWorldValueMappingSequence RealWorldValueIntercept RealWorldValueSlope RealWorldValueFirstValueMapped "
    "RealWorldValueLastValueMapped "
    # Drawing a segmentation over its images. A reference to what the view does not show is left out.
    "SegmentationType SegmentationFractionalType MaximumFractionalValue SegmentSequence SegmentNumber "
    "RecommendedDisplayCIELabValue SegmentIdentificationSequence ReferencedSegmentNumber DerivationImageSequence "
    "SourceImageSequence ReferencedSOPClassUID ReferencedSOPInstanceUID ReferencedFrameNumber "
    "ReferencedSeriesSequence ReferencedInstanceSequence"
)

_DESCRIPTIVE = """
StudyDate StudyTime SeriesDate SeriesTime AcquisitionDate AcquisitionTime AcquisitionDateTime ContentDate
ContentTime StudyDescription SeriesDescription ProtocolName BodyPartExamined ContrastBolusAgent
PatientName PatientID PatientSex PatientAge PatientWeight PatientSize
ClinicalTrialSubjectID ClinicalTrialSubjectReadingID ClinicalTrialTimePointID ClinicalTrialTimePointDescription
ClinicalTrialProtocolID ClinicalTrialSiteID PatientIdentityRemoved DeidentificationMethod
LongitudinalTemporalInformationModified Manufacturer ManufacturerModelName
ScanningSequence SequenceVariant ScanOptions MRAcquisitionType SequenceName MagneticFieldStrength
RepetitionTime EchoTime InversionTime FlipAngle DiffusionBValue ConvolutionKernel
RadiopharmaceuticalInformationSequence RadiopharmaceuticalStartTime RadiopharmaceuticalStartDateTime
RadionuclideTotalDose RadionuclideHalfLife RadionuclidePositronFraction RadionuclideCodeSequence
SegmentLabel SegmentedPropertyCategoryCodeSequence SegmentedPropertyTypeCodeSequence
CodeValue CodingSchemeDesignator CodeMeaning MeasurementUnitsCodeSequence LUTExplanation
ContentLabel ContentDescription FrameAcquisitionDateTime FrameReferenceDateTime AnatomicRegionSequence
AcquisitionNumber FrameAcquisitionNumber ImagesInAcquisition NumberOfSlices NumberOfTimeSlices
NumberOfTemporalPositions NumberOfRRIntervals KVP ExposureTime XRayTubeCurrent ReconstructionDiameter SliceLocation
WindowCenterWidthExplanation StackID SegmentAlgorithmType DimensionOrganizationSequence DimensionOrganizationUID
ROIName
"""

_LETTER = "[APLRHF]{1,3}"
_TERMS = {
    "SpecificCharacterSet": "ISO_IR 192",
    # PS3.3 C.7.6.1.1.2 and the third and fourth values of its modalities, as far as they say how to draw.
    "ImageType": "ORIGINAL|DERIVED|MIXED|PRIMARY|SECONDARY|AXIAL|LOCALIZER|REFORMATTED|MPR|MIP|MAX_IP|MIN_IP|MEAN"
    "|VOLUME|VOLUME_RENDER|CINE|DYNAMIC|STATIC|GATED|WHOLE BODY|TOMO|RECON TOMO|RECON GATED TOMO|EMISSION|TRANSMISSION"
    "|PERFUSION|DIFFUSION|ADC|MAGNITUDE|PHASE MAP|REAL|IMAGINARY|SUBTRACTION|ADDITION|IMAGE|ANGIO|SINGLE PLANE"
    "|BIPLANE A|BIPLANE B|NONE|OTHER",
    # PS3.3 C.7.3.1.1.1.
    "Modality": "ANN|AR|ASMT|AU|BDUS|BI|BMD|CFM|CR|CT|CTPROTOCOL|DG|DMS|DOC|DX|ECG|EEG|EMG|EOG|EPS|ES|FID|GM|HC|HD|IO"
    "|IOL|IVOCT|IVUS|KER|KO|LEN|LS|MG|MR|M3D|NM|OAM|OCT|OP|OPM|OPT|OPTBSV|OPTENF|OPV|OSS|OT|PA|PLAN|POS|PR|PT|PX|REG"
    "|RESP|RF|RG|RTDOSE|RTIMAGE|RTINTENT|RTPLAN|RTRAD|RTRECORD|RTSEGANN|RTSTRUCT|RWV|SEG|SM|SMR|SR|SRF|STAIN|TEXTUREMAP"
    "|TG|US|VA|XA|XAPROTOCOL|XC",
    # PS3.3 C.7.6.3.1.2.
    "PhotometricInterpretation": "MONOCHROME[12]|PALETTE COLOR|RGB|YBR_FULL|YBR_FULL_422|YBR_PARTIAL_42[02]|YBR_ICT"
    "|YBR_RCT|XYB",
    "PixelSpacingCalibrationType": "GEOMETRY|FIDUCIAL",
    "VOILUTFunction": "LINEAR|LINEAR_EXACT|SIGMOID",
    # PS3.3 C.11.1.1.2.
    "RescaleType": "OD|HU|US|MGML|Z_EFF|ED|EDW|HU_MOD|PCT",
    "ModalityLUTType": "OD|HU|US|MGML|Z_EFF|ED|EDW|HU_MOD|PCT",
    "PresentationLUTShape": "IDENTITY|INVERSE|LIN OD",
    "LossyImageCompression": "00|01",
    "LossyImageCompressionMethod": "ISO_10918_1|ISO_14495_1|ISO_15444_1|ISO_15444_15|ISO_18181_1|ISO_13818_2"
    "|ISO_14496_10|ISO_23008_2",
    # PS3.3 C.7.3.1.1.2.
    "PatientPosition": "HFP|HFS|HFDR|HFDL|FFP|FFS|FFDR|FFDL|LFP|LFS|RFP|RFS|AFDR|AFDL|PFDR|PFDL",
    "PatientOrientation": _LETTER,
    "Laterality": "[RLUB]",
    "ImageLaterality": "[RLUB]",
    "ViewPosition": "AP|PA|LL|RL|RLD|LLD|RLO|LLO|CC|MLO|ML|LM|LMO|XCCL|XCCM|FB|SIO|AT|CV",
    "DimensionOrganizationType": "3D|3D_TEMPORAL|TILED_FULL|TILED_SPARSE",
    # PS3.3 C.8.9.1.1.3 and C.8.9.1.
    "Units": "CNTS|NONE|CM2|CM2ML|PCNT|CPS|BQML|MGMINML|UMOLMINML|MLMING|MLG|1CM|UMOLML|PROPCNTS|PROPCPS|MLMINML|MLML"
    "|GML|STDDEV",
    "CountsSource": "EMISSION|TRANSMISSION",
    "SeriesType": "STATIC|DYNAMIC|GATED|WHOLE BODY|IMAGE|REPROJECTION",
    "DecayCorrection": "NONE|START|ADMIN",
    "CorrectedImage": "DECY|ATTN|SCAT|DTIM|MOTN|PMOT|CLN|RAN|RADL|DCAL|NORM",
    "SegmentationType": "BINARY|FRACTIONAL|LABELMAP",
    "SegmentationFractionalType": "PROBABILITY|OCCUPANCY",
}
_INSTEAD = {"ImageType": "OTHER", "Modality": "OT"}
"""What stands for a word that is not a defined term, where leaving it out would move or stop something."""


def _tags(keywords: str) -> frozenset[int]:
    found = {word: tag_for_keyword(word) for word in keywords.split()}
    unknown = [word for word, tag in found.items() if tag is None]
    if unknown:
        raise LookupError(f"not DICOM keywords: {unknown}")
    return frozenset(tag for tag in found.values() if tag is not None)


RENDERING = _tags(_RENDERING)
DESCRIPTIVE = _tags(_DESCRIPTIVE)
STORED = RENDERING | DESCRIPTIVE


def key_of(tag: int) -> str:
    """The attribute's name in DICOM JSON (PS3.18 F.2.2): eight upper-case hex digits."""
    return f"{tag:08X}"


def fields(keywords: tuple[str, ...] | list[str]) -> frozenset[str]:
    """The DICOM JSON names a view may have: all that renders, and of the rest those named.

    Raises:
        ValueError: a keyword that cannot be granted.
    """
    named = set()
    for word in keywords:
        tag = tag_for_keyword(word)
        if tag is None or tag not in STORED:
            raise ValueError(f"{word} cannot be granted")
        named.add(tag)
    return frozenset(map(key_of, RENDERING | named))


def named(keywords: tuple[str, ...] | list[str]) -> frozenset[str]:
    """The DICOM JSON names of what a grant names: these are shown as they were written."""
    return frozenset(key_of(tag) for word in keywords if (tag := tag_for_keyword(word)) is not None)


TERMS = {key_of(tag_for_keyword(word) or 0): re.compile(terms) for word, terms in _TERMS.items()}
"""The words that a rendering attribute may hold."""

INSTEAD = {key_of(tag_for_keyword(word) or 0): term for word, term in _INSTEAD.items()}

VRS = {key_of(tag): frozenset(dictionary_VR(tag).split(" or ")) for tag in STORED}
"""The representations an attribute has by the standard. A file may say another and write a name as a "number"."""

WORDS = frozenset({"CS", "LO", "SH", "ST", "LT", "UT", "UC", "UR", "AE", "AS", "PN", "DA", "TM", "DT"})
"""Representations that hold words."""


def term(name: str, value: str) -> str | None:
    """`value` if it is one that the attribute may hold, else what stands for it, else None."""
    terms = TERMS.get(name)
    return value if terms and terms.fullmatch(value) else INSTEAD.get(name)


NAMES = {tag: key_of(tag) for tag in STORED}
KEYWORDS = {key_of(tag): keyword_for_tag(tag) for tag in STORED}
