"""`make demo`: the whole of Collegium on this machine, with invented people and sample exams.

Starts the server and a hospital's gateway, pushes phantom exams to the gateway as a PACS
does, and says where to sign in. Ctrl-C stops all of it; the data stay for the next start.
"""

from __future__ import annotations

import argparse
import contextlib
import shutil
import signal
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from collegium_testkit import pacs, phantoms
from collegium_testkit.gateways import GatewayProcess
from collegium_testkit.installation import InstallationProcess
from collegium_testkit.seed import CALLING_AE

if TYPE_CHECKING:
    from types import FrameType

    from collegium_testkit.seed import Seeded

FOLDER = Path(__file__).resolve().parents[3] / "demo-data"
PORT = 8420


class _Stopped(Exception):
    """Ctrl-C or a signal to end."""


def main() -> None:
    """Start everything, send what was asked for, wait for Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reset", action="store_true", help="start from an empty state")
    parser.add_argument("--dicom", type=Path, help="also send this folder of DICOM files")
    parser.add_argument("--port", type=int, default=PORT)
    asked = parser.parse_args()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _stop)
    server = InstallationProcess(FOLDER / "server", port=asked.port)
    if asked.reset:
        _tell("Removing the data of earlier demos")
        server.remove()
        shutil.rmtree(FOLDER, ignore_errors=True)
    gateway: GatewayProcess | None = None
    try:
        _tell("Starting the server (the first time makes a database)")
        server.start()
        is_new = not (FOLDER / "server" / "seed.json").exists()
        seeded = server.seed()
        gateway = _start_gateway(server, seeded)
        if is_new:
            _send_phantoms(gateway, seeded)
        if asked.dicom:
            _send(gateway, seeded, asked.dicom)
        _say_where(server, gateway, seeded)
        while server.is_running():
            time.sleep(0.5)
    except _Stopped:
        _tell("Stopping; the data stay in demo-data (make demo-reset starts afresh)")
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with contextlib.ExitStack() as everything:
            everything.callback(server.stop)
            if gateway and gateway.is_running:
                everything.callback(gateway.stop)


def _start_gateway(server: InstallationProcess, seeded: Seeded) -> GatewayProcess:
    _tell("Starting a hospital's gateway")
    gateway = GatewayProcess(
        FOLDER / "gateway", server.url, callers=((CALLING_AE, "127.0.0.1"),), listen=(11112, 8104)
    )
    enrolled = FOLDER / "gateway" / "enrolled"
    if not enrolled.exists():
        gateway.enrol(server.url, seeded.gateway_code)
        enrolled.touch()
    gateway.start()
    return gateway


def _send_phantoms(gateway: GatewayProcess, seeded: Seeded) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for seed in (1, 2, 3):
            _tell(f"Sending sample exam {seed} of 3 to the gateway, as a PACS does")
            made = Path(folder) / str(seed)
            phantoms.ct_exam(made, slices=24, seed=seed)
            _send(gateway, seeded, made)


def _send(gateway: GatewayProcess, seeded: Seeded, folder: Path) -> None:
    sent = pacs.send(folder, "127.0.0.1", gateway.receive_port, seeded.called_ae, CALLING_AE)
    stored = sum(one.stored for one in sent)
    _tell(f"{stored} of {len(sent)} images accepted by the gateway")


def _say_where(server: InstallationProcess, gateway: GatewayProcess, seeded: Seeded) -> None:
    print(
        f"""
  Collegium is running:      {server.url}
  The gateway's own page:    http://127.0.0.1:{gateway.local_port}
  Send DICOM to:             {seeded.called_ae} at 127.0.0.1:{gateway.receive_port}, calling as {CALLING_AE}

  Sign in as                 with the password "{seeded.password}"
    {seeded.reader:24} a reader: has tasks under Tasks
    {seeded.administrator:24} the project's administrator
    {seeded.viewer:24} a viewer: may look, not act

  All people and exams are invented. An exam appears some seconds after its last image.
  Ctrl-C stops everything and keeps the data.
""",
        flush=True,
    )


def _stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  signal's signature
    raise _Stopped


def _tell(line: str) -> None:
    print(f"== {line}", flush=True)


if __name__ == "__main__":
    main()
