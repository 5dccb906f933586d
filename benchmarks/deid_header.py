"""De-identify the header of a CT: ours beside pydicom and DCMTK's dcmodify.

Like for like where it can be: pydicom reads, walks and writes the same header; dcmodify changes a list
of tags in copies of the files, one process for the batch (copying included). Ours is measured as the
gateway runs it (cleaning alone, cleaning with both halves of the verification) and file to file.
Alternating rounds, medians. Writes benchmarks/out/deid_header.json.
"""

import io
import json
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from pydicom import dcmread
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.filewriter import dcmwrite

from collegium_deid import SiteKey, clean_object, identifiers_of, load_recipe, verify_against
from collegium_deid.files import Task, apply_to_file
from collegium_testkit.phantoms import ct_exam

SLICES = 60
ROUNDS = 7
TARGET_MS = 0.3
OUT = Path(__file__).parent / "out" / "deid_header.json"

_TAGS = ("PatientName", "PatientID", "PatientBirthDate", "AccessionNumber", "StudyID", "InstitutionName")


def milliseconds(work: Callable[[], None]) -> float:
    """Time of one slice in one run over all."""
    began = time.perf_counter()
    work()
    return (time.perf_counter() - began) * 1000 / SLICES


def change(dataset: Dataset, element: DataElement) -> None:
    """What a pydicom script does: touch names, ids and dates."""
    if element.keyword in _TAGS or element.VR == "PN":
        element.value = ""
    elif element.tag.is_private:
        del dataset[element.tag]


def main() -> None:
    """Measure, print the table, write the file."""
    recipe, key = load_recipe("trial"), SiteKey(bytes(32))
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        files = exam(root / "in")
        heads = [file.read_bytes()[: 256 * 1024] for file in files]
        task = Task(recipe, key, "S-001")

        def ours() -> None:
            for head in heads:
                clean_object(head, recipe=recipe, key=key, subject="S-001")

        def ours_verified() -> None:
            for head in heads:
                verify_against(
                    identifiers_of(head), clean_object(head, recipe=recipe, key=key, subject="S-001").head
                )

        def ours_files() -> None:
            for number, file in enumerate(files):
                apply_to_file(task, file, root / "ours" / f"{number}.dcm", into_folder=False)

        def pydicom() -> None:
            for head in heads:
                dataset = dcmread(io.BytesIO(head), stop_before_pixels=True)
                dataset.walk(change)
                dcmwrite(io.BytesIO(), dataset)

        def dcmodify() -> None:
            copies = [shutil.copy(file, root / "peer" / file.name) for file in files]
            edits = [part for tag in _TAGS for part in ("-ma", f"{tag}=X")]
            command = ["dcmodify", "-nb", "-q", "-imt", "-gin", "-ep", *edits, *copies]
            subprocess.run(command, check=True, capture_output=True, timeout=120)

        times = measure(
            root,
            {"ours": ours, "verified": ours_verified, "files": ours_files, "pydicom": pydicom}
            | ({"dcmodify": dcmodify} if shutil.which("dcmodify") else {}),
        )
    report(times)


def exam(folder: Path) -> list[Path]:
    """A phantom exam with planted identifiers."""
    folder.mkdir(parents=True, exist_ok=True)
    return list(ct_exam(folder, slices=SLICES).files)


def measure(root: Path, works: dict[str, Callable[[], None]]) -> dict[str, float]:
    """Median over alternating rounds; the first round warms up."""
    times: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS + 1):
        for name, work in works.items():
            for part in ("ours", "peer"):
                shutil.rmtree(root / part, ignore_errors=True)
                (root / part).mkdir()
            times[name].append(milliseconds(work))
    return {name: statistics.median(values[1:]) for name, values in times.items()}


def report(times: dict[str, float]) -> None:
    """One line a comparison, on the screen and in the file."""
    rows = [
        row("header, ms: clean, beside pydicom read-walk-write", times["ours"], times["pydicom"], TARGET_MS),
        row("header, ms: clean and verify, beside pydicom", times["verified"], times["pydicom"], 1.0),
    ]
    if "dcmodify" in times:
        rows.append(
            row(
                "file to file, ms: clean, verify, write, beside copy and dcmodify",
                times["files"],
                times["dcmodify"],
                3.0,
            )
        )
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(rows, indent=2) + "\n")
    for line in rows:
        print(line)


def row(metric: str, ours: float, peer: float, target: float) -> dict[str, object]:
    """`ratio`: how many times faster than the peer; `holds`: ours is within the target."""
    return {
        "metric": metric,
        "ours": round(ours, 3),
        "peer": round(peer, 3),
        "ratio": round(peer / ours, 2),
        "target": target,
        "holds": ours <= target,
    }


if __name__ == "__main__":
    main()
