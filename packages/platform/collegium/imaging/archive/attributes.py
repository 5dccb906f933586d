"""Which attributes leave the archive as metadata: a closed list, in two halves.

`RENDERING` is what a viewer needs to draw and measure; it says nothing about the
person and every view may have it. `DESCRIPTIVE` is what a grant must name. What is in
neither is not stored in a document and cannot be asked for.
"""

from __future__ import annotations

from pydicom.datadict import keyword_for_tag, tag_for_keyword

_RENDERING = """
SpecificCharacterSet ImageType SOPClassUID SOPInstanceUID StudyInstanceUID SeriesInstanceUID
FrameOfReferenceUID Modality InstanceNumber SeriesNumber AcquisitionNumber
SamplesPerPixel PhotometricInterpretation PlanarConfiguration NumberOfFrames FrameIncrementPointer
Rows Columns PixelSpacing PixelAspectRatio ImagerPixelSpacing NominalScannedPixelSpacing
PixelSpacingCalibrationType EstimatedRadiographicMagnificationFactor
BitsAllocated BitsStored HighBit PixelRepresentation SmallestImagePixelValue LargestImagePixelValue
PixelPaddingValue PixelPaddingRangeLimit
WindowCenter WindowWidth WindowCenterWidthExplanation VOILUTFunction
RescaleIntercept RescaleSlope RescaleType PresentationLUTShape
RedPaletteColorLookupTableDescriptor GreenPaletteColorLookupTableDescriptor
BluePaletteColorLookupTableDescriptor RedPaletteColorLookupTableData GreenPaletteColorLookupTableData
BluePaletteColorLookupTableData SegmentedRedPaletteColorLookupTableData
SegmentedGreenPaletteColorLookupTableData SegmentedBluePaletteColorLookupTableData
ModalityLUTSequence VOILUTSequence LUTDescriptor LUTData ModalityLUTType
LossyImageCompression LossyImageCompressionRatio LossyImageCompressionMethod
ImagePositionPatient ImageOrientationPatient SliceThickness SpacingBetweenSlices SliceLocation
ImagesInAcquisition NumberOfSlices NumberOfTimeSlices NumberOfTemporalPositions TemporalPositionIdentifier
PatientPosition PatientOrientation Laterality ImageLaterality ViewPosition
FrameTime FrameTimeVector CineRate RecommendedDisplayFrameRate StartTrim StopTrim PreferredPlaybackSequencing
SequenceOfUltrasoundRegions RegionSpatialFormat RegionDataType RegionFlags RegionLocationMinX0
RegionLocationMinY0 RegionLocationMaxX1 RegionLocationMaxY1 ReferencePixelX0 ReferencePixelY0
PhysicalUnitsXDirection PhysicalUnitsYDirection PhysicalDeltaX PhysicalDeltaY
ReferencePixelPhysicalValueX ReferencePixelPhysicalValueY
SharedFunctionalGroupsSequence PerFrameFunctionalGroupsSequence PixelMeasuresSequence
PlanePositionSequence PlaneOrientationSequence FrameVOILUTSequence PixelValueTransformationSequence
FrameContentSequence StackID InStackPositionNumber TemporalPositionIndex DimensionIndexValues
FrameAcquisitionNumber DimensionOrganizationSequence DimensionOrganizationUID DimensionIndexSequence
DimensionIndexPointer FunctionalGroupPointer DimensionOrganizationType
Units CountsSource SeriesType DecayCorrection CorrectedImage DecayFactor FrameReferenceTime
ActualFrameDuration NumberOfRRIntervals RescaleIntercept GantryDetectorTilt
SegmentationType SegmentationFractionalType MaximumFractionalValue SegmentSequence SegmentNumber
SegmentAlgorithmType RecommendedDisplayCIELabValue SegmentIdentificationSequence ReferencedSegmentNumber
DerivationImageSequence SourceImageSequence ReferencedSOPClassUID ReferencedSOPInstanceUID
ReferencedFrameNumber ReferencedSeriesSequence ReferencedInstanceSequence
RealWorldValueMappingSequence RealWorldValueIntercept RealWorldValueSlope
RealWorldValueFirstValueMapped RealWorldValueLastValueMapped
ExposureTime XRayTubeCurrent KVP ReconstructionDiameter
"""

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
"""


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


ALL_FIELDS = frozenset(map(key_of, STORED))
KEYWORDS = {key_of(tag): keyword_for_tag(tag) for tag in STORED}
