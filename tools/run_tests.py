"""`make test`: lint, types, import order, traceability, and beside them every test on all cores.

Sets up what the tests need beyond Python packages: a Chromium, from the system, from
Playwright's own folder, or, as root on Debian, from apt. Without one it says so and the
browser tests are skipped.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from collegium_testkit import prepared
from collegium_testkit.browser import chromium_path

if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future
    from typing import IO

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
TYPED = ("packages/wire", "packages/deid", "packages/connect", "packages/platform", "packages/testkit")
TYPES = (
    *((f"Types of {folder}", [str(BIN / "mypy"), "--no-error-summary", folder]) for folder in TYPED),
    (
        "Types of the rest",
        [str(BIN / "mypy"), "--no-error-summary", "tests", "tools", "benchmarks", "viewer/deid"],
    ),
)
"""One after the other: they share a cache."""
OTHERS = (
    ("Layout", [str(BIN / "ruff"), "format", "--check", "--quiet", "."]),
    ("Lint", [str(BIN / "ruff"), "check", "--quiet", "."]),
    ("Import order", [str(BIN / "lint-imports"), "--no-logo", "--no-cache"]),
    ("Traceability", [sys.executable, "tools/trace.py", "--check"]),
    ("Drawn states", [sys.executable, "tools/draw_states.py", "--check"]),
)
BROWSER_TESTS = "tests"
"""The only folder where they may lie: the packages' own tests would start a database that nobody asks."""
BEGAN = time.monotonic()


def main() -> int:
    """Run the checks and the tests at the same time; 0 when all is well."""
    os.chdir(ROOT)
    with ThreadPoolExecutor() as lanes:
        checks = [lanes.submit(_checked, lane) for lane in (TYPES, OTHERS)]
        failed = [] if "--only-checks" in sys.argv else _tested(lanes.submit(_ensure_chromium))
        failed += [name for lane in checks for name in lane.result()]
    print(f"Failed: {', '.join(failed)}" if failed else "All is well.")
    return 1 if failed else 0


def _tested(chromium: Future[None]) -> list[str]:
    """Run the tests; the names of the runs that failed.

    Playwright holds its thread's event loop, which Django's own tests must not meet: two runs, at the same time. Who
    drives a server or a browser waits for it much of the time: more workers than cores.
    """
    cores = os.cpu_count() or 2
    with prepared.kept(), tempfile.TemporaryFile("w+") as told:
        tests = _run(cores + 2, ["-m", "not browser and not soak"])
        chromium.result()
        in_browser = _run(max(2, cores // 2), ["-m", "browser and not soak", BROWSER_TESTS], told)
        failed = [_ended("Tests", tests), _ended("Browser tests", in_browser, told)]
    return [name for name in failed if name]


def _checked(checks: Sequence[tuple[str, list[str]]]) -> list[str]:
    """Run checks behind the tests, telling of each when it is done; the names of those that failed."""
    failed = []
    for name, command in checks:
        began = time.monotonic()
        done = subprocess.run(
            ["nice", "-n", "5", *command],
            check=False,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        verdict = "FAILED" if done.returncode else "ok"
        print(f"== {name}\n{done.stdout}   {verdict} after {time.monotonic() - began:.0f} s", flush=True)
        failed += [name] if done.returncode else []
    return failed


def _run(workers: int, chosen: Sequence[str], told: IO[str] | None = None) -> subprocess.Popen[bytes]:
    """Start one run; what it says goes to `told`, or is seen at once."""
    pytest = [str(BIN / "pytest"), "-q", "-n", str(workers), "--dist", "loadgroup", "--durations=25"]
    return subprocess.Popen([*pytest, *chosen], stdout=told, stderr=subprocess.STDOUT if told else None)


def _ended(name: str, run: subprocess.Popen[bytes], told: IO[str] | None = None) -> str:
    """Wait for a run and tell of it; its name if it failed."""
    code = run.wait()
    if told:
        told.seek(0)
    seconds = time.monotonic() - BEGAN
    print(
        f"== {name}\n{told.read() if told else ''}   {'FAILED' if code else 'ok'} at {seconds:.0f} s",
        flush=True,
    )
    return name if code else ""


def _ensure_chromium() -> None:
    if chromium_path():
        return
    if os.geteuid() == 0 and Path("/etc/debian_version").exists():
        print("== Installing Chromium from Debian", flush=True)
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=False, env=quiet)
        install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends"]
        for package in ("chromium-headless-shell", "chromium"):
            command = [*install, package]
            if subprocess.run(command, check=False, env=quiet, stdout=subprocess.DEVNULL).returncode == 0:
                break
    else:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    if not chromium_path():
        print("No Chromium found: the browser tests will be skipped.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
