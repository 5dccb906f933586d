"""Each wheel works alone in an empty environment, and brings nothing that it must not."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UV = shutil.which("uv") or str(ROOT / ".tools" / "bin" / "uv")
NEEDS = {
    "wire": ("wire",),
    "deid": ("deid",),
    "connect": ("wire", "deid", "connect"),
    "platform": ("wire", "deid", "platform"),
}
WORKS = {
    "wire": "import collegium_wire",
    "deid": "import collegium_deid, collegium_deid.cli; collegium_deid.load_recipe('trial')",
    "connect": "import collegium_connect.cli, collegium_connect.service",
    "platform": "import collegium.cli; from collegium.kit.postgres import EmbeddedPostgres",
}
MUST_BE_ABSENT = {
    "wire": ("pydicom", "django", "httpx", "cryptography"),
    "deid": ("django", "httpx", "pydantic", "starlette", "numpy", "cryptography", "collegium_wire"),
    "connect": ("django", "psycopg", "procrastinate", "collegium"),
    "platform": ("collegium_connect", "collegium_testkit", "pynetdicom", "pytest"),
}


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("wheels")
    built = {}
    for name in NEEDS:
        run(UV, "build", "--quiet", "--wheel", "--out-dir", str(folder / name), f"packages/{name}")
        built[name] = next((folder / name).glob("*.whl"))
    return built


@pytest.mark.parametrize("name", NEEDS)
def test_a_wheel_works_alone(wheels: dict[str, Path], name: str, tmp_path: Path) -> None:
    python = str(tmp_path / "env" / "bin" / "python")
    run(UV, "venv", "--quiet", "--python", sys.executable, str(tmp_path / "env"))
    run(UV, "pip", "install", "--quiet", "--python", python, *(str(wheels[need]) for need in NEEDS[name]))

    run(python, "-c", WORKS[name])

    for module in MUST_BE_ABSENT[name]:
        found = run(python, "-c", f"import importlib.util as u; print(u.find_spec({module!r}))")
        assert found.strip() == "None", f"{module} came with {name}"


def test_the_server_brings_its_pages(wheels: dict[str, Path]) -> None:
    listing = run(sys.executable, "-m", "zipfile", "-l", str(wheels["platform"]))

    assert "collegium/web/templates/web/home.html" in listing
    assert "collegium/web/static/built/shell-" in listing
