"""One small CT picture of nobody, to try things with."""

import io
from typing import Final

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.filewriter import dcmwrite
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from collegium_wire import TEST_SIDE

NAME: Final = "Selftest^Invented"


def invented_object(patient_id: str = "SELFTEST-4711") -> bytes:
    """A small CT picture of nobody, under new UIDs; every pixel is 0."""
    item = Dataset()
    item.file_meta = FileMetaDataset()
    item.file_meta.MediaStorageSOPClassUID = item.SOPClassUID = CTImageStorage
    item.file_meta.MediaStorageSOPInstanceUID = item.SOPInstanceUID = generate_uid()
    item.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    item.PatientName, item.PatientID, item.Modality = NAME, patient_id, "CT"
    item.StudyInstanceUID, item.SeriesInstanceUID = generate_uid(), generate_uid()
    item.StudyDate, item.ImageType = "20200101", ["ORIGINAL", "PRIMARY", "AXIAL"]
    item.Rows = item.Columns = TEST_SIDE
    item.SamplesPerPixel, item.PhotometricInterpretation = 1, "MONOCHROME2"
    item.BitsAllocated, item.BitsStored, item.HighBit, item.PixelRepresentation = 16, 12, 11, 0
    item.PixelData = bytes(2 * TEST_SIDE * TEST_SIDE)
    file = io.BytesIO()
    dcmwrite(file, item, enforce_file_format=True)
    return file.getvalue()
