"""From C-STORE to the receipt: gateway, TLS, server, database and sender all on this machine.

The clock runs from the first byte of the first exam to the receipt of the last, the channel's quiet
time (1 s, the shortest there is) included. The headroom is against 500 CT exams of 300 slices a day.
"""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import connect_ours
from connect_ours import await_receipts, receipted, resident_mb
from connect_rows import Row, row
from fast_sender import push

from collegium_testkit import certificates
from collegium_testkit.gateways import GatewayProcess
from collegium_testkit.installation import InstallationProcess, free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connect_load import Load

    from collegium_testkit.seed import Seeded

EXAMS: Final = 4
NEEDED_A_SECOND: Final = 500 * 300 / 86_400
QUIET_S: Final = 1


def rows(folder: Path, load: Load, rounds: int) -> list[Row]:
    """With the look at pixels only where the header gives a reason, and with the shipped recipe as it is."""
    found = _delivered(folder / "doubtful", load, rounds, "doubtful", EXAMS)
    return found + _delivered(folder / "all", load, max(1, rounds // 2), "all", 1)


def _delivered(folder: Path, load: Load, rounds: int, look: str, exams: int) -> list[Row]:
    folder.mkdir(mode=0o755)
    rates: list[float] = []
    memory: list[float] = []
    with ExitStack() as stack:
        gateway, seeded = stack.enter_context(_gateway(folder, look))
        for number in range(rounds + 1):  # the first one warms all of it up
            blobs = [blob for _ in range(exams) for blob in load.fresh(None if number else 16)]
            before, began = receipted(gateway), time.perf_counter()
            push(blobs, gateway.receive_port, seeded.called_ae, seeded.calling_ae, associations=4)
            await_receipts(gateway, before + len(blobs))
            seconds = time.perf_counter() - began
            rates.extend([len(blobs) / seconds] if number else [])
            memory.append(resident_mb(gateway.pid))
    megabits = 8 * load.megabytes / load.objects
    name = f"C-STORE to receipt over TLS, look: {look}"
    return [
        row(name, "Mbps", [rate * megabits for rate in rates], least=600 if look == "doubtful" else 0),
        row(f"{name}, of what 500 CT a day need", "x", [rate / NEEDED_A_SECOND for rate in rates], least=20),
        row(f"{name}, memory grown after the first exams", "MB", [memory[-1] - memory[min(1, rounds - 1)]]),
    ]


@contextmanager
def _gateway(folder: Path, look: str) -> Iterator[tuple[GatewayProcess, Seeded]]:
    with ExitStack() as stack:
        more = {"DEMO_QUIET_TIME_S": str(QUIET_S), "DEMO_LOOK": look}
        server = InstallationProcess(folder / "server", more=more)
        stack.callback(server.remove)
        stack.enter_context(server)
        seeded = server.seed()
        url, pem = stack.enter_context(_tls(folder / "tls", server.port))
        made = GatewayProcess(
            folder / "hospital", url, callers=((seeded.calling_ae, "127.0.0.1"),), ca_file=pem
        )
        gateway = stack.enter_context(made)
        gateway.enrol(url, seeded.gateway_code)
        gateway.start()
        yield gateway, seeded


@contextmanager
def _tls(folder: Path, backend: int) -> Iterator[tuple[str, Path]]:
    pem, _ = certificates.own_authority(folder)
    port = free_port()
    front = Path(connect_ours.__file__).with_name("tls_front.py")
    command = [sys.executable, str(front), str(port), str(backend), str(pem), str(pem.with_suffix(".key"))]
    process = subprocess.Popen(command)
    try:
        yield f"https://127.0.0.1:{port}", pem
    finally:
        process.kill()
        process.wait()
