"""Orthanc as a peer: store a folder, then ask it to anonymise each object and write what it answers."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_START_S: Final = 30


def program() -> str | None:
    """Debian puts it where servers are, which is not on everybody's path."""
    return shutil.which("Orthanc", path="/usr/sbin:/usr/bin:/usr/local/bin")


def seconds_a_file(source: Path, target: Path) -> float:
    """Anonymise every object of `source` over HTTP, one after the other; storing them is not timed."""
    files = sorted(source.iterdir())
    with _server(target.with_name("orthanc")) as address:
        names = [str(json.loads(_post(f"{address}/instances", file.read_bytes()))["ID"]) for file in files]
        _post(f"{address}/instances/{names[0]}/anonymize", b"{}")
        began = time.perf_counter()
        for file, name in zip(files, names, strict=True):
            (target / file.name).write_bytes(_post(f"{address}/instances/{name}/anonymize", b"{}"))
        return (time.perf_counter() - began) / len(files)


@contextmanager
def _server(folder: Path) -> Iterator[str]:
    """An Orthanc with an empty store on a free port of this machine, until the block ends."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "HttpPort": port, "DicomServerEnabled": False, "RemoteAccessAllowed": False, "AuthenticationEnabled": False,
        "StorageDirectory": str(folder), "IndexDirectory": str(folder), "SyncStorageArea": False,
    }  # fmt: skip
    (folder / "settings.json").write_text(json.dumps(settings))
    command = [program() or "Orthanc", str(folder / "settings.json")]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            _wait(f"{address}/system")
            yield address
        finally:
            process.terminate()


def _wait(url: str) -> None:
    until = time.monotonic() + _START_S
    while True:
        try:
            urllib.request.urlopen(url, timeout=2).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)
        else:
            return


def _post(url: str, body: bytes) -> bytes:
    with urllib.request.urlopen(urllib.request.Request(url, body, method="POST"), timeout=60) as answer:
        return bytes(answer.read())
