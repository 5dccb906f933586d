"""Secondary captures: a kind of picture that waits for a person, because people and devices write on it."""

from pathlib import Path

from pydicom import dcmread
from pydicom.uid import SecondaryCaptureImageStorage

from collegium_testkit import phantoms


def captures(folder: Path, count: int = 1, *, size: int = 64, seed: int = 1) -> list[Path]:
    """So many of one exam, made of the phantom CT of that seed."""
    return [as_capture(path) for path in phantoms.ct_exam(folder, slices=count, size=size, seed=seed).files]


def as_capture(path: Path) -> Path:
    """Make one of the image in a file."""
    dataset = dcmread(path)
    dataset.SOPClassUID = dataset.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    dataset.Modality = "OT"
    dataset.save_as(path, enforce_file_format=True)
    return path
