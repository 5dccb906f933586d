"""A full CT header with planted identity, and the ways to write and clean it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Protocol

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import UID, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from collegium_deid import Cleaned, Recipe, SiteKey, clean_object, load_recipe

if TYPE_CHECKING:
    from collections.abc import Callable

CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"


class Write(Protocol):
    def __call__(self, dataset: Dataset, *, implicit: bool = False, pixels: bytes | None = None) -> bytes: ...


class Clean(Protocol):
    def __call__(self, data: bytes, *, recipe: Recipe | None = None, subject: str = "S-001") -> Cleaned: ...


@pytest.fixture(scope="session")
def recipe() -> Recipe:
    return load_recipe("trial")


@pytest.fixture(scope="session")
def key() -> SiteKey:
    return SiteKey(bytes(range(32)))


@pytest.fixture
def ct() -> Dataset:
    """A CT whose every identifying value contains the invented name or one of the invented numbers."""
    ds = Dataset()
    ds.ImageType = ["ORIGINAL", "PRIMARY", "AXIAL"]
    ds.SOPClassUID, ds.SOPInstanceUID = CT_IMAGE, "1.2.3.4.5.6"
    ds.StudyDate, ds.SeriesDate, ds.AcquisitionDateTime = "20240229", "20240229", "20240229101112.5+0100"
    ds.StudyTime, ds.SeriesTime = "101112.123456", "101500"
    ds.AccessionNumber = "ACC-778812"
    ds.Modality, ds.Manufacturer, ds.ManufacturerModelName = "CT", "Siemens", "Force"
    ds.InstitutionName, ds.StationName = "Quillhaven Clinic", "QUILLCT07"
    ds.ReferringPhysicianName, ds.OperatorsName = "Tjarnqvist^Ove", "Pellinghast^Ada"
    ds.StudyDescription = "CT Thorax Brambleworth 29.02.2024"
    ds.SeriesDescription = "Lung 1.5 mm axial"
    ds.PatientName, ds.PatientID = "Brambleworth^Leopoldine", "MRN-4471123"
    ds.PatientBirthDate, ds.PatientSex, ds.PatientAge = "19310504", "F", "092Y"
    ds.PatientSize, ds.PatientWeight = "1.71", "68.5"
    ds.PatientAddress, ds.PatientTelephoneNumbers = "7 Larkspur Lane", "+1 555 0100 771"
    ds.SliceThickness, ds.KVP, ds.DeviceSerialNumber = "1.5", "120", "SN998877"
    ds.ProtocolName, ds.ConvolutionKernel = "Thorax routine", "Br40d"
    ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.FrameOfReferenceUID = "1.2.3.4", "1.2.3.5", "1.2.3.6"
    ds.StudyID, ds.SeriesNumber, ds.InstanceNumber = "STUDY-5512", "3", "17"
    ds.ImagePositionPatient, ds.ImageOrientationPatient = [-120.5, -110, 33.25], [1, 0, 0, 0, 1, 0]
    ds.SamplesPerPixel, ds.PhotometricInterpretation = 1, "MONOCHROME2"
    ds.Rows, ds.Columns, ds.PixelSpacing = 2, 2, [0.5, 0.5]
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 16, 12, 11, 0
    reference = Dataset()
    reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = CT_IMAGE, "1.2.3.4.5.7"
    ds.ReferencedImageSequence = [reference]
    old = Dataset()
    old.PatientName, old.PatientID = "Brambleworth^Leopoldine^Old", "OLD-99120"
    original = Dataset()
    original.ModifiedAttributesSequence = [old]
    ds.OriginalAttributesSequence = [original]
    block = ds.private_block(0x0019, "ACME 1.0", create=True)
    block.add_new(0x01, "LO", "Brambleworth")
    return ds


def _write(dataset: Dataset, *, implicit: bool = False, pixels: bytes | None = None) -> bytes:
    ds = Dataset()
    ds.update(dataset)
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ImplicitVRLittleEndian if implicit else ExplicitVRLittleEndian
    ds.file_meta.MediaStorageSOPClassUID = UID(ds.get("SOPClassUID", CT_IMAGE))
    ds.file_meta.MediaStorageSOPInstanceUID = UID(ds.get("SOPInstanceUID", "1.2.3"))
    ds.file_meta.SourceApplicationEntityTitle = "QUILLCT07"
    ds.file_meta.ImplementationClassUID = UID("1.2.3.99")
    if pixels is not None:
        ds.add_new(0x7FE00010, "OW", pixels)
    out = io.BytesIO()
    dcmwrite(out, ds, enforce_file_format=True)
    return out.getvalue()


@pytest.fixture(scope="session")
def write() -> Write:
    """Dataset to Part 10 bytes."""
    return _write


@pytest.fixture(scope="session")
def clean(recipe: Recipe, key: SiteKey) -> Clean:
    """Clean a whole file."""
    default = recipe

    def run(data: bytes, *, recipe: Recipe | None = None, subject: str = "S-001") -> Cleaned:
        return clean_object(data, recipe=recipe or default, key=key, subject=subject, complete=True)

    return run


@pytest.fixture(scope="session")
def read() -> Callable[[bytes], Dataset]:
    """Part 10 bytes to a pydicom data set: the oracle."""
    from pydicom import dcmread

    def run(data: bytes) -> Dataset:
        return dcmread(io.BytesIO(data))

    return run
