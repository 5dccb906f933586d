"""The peers this machine has or can install, and how to run each over a folder.

The Python ones get an environment of their own below benchmarks/.peers, from the package index; where
that cannot be made they are named and left out. The others are taken when their Debian package is there.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import deid_orthanc

if TYPE_CHECKING:
    from collections.abc import Callable

HERE = Path(__file__).parent
VENV = HERE / ".peers"
PACKAGES = ("dicognito", "deid", "dicom-anonymizer")

_TAGS = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientAddress", "PatientTelephoneNumbers", "AccessionNumber",
    "StudyID", "InstitutionName", "InstitutionAddress", "ReferringPhysicianName", "OperatorsName",
    "PerformingPhysicianName", "StationName", "DeviceSerialNumber",
)  # fmt: skip

DOES = {
    "dcmodify": "copies, then empties 14 tags, new UIDs (not the same for the same), private data off; no dates, no "
    "nested text",
    "pydicom": "a script: reads all, walks; new UIDs, moved dates, no names, ids or private data; writes",
    "dicognito": "replaces names, ids, dates, UIDs it knows; keeps descriptions and private data",
    "dicom-anonymizer": "the basic profile's table at the top, deletes private data",
    "deid": "its default recipe; removes private data",
    "gdcmanon": "the basic profile with encryption of what it replaces",
    "Orthanc": "anonymises one stored object a request over HTTP, basic profile",
}


@dataclass(frozen=True)
class Run:
    """What a peer did with a folder."""

    seconds: float
    """A file."""
    failed: int


def install() -> bool:
    """Make the peers' environment once; says so and returns False when that is not possible."""
    python = VENV / "bin" / "python"
    probe = "import dicognito, deid, dicomanonymizer"
    if (
        python.exists()
        and subprocess.run([python, "-c", probe], capture_output=True, check=False).returncode == 0
    ):
        return True
    try:
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True, capture_output=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES]
        subprocess.run(pip, check=True, capture_output=True, timeout=300)
    except (OSError, subprocess.SubprocessError):
        print(f"left out, cannot be installed here: {', '.join(PACKAGES)}")
        return False
    return True


def available() -> list[str]:
    """Names of the peers that can run; the others are named on the screen."""
    names = ["pydicom", *(PACKAGES if install() else ())]
    tools = {name: shutil.which(name) for name in ("dcmodify", "gdcmanon")} | {
        "Orthanc": deid_orthanc.program()
    }
    for name, tool in tools.items():
        if tool:
            names.append(name)
        else:
            print(f"left out, not installed: {name}")
    return names


def run(name: str, source: Path, target: Path) -> Run:
    """Let a peer de-identify every file of `source` into `target`, which is emptied first."""
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    if name == "dcmodify":
        return _timed(source, lambda: _dcmodify(source, target))
    if name == "gdcmanon":
        return _timed(source, lambda: _gdcmanon(source, target))
    if name == "Orthanc":
        return Run(deid_orthanc.seconds_a_file(source, target), 0)
    python = sys.executable if name == "pydicom" else VENV / "bin" / "python"
    # -P: one of the peers has the name of a file in this folder.
    done = subprocess.run(
        [python, "-P", HERE / "deid_peer.py", name, source, target],
        check=True,
        capture_output=True,
        text=True,
        timeout=900,
    )
    said = json.loads(done.stdout.splitlines()[-1])
    if said["failed"]:
        print(f"{name}: {said['failed']} files failed ({said['reason']})")
    return Run(said["seconds"], said["failed"])


def _timed(source: Path, work: Callable[[], None]) -> Run:
    began = time.perf_counter()
    work()
    return Run((time.perf_counter() - began) / len(list(source.iterdir())), 0)


def _dcmodify(source: Path, target: Path) -> None:
    copies = [shutil.copy(file, target / file.name) for file in sorted(source.iterdir())]
    edits = [part for tag in _TAGS for part in ("-ma", f"{tag}=X" if "Date" not in tag else f"{tag}=")]
    command = ["dcmodify", "-nb", "-q", "-imt", "-ie", "-gst", "-gse", "-gin", "-ep", *edits, *copies]
    subprocess.run(command, check=False, capture_output=True, timeout=300)


def _gdcmanon(source: Path, target: Path) -> None:
    certificate, key = target.with_name("peer.pem"), target.with_name("peer.key")
    if not certificate.exists():
        make = ["openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-subj", "/CN=bench"]
        subprocess.run([*make, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    subprocess.run(
        ["gdcmanon", "-e", "-c", certificate, "-i", source, "-o", target],
        check=False,
        capture_output=True,
        timeout=300,
    )
