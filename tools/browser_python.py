"""The Python that runs in the browser: our de-identifier, what it needs of its libraries, and the page's bridge.

One zip beside the built front end, named after its content. Every module in it is compiled, by the very Python
that will run it (Pyodide, under Node): compiling them anew at each start would cost the page a second.

Of pydicom only the tables and the single modules go in. Its package faces, which would load the whole library
with all decoders, are empty: the de-identifier reads tables, never data sets.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

REPOSITORY = Path(__file__).resolve().parent.parent
DEID = REPOSITORY / "packages" / "deid" / "collegium_deid"
BRIDGE = REPOSITORY / "viewer" / "deid"
COMPILER = REPOSITORY / "viewer" / "bundling" / "compile-python.mjs"
PYODIDE = REPOSITORY / "viewer" / "node_modules" / "pyodide" / "package.json"
NOT_IN_BROWSERS = {"cli", "pixels", "files.py", "__pycache__"}
NAME = "python.zip"
# A zip of the same content has the same bytes whenever it is made.
_MOMENT = (2026, 1, 1, 0, 0, 0)


def put(built: Path, cache: Path, run_node: Callable[..., None]) -> None:
    """Put the zip into the built front end and its name into `assets.json`; compiles only what is new.

    Args:
        built: the folder of the built front end.
        cache: where compiled zips are kept.
        run_node: runs Node with a title and arguments.
    """
    source = packed()
    digest = hashlib.sha256(source + COMPILER.read_bytes() + PYODIDE.read_bytes()).hexdigest()[:8]
    name = f"python-{digest}.zip"
    compiled = cache / name
    if not compiled.is_file():
        cache.mkdir(exist_ok=True)
        (cache / NAME).write_bytes(source)
        run_node("compile Python for the browser", [COMPILER, cache / NAME, compiled])
    if not (built / name).is_file():
        for old in built.glob("python-????????.zip"):
            old.unlink()
        (built / name).write_bytes(compiled.read_bytes())
    listing = built / "assets.json"
    assets = json.loads(listing.read_text("utf-8"))
    if assets.get(NAME) != name:
        listing.write_text(json.dumps(dict(sorted({**assets, NAME: name}.items())), indent=1) + "\n", "utf-8")


def packed() -> bytes:
    """The sources, as one zip."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(_files()):
            archive.writestr(zipfile.ZipInfo(name, _MOMENT), data, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _files() -> Iterator[tuple[str, bytes]]:
    for path in DEID.rglob("*"):
        inside = path.relative_to(DEID)
        if path.is_file() and NOT_IN_BROWSERS.isdisjoint(inside.parts):
            yield f"collegium_deid/{inside.as_posix()}", path.read_bytes()
    for path in BRIDGE.glob("*.py"):
        yield path.name, path.read_bytes()
    yaml = _home("ruamel.yaml")
    for path in yaml.glob("*.py"):
        yield f"ruamel/yaml/{path.name}", path.read_bytes()
    pydicom = _home("pydicom")
    for path in pydicom.glob("*.py"):
        yield f"pydicom/{path.name}", b"" if path.name == "__init__.py" else path.read_bytes()
    for path in (pydicom / "pixel_data_handlers").glob("*.py"):
        yield f"pydicom/pixel_data_handlers/{path.name}", b""


def _home(package: str) -> Path:
    found = importlib.util.find_spec(package)
    if found is None or found.origin is None:
        raise SystemExit(f"{package} is not installed; run `make setup`.")
    return Path(found.origin).parent
