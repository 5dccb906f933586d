"""Put the gateway and its Python into one folder, try it, and pack it: dist/gateway/.

What goes in is what uv.lock says, installed into an environment of its own; PyInstaller collects it. With
it go what installs it (`install/`) and the guide (`docs/`), so that a release is one file. The archive
holds plain files only, as the updater asks. Runs on Linux and Windows; each builds for itself.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from collegium_connect.updates.repository import archive_name, system_name
from collegium_connect.updates.version import Version

ROOT = Path(__file__).resolve().parent.parent
WORK, OUT = ROOT / "dist" / "gateway-work", ROOT / "dist" / "gateway"
NAME = "collegium-connect"
ENTRY = ROOT / "packages" / "connect" / "collegium_connect" / "cli" / "__main__.py"
# Found by name at run time, so that PyInstaller cannot see them.
COLLECTED = [
    "--copy-metadata=collegium-connect", "--copy-metadata=collegium-deid",
    "--collect-submodules=collegium_connect", "--collect-submodules=collegium_deid",
    "--collect-data=collegium_connect", "--collect-data=collegium_deid",
    "--collect-data=rapidocr_onnxruntime", "--hidden-import=rapidocr_onnxruntime",
    "--collect-submodules=pydicom", "--collect-submodules=pynetdicom",
]  # fmt: skip
# imagecodecs loads each codec when it is called for; these are all that collegium_deid.pixels calls.
CODECS = ("_htj2k", "_imcd", "_jpeg2k", "_jpeg8", "_jpegls", "_ljpeg", "_shared", "_shared_cython")
# Nothing of ours asks for them; something else would bring them along. rapidocr_onnxruntime is here for its
# models only: what its code imports (PIL, shapely, pyclipper, yaml) is not.
LEFT_OUT = ("tkinter", "matplotlib", "pytest", "setuptools", "PIL", "shapely", "pyclipper", "tqdm", "gdcm")


def main() -> int:
    python = _environment()
    _collect(python)
    _bring_licences(python)
    _bring_guide()
    _try()
    archive = _pack()
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    archive.with_name(f"{archive.name}.sha256").write_text(f"{digest}  {archive.name}\n", "utf-8")
    print(f"{OUT / NAME} ({_size_mb(OUT / NAME)} MB), {archive} ({archive.stat().st_size >> 20} MB)")
    return 0


def _environment() -> Path:
    """An environment with the gateway, PyInstaller, and nothing else."""
    uv = shutil.which("uv") or str(ROOT / ".tools" / "bin" / "uv")
    folder = WORK / "env"
    _run(
        uv, "sync", "--project", str(ROOT), "--frozen", "--quiet", "--no-editable", "--no-default-groups",
        "--package", NAME, "--group", "build", "--reinstall-package", NAME, "--reinstall-package", "collegium-deid",
        "--reinstall-package", "collegium-wire", "--python", sys.executable,
        variables={"UV_PROJECT_ENVIRONMENT": str(folder)},
    )  # fmt: skip
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def _collect(python: Path) -> None:
    _run(
        str(python), "-m", "PyInstaller", "--noconfirm", "--clean", "--onedir", "--console", f"--name={NAME}",
        f"--distpath={OUT}", f"--workpath={WORK / 'work'}", f"--specpath={WORK}", "--log-level=WARN",
        *COLLECTED, *(f"--hidden-import=imagecodecs.{name}" for name in CODECS),
        *(f"--exclude-module={name}" for name in LEFT_OUT), str(ENTRY),
    )  # fmt: skip


def _bring_licences(python: Path) -> None:
    """The licence of every package that went in, as its authors wrote it."""
    for path in sorted(python.parents[1].rglob("*.dist-info/**/*")):
        if path.is_file() and path.name.upper().startswith(("LICEN", "COPYING", "NOTICE")):
            package = next(part for part in path.parts if part.endswith(".dist-info")).removesuffix(
                ".dist-info"
            )
            target = OUT / NAME / "licences" / package / path.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    shutil.copyfile(ROOT / "LICENSE", OUT / NAME / "licences" / "LICENSE")


def _bring_guide() -> None:
    """What installs the program, and what a person reads about it."""
    shutil.copytree(ROOT / "deploy" / "gateway", OUT / NAME / "install")
    shutil.copytree(ROOT / "docs" / "operate" / "connect", OUT / NAME / "docs")


def _try() -> None:
    """The self-test of the program as it was built, away from every Python of this machine."""
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "connect.toml"
        data = (Path(folder) / "data").as_posix()
        config.write_text(
            f'[gateway]\nname = "Build"\ndata_dir = "{data}"\n[server]\nurl = "https://collegium.example.org"\n',
            encoding="utf-8",
        )
        program = OUT / NAME / (f"{NAME}.exe" if os.name == "nt" else NAME)
        _run(str(program), "self-test", "--config", str(config), "--expect", str(Version.here()))


def _pack() -> Path:
    archive = OUT / archive_name(Version.here(), system_name())
    with tarfile.open(archive, "w:gz", compresslevel=6, dereference=True) as packed:
        for path in sorted((OUT / NAME).iterdir()):
            packed.add(path, path.name)
    return archive


def _size_mb(folder: Path) -> int:
    return (
        sum(path.stat().st_size for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
        >> 20
    )


def _run(*command: str, variables: dict[str, str] | None = None) -> None:
    subprocess.run(command, check=True, env={**os.environ, **(variables or {})})


if __name__ == "__main__":
    sys.exit(main())
