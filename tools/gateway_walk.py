"""Take an installed gateway through its first hour: enrol, start the service, send an exam, stop the service.

    gateway_walk.py --program PROGRAM --config CONFIG --start "COMMAND" --stop "COMMAND"

The server is pretended, on this machine, and its address is written into the configuration: this is for
machines that are thrown away, such as a build's. It ends with 1, and in words, at the first step that fails.
"""

import argparse
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from collegium_testkit import phantoms
from collegium_testkit.channels import channel
from collegium_testkit.fake_server import FakeServer

SLICES = 5
PATIENCE_S = 180.0
CALLERS = 'allowed_callers = [{ ae = "LOCAL", address = "127.0.0.1" }]'


def main() -> int:
    options = _parser().parse_args()
    with FakeServer([channel()]) as server, tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # the gateway's account reads the exam
        exam = phantoms.ct_exam(Path(folder) / "exam", slices=SLICES, size=64).folder
        _configure(options.config, server.url)
        for words in (["config", "check"], ["enrol", "--code", server.code]):
            _run(options, *words)
        subprocess.run(options.start, shell=True, check=True)
        _until(lambda: bool(server.heartbeats), "a heartbeat")
        _run(options, "send", str(exam))
        _until(lambda: len(server.receipted) == SLICES, f"{SLICES} receipted objects")
        _run(options, "status")
        began = time.monotonic()
        subprocess.run(options.stop, shell=True, check=True)
        print(f"{SLICES} objects were delivered; the service stopped in {time.monotonic() - began:.1f} s.")
    return 0


def _configure(config: Path, url: str) -> None:
    text = config.read_text("utf-8")
    text = re.sub(r'^url = ".*"$', f'url = "{url}"', text, count=1, flags=re.MULTILINE)
    text = re.sub(r"^allowed_callers = \[.*?^\]$", CALLERS, text, count=1, flags=re.MULTILINE | re.DOTALL)
    config.write_text(text, "utf-8")


def _run(options: argparse.Namespace, *words: str) -> None:
    subprocess.run([options.program, *words, "--config", str(options.config)], check=True)


def _until(condition: Callable[[], bool], what: str) -> None:
    ends = time.monotonic() + PATIENCE_S
    while not condition():
        if time.monotonic() > ends:
            sys.exit(f"Waited {PATIENCE_S:.0f} s for {what}.")
        time.sleep(0.2)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="The first hour of an installed gateway.")
    parser.add_argument("--program", required=True, help="the command that is installed")
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--start", required=True, help="what starts the service")
    parser.add_argument("--stop", required=True, help="what stops it, and returns when it has stopped")
    return parser


if __name__ == "__main__":
    sys.exit(main())
