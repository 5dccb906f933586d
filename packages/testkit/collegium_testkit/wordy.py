"""Objects without a picture: a report, a key object selection, a PDF in its wrapper, a waveform; all invented."""

from pathlib import Path
from typing import Final

from pydicom import Dataset, dcmread
from pydicom.sequence import Sequence
from pydicom.uid import (
    UID,
    BasicTextSRStorage,
    EncapsulatedPDFStorage,
    KeyObjectSelectionDocumentStorage,
    TwelveLeadECGWaveformStorage,
)

WORDS: Final = "Seen with Petra Placeholder, nothing new."
_OF_PICTURES: Final = (0x0028, 0x7FE0)


def report(path: Path) -> Path:
    """Make a file of a picture a text report that names somebody."""
    return _rewritten(path, BasicTextSRStorage, "SR", _tree(WORDS))


def key_objects(path: Path) -> Path:
    return _rewritten(path, KeyObjectSelectionDocumentStorage, "KO", _tree(WORDS))


def document(path: Path) -> Path:
    """A PDF, as far as a header tells."""
    content = Dataset()
    content.MIMETypeOfEncapsulatedDocument = "application/pdf"
    content.EncapsulatedDocument = b"%PDF-1.4 Petra Placeholder "
    return _rewritten(path, EncapsulatedPDFStorage, "DOC", content)


def waveform(path: Path) -> Path:
    content = Dataset()
    content.AcquisitionDateTime = "20240102030405"
    return _rewritten(path, TwelveLeadECGWaveformStorage, "ECG", content)


def _tree(words: str) -> Dataset:
    name = Dataset()
    name.CodeValue, name.CodingSchemeDesignator, name.CodeMeaning = "121071", "DCM", "Finding"
    item = Dataset()
    item.RelationshipType, item.ValueType, item.TextValue = "CONTAINS", "TEXT", words
    item.ConceptNameCodeSequence = Sequence([name])
    tree = Dataset()
    tree.ValueType, tree.ContinuityOfContent = "CONTAINER", "SEPARATE"
    tree.ConceptNameCodeSequence = Sequence([name])
    tree.ContentSequence = Sequence([item])
    return tree


def _rewritten(path: Path, kind: UID, modality: str, content: Dataset) -> Path:
    dataset = dcmread(path)
    for element in list(dataset):
        if element.tag.group in _OF_PICTURES:
            del dataset[element.tag]
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = kind
    dataset.Modality = modality
    dataset.update(content)
    dataset.save_as(path, enforce_file_format=True)
    return path
