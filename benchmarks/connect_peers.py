"""The C-STORE servers that the gateway is measured beside, as they are installed from Debian and PyPI.

Orthanc as its package comes (SyncStorageArea on, so an answered object is on the disk) and with that
switched off; DCMTK's storescp, which syncs and indexes nothing; pynetdicom as its documentation shows
it (`event.dataset`, `save_as`). Run as a script, this module is the pynetdicom server.
"""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from collegium_testkit.installation import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pynetdicom.events import Event


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
    with _running([binary, str(folder / "orthanc.json")], folder / "log") as process:
        _await(lambda: _answers(f"http://127.0.0.1:{http}/system"), process)
        yield dicom


@contextmanager
def storescp(folder: Path) -> Iterator[int]:
    """The port of DCMTK's storescp with a process an association; 0 where it is not installed."""
    binary = shutil.which("storescp")
    if not binary:
        yield 0
        return
    folder.mkdir()
    port = free_port()
    command = [binary, "--fork", "-od", str(folder), "+xa", str(port)]
    with _running(command, folder.with_suffix(".log")) as process:
        _await(lambda: _listens(port), process)
        yield port


@contextmanager
def pynetdicom(folder: Path) -> Iterator[int]:
    """The port of a pynetdicom server written as its documentation shows."""
    folder.mkdir()
    port = free_port()
    command = [sys.executable, __file__, str(port), str(folder)]
    with _running(command, folder.with_suffix(".log")) as process:
        _await(lambda: _listens(port), process)
        yield port


@contextmanager
def _running(command: list[str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(5)


def _await(is_up: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + 30
    while time.monotonic() < ends and process.poll() is None:
        if is_up():
            return
        time.sleep(0.1)
    raise SystemExit(f"{process.args!r} did not start.")


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except OSError:
        return False


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _serve(port: int, folder: Path) -> None:
    from pynetdicom import AE, StoragePresentationContexts, evt

    def keep(event: Event) -> int:
        dataset = event.dataset
        dataset.file_meta = event.file_meta
        dataset.save_as(folder / f"{dataset.SOPInstanceUID}.dcm", enforce_file_format=True)
        return 0

    served = AE()
    served.supported_contexts = StoragePresentationContexts
    served.start_server(("127.0.0.1", port), evt_handlers=[(evt.EVT_C_STORE, keep)])


if __name__ == "__main__":
    _serve(int(sys.argv[1]), Path(sys.argv[2]))
