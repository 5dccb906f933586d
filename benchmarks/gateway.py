"""Gateway to archive on loopback: a 300-slice CT pushed over C-STORE until the server's receipt.

Both ends are the real processes: the gateway de-identifies, seals and syncs each object before it
answers the PACS, waits out the quiet time, then delivers over HTTP; the server checks, encrypts, syncs
and writes its receipt. The quiet time (1 s, the shortest a channel may have) is part of the figure.

The peer is Orthanc (Debian's package, where it is installed) taking the same push. It answers when
the object is stored, neither de-identifies nor delivers; once as installed and once with
SyncStorageArea, which is its nearest to the promise that an answered object survives a power cut.

    python benchmarks/gateway.py [--slices 300] [--runs 3] [--associations 1]
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import tempfile
import time
import urllib.request
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fast_sender import Blob, load, push

from collegium_testkit import phantoms
from collegium_testkit.gateways import GatewayProcess
from collegium_testkit.installation import InstallationProcess, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from collegium_testkit.seed import Seeded

TARGET_MBPS = 200.0
OUT = Path(__file__).parent / "out" / "gateway.json"
QUIET_S = 1


@dataclass
class Ours:
    """One push: seconds until the PACS was answered for all, and until the receipt."""

    accepted_s: float
    receipted_s: float


def main() -> None:
    """Push to each in turn, print the table, write the file."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--slices", type=int, default=300)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--associations", type=int, default=1)
    parser.add_argument(
        "--keep-running", type=float, default=0.0, help="seconds to stay up first (profiling)"
    )
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="collegium-bench-"))
    folder.chmod(0o755)
    mine: list[Ours] = []
    theirs: list[float] = []
    synced: list[float] = []
    megabits = 0.0
    try:
        with ExitStack() as stack:
            server = InstallationProcess(folder / "server", more={"DEMO_QUIET_TIME_S": str(QUIET_S)})
            stack.callback(server.remove)
            stack.enter_context(server)
            seeded = server.seed()
            gateway = stack.enter_context(_gateway(folder / "hospital", server, seeded))
            plain = stack.enter_context(orthanc(folder / "orthanc", is_synced=False))
            careful = stack.enter_context(orthanc(folder / "orthanc-synced", is_synced=True))
            time.sleep(asked.keep_running)
            for number in range(asked.runs + 1):  # the first one warms all of them up
                blobs = exam(folder / "exam", asked.slices if number else 20, seed=number + 1)
                megabits = sum(len(blob.data) for blob in blobs) * 8 / 1e6
                one = deliver(gateway, seeded, blobs, asked.associations)
                mine += [one] if number else []
                for port, times in ((plain, theirs), (careful, synced)):
                    if port:
                        taken = push(blobs, port, "ORTHANC", "BENCH", associations=asked.associations)
                        times.extend([taken] if number else [])
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    report(mine, theirs, synced, megabits, asked.slices)


def exam(folder: Path, slices: int, seed: int) -> list[Blob]:
    """A fresh exam in memory."""
    blobs = load(phantoms.ct_exam(folder, slices=slices, seed=seed).files)
    shutil.rmtree(folder)
    return blobs


def deliver(gateway: GatewayProcess, seeded: Seeded, blobs: list[Blob], associations: int) -> Ours:
    """Push to the gateway and wait until every object has its receipt."""
    before = receipted(gateway)
    began = time.perf_counter()
    accepted_s = push(
        blobs, gateway.receive_port, seeded.called_ae, seeded.calling_ae, associations=associations
    )
    while receipted(gateway) < before + len(blobs):
        if time.perf_counter() - began > 180:
            raise SystemExit(f"No receipt came.\n{gateway.log_text[-3000:]}")
        time.sleep(0.02)
    return Ours(accepted_s, time.perf_counter() - began)


def receipted(gateway: GatewayProcess) -> int:
    """Objects of all receipts so far, as the gateway's log counts them."""
    lines = (json.loads(line) for line in gateway.log_text.splitlines() if "delivery.receipted" in line)
    return sum(line["objects"] for line in lines)


@contextmanager
def _gateway(folder: Path, server: InstallationProcess, seeded: Seeded) -> Iterator[GatewayProcess]:
    with GatewayProcess(folder, server.url, callers=((seeded.calling_ae, "127.0.0.1"),)) as made:
        made.enrol(server.url, seeded.gateway_code)
        made.start()
        yield made


def report(mine: list[Ours], theirs: list[float], synced: list[float], megabits: float, slices: int) -> None:
    """Print and write the medians."""
    size = f"{slices} slices of 512 x 512"
    accepted = megabits / statistics.median(one.accepted_s for one in mine)
    delivered = megabits / statistics.median(one.receipted_s for one in mine)
    peer = megabits / statistics.median(theirs) if theirs else None
    careful = megabits / statistics.median(synced) if synced else None
    rows = [
        row(f"push until the receipt, {size}, Mbps", delivered, peer, TARGET_MBPS),
        row(f"push until answered, {size}, Mbps", accepted, peer, None),
        row(f"push until answered, both with sync, {size}, Mbps", accepted, careful, None),
    ]
    if peer is None:
        rows = [one | {"reason": "Orthanc is not installed (Debian: orthanc)"} for one in rows]
    print(f"{'medians of ' + str(len(mine)):62} {'ours':>7} {'Orthanc':>8} {'ratio':>6}  target")
    for one in rows:
        there = f"{one['peer']:8.0f} {one['ratio']:5.2f}x" if one["peer"] else f"{'-':>8} {'-':>6}"
        target = f">= {one['target']:.0f} {'holds' if one['holds'] else 'FAILS'}" if one["target"] else "-"
        print(f"{one['metric']:62} {one['ours']:7.0f} {there}  {target}")
    OUT.parent.mkdir(exist_ok=True)
    OUT.write_text(json.dumps(rows, indent=1) + "\n", "utf-8")


def row(metric: str, ours: float, peer: float | None, target: float | None) -> dict[str, object]:
    """One line of the figures."""
    return {
        "metric": metric,
        "ours": round(ours, 1),
        "peer": round(peer, 1) if peer else None,
        "ratio": round(ours / peer, 2) if peer else None,
        "target": target,
        "holds": ours >= target if target else None,
    }


@contextmanager
def orthanc(folder: Path, *, is_synced: bool) -> Iterator[int]:
    """The port of a fresh Orthanc; 0 where it is not installed."""
    binary = shutil.which("Orthanc")
    if not binary:
        yield 0
        return
    folder.mkdir()
    dicom, http = free_port(), free_port()
    settings = {
        "StorageDirectory": str(folder),
        "IndexDirectory": str(folder),
        "DicomPort": dicom,
        "HttpPort": http,
        "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False,
        "DicomCheckCalledAet": False,
        "DicomAlwaysAllowStore": True,
        "StorageCompression": False,
        "SyncStorageArea": is_synced,
    }
    (folder / "orthanc.json").write_text(json.dumps(settings))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([binary, str(folder / "orthanc.json")], stdout=log, stderr=log)
    try:
        await_orthanc(http, process)
        yield dicom
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


def await_orthanc(port: int, process: subprocess.Popen[bytes]) -> None:
    """Until its pages answer."""
    ends = time.monotonic() + 30
    while time.monotonic() < ends and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/system", timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit("Orthanc did not start.")


if __name__ == "__main__":
    main()
