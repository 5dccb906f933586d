"""The wheel alone, without the extra, in an empty environment: what a stranger installs."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from pydicom import dcmread

from collegium_testkit.patience import PATIENCE_S
from collegium_testkit.phantoms import ct_exam

ROOT = Path(__file__).resolve().parents[3]
UV = shutil.which("uv") or str(ROOT / ".tools" / "bin" / "uv")


def run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, timeout=PATIENCE_S)
    if "--offline" in command and done.returncode:
        pytest.skip("uv has no cache of the packages that are needed")
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@pytest.mark.skipif(not shutil.which(UV), reason="uv is not installed")
def test_a_stranger_can_install_the_wheel_and_clean_an_exam(tmp_path: Path) -> None:
    env = tmp_path / "env" / "bin"
    run(UV, "build", "--offline", "--quiet", "--wheel", "--out-dir", str(tmp_path), "packages/deid")
    run(UV, "venv", "--offline", "--quiet", "--python", sys.executable, str(env.parent))
    wheel = str(next(tmp_path.glob("*.whl")))
    run(UV, "pip", "install", "--offline", "--quiet", "--python", str(env / "python"), wheel)
    ct_exam(tmp_path / "in", slices=2, size=64)
    command = str(env / "collegium-deid")

    helped, shown = run(command, "--help"), run(command, "recipe", "show", "trial")
    key = ("--new-key", str(tmp_path / "site.key"))
    where = ("--subject", "S-001", str(tmp_path / "in"), str(tmp_path / "out"))
    headers = ("--recipe", "strict")  # the trial recipe looks at pictures, which needs the extra
    run(command, "apply", *headers, *key, *where)
    run(command, "verify", *headers, str(tmp_path / "out"))

    assert "inventory" in helped
    assert "trial" in shown
    assert [dcmread(file).PatientID for file in (tmp_path / "out").rglob("*.dcm")] == ["S-001", "S-001"]
    assert find(env, "numpy") == "None\n"


def find(env: Path, module: str) -> str:
    return run(str(env / "python"), "-c", f"import importlib.util as u; print(u.find_spec({module!r}))")
