"""`make test`: lint, types, import order, traceability, then every test on all cores.

Sets up what the tests need beyond Python packages: a Chromium, from the system, from
Playwright's own folder, or, as root on Debian, from apt. Without one it says so and the
browser tests are skipped.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from collegium_testkit.browser import chromium_path

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
TYPED = ("packages/wire", "packages/deid", "packages/connect", "packages/platform", "packages/testkit")
CHECKS = (
    ("Layout", [str(BIN / "ruff"), "format", "--check", "--quiet", "."]),
    ("Lint", [str(BIN / "ruff"), "check", "--quiet", "."]),
    *((f"Types of {folder}", [str(BIN / "mypy"), "--no-error-summary", folder]) for folder in TYPED),
    ("Types of the rest", [str(BIN / "mypy"), "--no-error-summary", "tests", "tools", "benchmarks"]),
    ("Import order", [str(BIN / "lint-imports"), "--no-logo", "--no-cache"]),
    ("Traceability", [sys.executable, "tools/trace.py", "--check"]),
    ("Drawn states", [sys.executable, "tools/draw_states.py", "--check"]),
)


def main() -> int:
    """Run the checks, then the tests; 0 when all is well."""
    os.chdir(ROOT)
    failed = [name for name, command in CHECKS if not _run(name, command)]
    if "--only-checks" not in sys.argv:
        _ensure_chromium()
        workers = str(os.cpu_count() or 2)
        pytest = [str(BIN / "pytest"), "-q", "-n", workers, "--dist", "loadgroup", "--durations=10"]
        # Playwright holds its thread's event loop, which Django's own tests must not meet: two runs.
        for name, chosen in (
            ("Tests", "not browser and not soak"),
            ("Browser tests", "browser and not soak"),
        ):
            failed += [] if _run(name, [*pytest, "-m", chosen]) else [name]
    print(f"Failed: {', '.join(failed)}" if failed else "All is well.")
    return 1 if failed else 0


def _run(name: str, command: list[str]) -> bool:
    began = time.monotonic()
    print(f"== {name}", flush=True)
    code = subprocess.run(command, check=False).returncode
    print(f"   {'ok' if code == 0 else 'FAILED'} after {time.monotonic() - began:.0f} s", flush=True)
    return code == 0


def _ensure_chromium() -> None:
    if chromium_path():
        return
    if os.geteuid() == 0 and Path("/etc/debian_version").exists():
        print("== Installing Chromium from Debian", flush=True)
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=False, env=quiet)
        subprocess.run(
            ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"],
            check=False, env=quiet, stdout=subprocess.DEVNULL,
        )  # fmt: skip
    else:
        subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)
    if not chromium_path():
        print("No Chromium found: the browser tests will be skipped.", flush=True)


if __name__ == "__main__":
    sys.exit(main())
