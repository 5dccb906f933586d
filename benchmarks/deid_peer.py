"""Run one Python peer over a folder, in the peers' own environment; prints seconds a file as JSON.

    python deid_peer.py NAME IN OUT

Each peer runs with the profile it ships. Reading, changing and writing are timed, importing is not;
the first file is done once before the clock starts.
"""

from __future__ import annotations

import hmac
import json
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from pydicom import dcmread

One = Callable[[Path, Path], None]

_EMPTIED = {
    "PatientID", "PatientBirthDate", "AccessionNumber", "StudyID", "InstitutionName", "InstitutionAddress",
    "StationName", "PatientAddress", "PatientTelephoneNumbers", "DeviceSerialNumber", "PatientComments",
    "AdditionalPatientHistory", "StudyComments",
}  # fmt: skip


def pydicom_walk() -> One:
    """What a careful script does: read all, walk; new UIDs, moved dates, no names, ids, private data; write."""

    def new_uid(old: str) -> str:
        if old.startswith("1.2.840.10008."):
            return old
        return f"2.25.{int.from_bytes(hmac.digest(bytes(32), old.encode(), 'sha256')[:16])}"

    def moved(day: str) -> str:
        return (date.fromisoformat(day) - timedelta(days=400)).strftime("%Y%m%d") if len(day) == 8 else ""

    def change(dataset: Any, element: Any) -> None:  # Any: this file also runs where nothing is typed
        if element.tag.is_private:
            del dataset[element.tag]
        elif element.keyword in _EMPTIED or element.VR == "PN":
            element.value = ""
        elif element.VR == "UI" and isinstance(element.value, str):
            element.value = new_uid(element.value)
        elif element.VR == "DA":
            element.value = moved(element.value)

    def one(source: Path, target: Path) -> None:
        dataset = dcmread(source)
        dataset.walk(change)
        dataset.file_meta.MediaStorageSOPInstanceUID = dataset.SOPInstanceUID
        dataset.save_as(target)

    return one


def dicognito() -> One:
    """Its anonymizer with a fixed seed."""
    from dicognito.anonymizer import Anonymizer  # type: ignore[import-not-found] # in the peers' environment only

    anonymizer = Anonymizer(seed="bench")

    def one(source: Path, target: Path) -> None:
        dataset = dcmread(source)
        anonymizer.anonymize(dataset)
        dataset.save_as(target)

    return one


def dicom_anonymizer() -> One:
    """Its rules of the basic profile; private elements deleted."""
    from dicomanonymizer import anonymize_dataset  # type: ignore[import-not-found] # in the peers' environment only

    def one(source: Path, target: Path) -> None:
        dataset = dcmread(source)
        anonymize_dataset(dataset)
        dataset.save_as(target)

    return one


def deid() -> One:
    """Its default recipe; private elements removed."""
    from deid.dicom import get_identifiers, replace_identifiers  # type: ignore[import-not-found] # in the peers' environment only

    def one(source: Path, target: Path) -> None:
        found = get_identifiers([str(source)])
        (dataset,) = replace_identifiers(
            dicom_files=[str(source)], ids=found, save=False, remove_private=True
        )
        dataset.save_as(target)

    return one


def deid_pixels() -> One:
    """Its pixel cleaner: fills the regions its recipes know for a device; it does not look for text."""
    from deid.dicom import DicomCleaner

    def one(source: Path, target: Path) -> None:
        cleaner = DicomCleaner(output_folder=str(target.parent))
        cleaner.detect(str(source))
        cleaner.clean()
        written = cleaner.save_dicom()
        Path(written).replace(target)

    return one


PEERS: dict[str, Callable[[], One]] = {
    "pydicom": pydicom_walk,
    "dicognito": dicognito,
    "dicom-anonymizer": dicom_anonymizer,
    "deid": deid,
    "deid-pixels": deid_pixels,
}


def main() -> None:
    """Time the peer over the folder; a file it cannot do is counted and left out."""
    name, source, target = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    one, files = PEERS[name](), sorted(source.iterdir())
    failed, reason = 0, ""
    try:
        one(files[0], target / "warm")
    except Exception as error:  # noqa: BLE001 - a peer may fail in its own way; it is counted below
        reason = type(error).__name__
    (target / "warm").unlink(missing_ok=True)
    began = time.perf_counter()
    for file in files:
        try:
            one(file, target / file.name)
        except Exception as error:  # noqa: BLE001 - as above
            failed, reason = failed + 1, type(error).__name__
    seconds = (time.perf_counter() - began) / len(files)
    print(json.dumps({"seconds": seconds, "failed": failed, "reason": reason}))


if __name__ == "__main__":
    main()
