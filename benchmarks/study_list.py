"""The study list: QIDO-RS at 1,000 exams over HTTP, one client, beside Orthanc with its DICOMweb plugin.

Ours is the whole server as `collegium up` starts it: session, permission and row security decide on
every request. Orthanc (Debian's package, where it is installed) answers without any of these.

    python benchmarks/study_list.py [--exams 1000] [--requests 300]
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx

from collegium_testkit.installation import InstallationProcess, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

TARGET_MS = 5.0
LIMIT = 25
OUT = Path(__file__).parent / "out" / "study_list.json"
QUERIES = {
    "newest 25": {"limit": str(LIMIT)},
    "one subject": {"PatientID": "S-0500"},
    "subjects by prefix, 25": {"PatientID": "S-05*", "limit": str(LIMIT)},
    "a month, 25": {"StudyDate": "20260201-20260228", "limit": str(LIMIT)},
}


def main() -> None:
    """Fill both, ask in turn, print the table, write the file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--exams", type=int, default=1_000)
    parser.add_argument("--requests", type=int, default=300)
    parser.add_argument("--fill", metavar="SPACE", default="", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.fill:
        fill(asked.fill, asked.exams)
        return
    folder = Path(tempfile.mkdtemp(prefix="collegium-bench-"))
    folder.chmod(0o755)
    server = InstallationProcess(folder / "data")
    try:
        with server, orthanc(folder / "orthanc", asked.exams) as (peer_url, why_not):
            space_id = server.seed().space_id
            cookie = subprocess.run(
                [sys.executable, __file__, "--fill", space_id, "--exams", str(asked.exams)],
                env=server.environment,
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            ).stdout.strip()
            ours = f"{server.url}/dicom-web/spaces/{space_id}/studies"
            rows = [
                measure(name, query, (ours, cookie), peer_url, asked.requests)
                for name, query in QUERIES.items()
            ]
    finally:
        server.remove()
        shutil.rmtree(folder, ignore_errors=True)
    for row in rows:
        if why_not:
            row["reason"] = why_not
    show(rows, asked.exams)
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")


def measure(
    name: str, query: dict[str, str], ours: tuple[str, str], peer_url: str, requests: int
) -> dict[str, object]:
    """Medians of one query, ours and the peer's in turn."""
    url, cookie = ours
    mine: list[float] = []
    theirs: list[float] = []
    with httpx.Client(headers={"Accept": "application/dicom+json"}, timeout=30) as client:
        for number in range(requests + 10):
            taken = timed(client, url, query, cookie)
            if number >= 10:  # the first ones warm both up
                mine.append(taken)
            if peer_url and number < 40:  # a peer that takes 100 ms need not be asked 300 times
                taken = timed(client, f"{peer_url}/dicom-web/studies", query, "")
                theirs += [taken] if number >= 10 else []
    median = statistics.median(mine)
    peer = statistics.median(theirs) if theirs else None
    return {
        "metric": f"QIDO-RS, {name}, p50 ms",
        "ours": round(median, 3),
        "ours_p95": round(statistics.quantiles(mine, n=20)[-1], 3),
        "peer": round(peer, 3) if peer else None,
        "ratio": round(peer / median, 1) if peer else None,
        "target": TARGET_MS,
        "holds": median <= TARGET_MS,
    }


def timed(client: httpx.Client, url: str, query: dict[str, str], cookie: str) -> float:
    """Milliseconds of one answered search."""
    began = time.perf_counter()
    answer = client.get(url, params=query, headers={"Cookie": cookie} if cookie else {})
    taken = (time.perf_counter() - began) * 1000
    assert answer.status_code == 200, answer.text
    # Orthanc 1.10 applies the limit before the wildcard and may answer with nothing.
    assert answer.json() or not cookie, "an empty list is quick for everyone"
    return taken


def show(rows: list[dict[str, object]], exams: int) -> None:
    print(f"{f'{exams} exams':38} {'ours':>8} {'p95':>8} {'Orthanc':>8} {'ratio':>6}  target")
    for row in rows:
        peer = "-" if row["peer"] is None else f"{row['peer']:8.1f}"
        ratio = "-" if row["ratio"] is None else f"{row['ratio']:.0f}x"
        verdict = "holds" if row["holds"] else "FAILS"
        print(
            f"{row['metric']:38} {row['ours']:8.2f} {row['ours_p95']:8.2f} {peer:>8} {ratio:>6}"
            f"  <= {row['target']:.0f} {verdict}"
        )


def subject(number: int) -> str:
    return f"S-{number:04d}"


def study_date(number: int) -> str:
    return f"2026{number % 12 + 1:02d}{number % 28 + 1:02d}"


def fill(space_id: str, exams: int) -> None:
    """Runs inside the installation: rows as a delivery writes them, and a session; prints its cookie."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "collegium.settings.django")
    import django

    django.setup()
    from uuid import UUID

    from collegium.imaging.archive import services
    from collegium.imaging.archive.services import NewInstance, StoredBlob
    from collegium.kit.database import acting_as
    from collegium.kit.ids import uuid7
    from collegium.trust.access.queries import actor_in
    from collegium.trust.identity.queries import account_by_email
    from collegium_testkit.delivering import cookie_of
    from collegium_testkit.world import Person

    account = account_by_email("admin@demo.example")
    assert account
    for begin in range(0, exams, 100):
        with acting_as(account.principal, [space_id]):
            actor = actor_in(account.principal, UUID(space_id))
            for number in range(begin, min(begin + 100, exams)):
                blob = StoredBlob(uuid7(), "0" * 64, 1)
                services.add_blobs(actor=actor, blobs=[blob])
                exam, is_new = services.lock_exam(
                    actor=actor, study_uid=f"2.25.{number + 1}", subject_code=subject(number), channel_id=None
                )
                document = {
                    "00080018": {"vr": "UI", "Value": [f"2.25.1{number:06d}"]},
                    "00080020": {"vr": "DA", "Value": [study_date(number)]},
                    "00080060": {"vr": "CS", "Value": ["CT"]},
                    "00081030": {"vr": "LO", "Value": ["CT chest with contrast"]},
                }
                one = NewInstance(
                    f"2.25.1{number:06d}", "1.2.3", "1.2.3", f"2.25.2{number:06d}", blob.id, document, b""
                )
                services.add_instances(actor=actor, exam=exam, is_new=is_new, instances=[one])
    print(cookie_of(Person(account.principal, account.email, ""))["Cookie"])


@contextmanager
def orthanc(folder: Path, exams: int) -> Iterator[tuple[str, str]]:
    """Orthanc with as many studies of one small instance each; ("", reason) where it cannot be had."""
    binary = shutil.which("Orthanc")
    if not binary:
        yield "", "Orthanc is not installed (Debian: orthanc, orthanc-dicomweb)"
        return
    folder.mkdir()
    port = free_port()
    (folder / "orthanc.json").write_text(
        json.dumps(
            {
                "StorageDirectory": str(folder),
                "IndexDirectory": str(folder),
                "HttpPort": port,
                "DicomPort": free_port(),
                "RemoteAccessAllowed": False,
                "AuthenticationEnabled": False,
                "Plugins": ["/usr/share/orthanc/plugins/libOrthancDicomWeb.so"],
                "DicomWeb": {"Enable": True},
                "StorageCompression": False,
                "SyncStorageArea": False,
            }
        )
    )
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([binary, str(folder / "orthanc.json")], stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        fill_orthanc(url, exams, process)
        yield url, ""
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


def fill_orthanc(url: str, exams: int, process: subprocess.Popen[bytes]) -> None:
    """The same studies as ours, each with one instance of 4 x 4 pixels."""
    import io

    import pydicom

    from collegium_testkit import phantoms

    with tempfile.TemporaryDirectory() as folder, httpx.Client(timeout=30) as client:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and process.poll() is None:
            try:
                client.get(f"{url}/system")
                break
            except httpx.HTTPError:
                time.sleep(0.2)
        dataset = pydicom.dcmread(phantoms.ct_exam(Path(folder), slices=1, size=64).files[0])
        dataset.Rows = dataset.Columns = 4
        dataset.PixelData = bytes(32)
        dataset.StudyDescription = "CT chest with contrast"
        for number in range(exams):
            dataset.PatientID = dataset.PatientName = subject(number)
            dataset.StudyInstanceUID = f"2.25.{number + 1}"
            dataset.SeriesInstanceUID = f"2.25.2{number:06d}"
            dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.UID(
                f"2.25.1{number:06d}"
            )
            dataset.StudyDate = study_date(number)
            out = io.BytesIO()
            dataset.save_as(out)
            client.post(f"{url}/instances", content=out.getvalue()).raise_for_status()


if __name__ == "__main__":
    main()
