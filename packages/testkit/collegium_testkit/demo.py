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
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from collegium_testkit import pacs, people, phantoms
from collegium_testkit.gateways import GatewayProcess
from collegium_testkit.installation import InstallationProcess
from collegium_testkit.seed import CALLING_AE

if TYPE_CHECKING:
    from types import FrameType

    from collegium_testkit.seed import Seeded

FOLDER = Path(__file__).resolve().parents[3] / "demo-data"
PORT = 8420
TRIAL = (
    (("20260105", (40.0, 26.0)), ("20260302", (24.0, 16.0))),
    (("20260112", (36.0, 20.0)),),
    (("20260119", (52.0, 30.0)),),
    (("20260126", (28.0, 22.0)),),
)
"""By subject, its exams: date, and the diameters of the lesion in mm."""


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
    gateways: list[GatewayProcess] = []
    try:
        _tell("Starting the server (the first time makes a database)")
        server.start()
        is_new = not (FOLDER / "server" / "seed.json").exists()
        seeded = server.seed()
        gateway = _start_gateway(server, "gateway", seeded.gateway_code, (11112, 8104))
        gateways.append(gateway)
        second = _start_gateway(server, "gateway-research", seeded.trial.gateway_code, (11113, 8105))
        gateways.append(second)
        if is_new:
            _send_phantoms(gateway, seeded)
            _send_trial(server, second, seeded)
        if asked.dicom:
            _send(gateway, seeded, asked.dicom)
        _say_where(server, gateway, second, seeded)
        while server.is_running():
            time.sleep(0.5)
    except _Stopped:
        _tell("Stopping; the data stay in demo-data (make demo-reset starts afresh)")
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        with contextlib.ExitStack() as everything:
            everything.callback(server.stop)
            for one in gateways:
                if one.is_running:
                    everything.callback(one.stop)


def _start_gateway(
    server: InstallationProcess, name: str, code: str, listen: tuple[int, int]
) -> GatewayProcess:
    _tell("Starting a hospital's gateway")
    gateway = GatewayProcess(FOLDER / name, server.url, callers=((CALLING_AE, "127.0.0.1"),), listen=listen)
    enrolled = FOLDER / name / "enrolled"
    if not enrolled.exists():
        gateway.enrol(server.url, code)
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


def _send_trial(server: InstallationProcess, gateway: GatewayProcess, seeded: Seeded) -> None:
    """Four subjects, the first with a follow-up in which the lesion has shrunk; then its people work a little."""
    _tell("Sending the trial's exams, and letting its invented people work on the first ones")
    lesions = []
    with tempfile.TemporaryDirectory() as folder:
        for number, visits in enumerate(TRIAL):
            shown = []
            for visit, (study_date, lesion_mm) in enumerate(visits):
                exam = phantoms.ct_exam(
                    Path(folder) / f"{number}-{visit}", slices=15, size=256, seed=100 + 10 * number + visit,
                    patient=people.patient(100 + number), study_date=study_date, lesion_mm=lesion_mm,
                )  # fmt: skip
                assert exam.lesion
                shown.append(asdict(exam.lesion))
                pacs.send(exam.folder, "127.0.0.1", gateway.receive_port, seeded.trial.called_ae, CALLING_AE)
            lesions.append(shown)
        _tell(server.play(seeded.trial.space_id, lesions) or "The trial's readers have something to do")


def _send(gateway: GatewayProcess, seeded: Seeded, folder: Path) -> None:
    sent = pacs.send(folder, "127.0.0.1", gateway.receive_port, seeded.called_ae, CALLING_AE)
    stored = sum(one.stored for one in sent)
    _tell(f"{stored} of {len(sent)} images accepted by the gateway")


def _say_where(
    server: InstallationProcess, gateway: GatewayProcess, second: GatewayProcess, seeded: Seeded
) -> None:
    print(
        f"""
  Collegium is running:      {server.url}
  The gateway's own page:    http://127.0.0.1:{gateway.local_port}
  Send DICOM to:             {seeded.called_ae} at 127.0.0.1:{gateway.receive_port}, calling as {CALLING_AE}
                             {seeded.trial.called_ae} at 127.0.0.1:{second.receive_port} for "{seeded.trial.project}"

  Sign in as                 with the password "{seeded.password}"
    {seeded.administrator:26} administrator of both projects
    {seeded.reader:26} reader of "{seeded.project}": has tasks under Tasks
    {seeded.viewer:26} viewer: may look, not act
  and in "{seeded.trial.project}", a trial of two blinded readers and an adjudicator, as
    {seeded.trial.people["site"]:26} site user: says whether subjects are eligible
    {seeded.trial.people["qc"]:26} the site's data manager: checks the images
    {seeded.trial.people["reader1"]:26} first reader      {seeded.trial.people["reader2"]} is the second
    {seeded.trial.people["adjudicator"]:26} adjudicator: two readers differ
    {seeded.trial.people["sponsor"]:26} sponsor: sees progress, no results

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
