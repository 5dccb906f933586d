"""Write the manifest by which a workstation selects objects for export (IHE TCE, RAD TF-3 section 4.51).

A Key Object Selection Document (PS3.3 section A.35.4, PS3.16 TID 2010) with the notes of whoever made it, which
say who the patient is, as people's notes do.
"""

from collections.abc import Sequence as Items
from pathlib import Path
from typing import Final

from pydicom import dcmread
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from collegium_testkit.phantoms import ExamTruth, uid

KEY_OBJECTS: Final = "1.2.840.10008.5.1.4.1.1.88.59"
TITLES: Final = {
    "TCE001": "For Teaching File Export",
    "TCE002": "For Clinical Trial Export",
    "TCE007": "For Research Collection Export",
    "TCE011": "Delay export until final report is available",
}
"""Of the coding scheme IHERADTF."""


def export_manifest(
    path: Path,
    exams: Items[tuple[ExamTruth, Items[Path]]],
    *,
    title: str = "TCE002",
    scheme: str = "IHERADTF",
    delay: str = "",
) -> Path:
    """Name some files of each exam; the document itself belongs to the first exam.

    Args:
        path: where it is written.
        exams: each with those of its files that are named.
        title: code of the document's title.
        scheme: of the code.
        delay: code of a reason to wait.
    """
    first, named = exams[0][0], [(exam, _references(files)) for exam, files in exams]
    ds = Dataset()
    ds.SOPClassUID, ds.SOPInstanceUID = KEY_OBJECTS, uid("selection", path)
    ds.StudyInstanceUID, ds.SeriesInstanceUID = first.study_uid, uid("selections", path)
    ds.PatientName, ds.PatientID = first.patient.dicom_name, first.patient.patient_id
    ds.PatientBirthDate, ds.PatientSex = first.patient.birth_date, first.patient.sex
    ds.StudyDate = ds.ContentDate = first.study_date
    ds.StudyTime = ds.ContentTime = "101500"
    ds.AccessionNumber, ds.StudyID, ds.ReferringPhysicianName = first.patient.accession_number, "1", ""
    ds.Modality, ds.SeriesNumber, ds.InstanceNumber = "KO", "99", "1"
    ds.Manufacturer, ds.ReferencedPerformedProcedureStepSequence = "Invented Workstations", Sequence([])
    ds.ValueType, ds.ContinuityOfContent = "CONTAINER", "SEPARATE"
    ds.ConceptNameCodeSequence = _code(title, scheme, TITLES.get(title, "Of Interest"))
    ds.CurrentRequestedProcedureEvidenceSequence = Sequence(
        [_evidence(exam, references) for exam, references in named]
    )
    ds.ContentSequence = Sequence(
        [
            *([_delay(delay)] if delay else []),
            _note(f"{first.patient.family}, please take these for the trial."),
            *(_image(reference) for _, references in named for reference in references),
        ]
    )
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    path.parent.mkdir(parents=True, exist_ok=True)
    ds.save_as(path, enforce_file_format=True)
    return path


def _references(files: Items[Path]) -> list[Dataset]:
    heads = [dcmread(path, stop_before_pixels=True) for path in files]
    return [_reference(str(head.SOPClassUID), str(head.SOPInstanceUID)) for head in heads]


def _reference(sop_class: str, instance: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = sop_class, instance
    return item


def _evidence(exam: ExamTruth, references: Items[Dataset]) -> Dataset:
    series = Dataset()
    series.SeriesInstanceUID, series.ReferencedSOPSequence = exam.series_uid, Sequence(references)
    study = Dataset()
    study.StudyInstanceUID, study.ReferencedSeriesSequence = exam.study_uid, Sequence([series])
    return study


def _image(reference: Dataset) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType = "CONTAINS", "IMAGE"
    item.ReferencedSOPSequence = Sequence([reference])
    return item


def _note(text: str) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType = "CONTAINS", "TEXT"
    item.ConceptNameCodeSequence, item.TextValue = _code("113012", "DCM", "Key Object Description"), text
    return item


def _delay(code: str) -> Dataset:
    item = Dataset()
    item.RelationshipType, item.ValueType = "HAS CONCEPT MOD", "CODE"
    item.ConceptNameCodeSequence = _code("113011", "DCM", "Document Title Modifier")
    item.ConceptCodeSequence = _code(code, "IHERADTF", TITLES[code])
    return item


def _code(value: str, scheme: str, meaning: str) -> Sequence:
    item = Dataset()
    item.CodeValue, item.CodingSchemeDesignator, item.CodeMeaning = value, scheme, meaning
    return Sequence([item])
