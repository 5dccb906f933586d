"""Where cleaned files go: a folder, an archive, or a single file.

Archive and file are made in a folder beside them first, so that every run can be resumed and what
appears is whole.
"""

from __future__ import annotations

import shutil
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from collegium_deid.cli.sources import STATE_FOLDER
from collegium_deid.errors import DeidError

if TYPE_CHECKING:
    from pathlib import Path

# Archives have no earlier time; a fixed one keeps equal content equal.
_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)
_CHUNK: Final = 1024 * 1024


@dataclass(frozen=True)
class Destination:
    """`folder` receives the files; `target` is what the operator asked for."""

    target: Path
    folder: Path
    kind: str
    """`folder`, `zip` or `file`."""

    def finish(self) -> None:
        """Make the archive or file from the folder, and remove that; of nothing, nothing is made."""
        if self.kind == "folder":
            return
        outputs = list(self.folder.glob("*/*/*.dcm"))
        if self.kind == "zip" and outputs:
            part = self.folder / STATE_FOLDER / "archive"
            _pack(self.folder, part)
            part.replace(self.target)
        else:
            for output in outputs:
                output.replace(self.target)
        shutil.rmtree(self.folder)


def destination(target: Path, *, is_single: bool, is_folder: bool) -> Destination:
    """Decide by what the target is called and what the input is.

    Raises:
        DeidError: an archive or file of that name is there already; or a file where a folder must be.
    """
    if target.is_dir() or is_folder:
        return Destination(target, target, "folder")
    is_zip = target.suffix.lower() == ".zip"
    if not is_zip and not is_single:
        if target.exists():
            raise DeidError("deid.file", "The output must be a folder, or an archive with the ending .zip.")
        return Destination(target, target, "folder")
    if target.exists():
        raise DeidError("deid.file.exists", "The output exists already; nothing is overwritten.")
    return Destination(target, target.with_name(target.name + ".part"), "zip" if is_zip else "file")


def _pack(folder: Path, target: Path) -> None:
    """Every file of a folder but the state of the run, stored without compressing: pixels hardly shrink."""
    files = sorted(file for file in folder.rglob("*") if file.is_file() and STATE_FOLDER not in file.parts)
    with zipfile.ZipFile(target, "w") as archive:
        for file in files:
            info = zipfile.ZipInfo(file.relative_to(folder).as_posix(), _NO_TIME)
            info.external_attr = 0o644 << 16
            info.file_size = file.stat().st_size  # so that large members get large lengths
            with file.open("rb") as source, archive.open(info, "w") as member:
                shutil.copyfileobj(source, member, _CHUNK)
