"""Keep copies of what was refused, for a person to look at. They are originals: patient data in clear.

Named by keyed hashes, with a list of where each came from and why; folder and files are their owner's
only.
"""

from __future__ import annotations

import csv
import io
import os
import shutil
from typing import TYPE_CHECKING, Final

from collegium_deid.errors import DeidError

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

    from collegium_deid.cli.cleaner import Job

_LIST: Final = "refused.csv"
_COLUMNS: Final = ("file", "source", "code", "reason")
_Row = tuple[str, str, str, str]


class Quarantine:
    """A folder of refused originals."""

    def __init__(self, folder: Path) -> None:
        """Make it, or take one that nobody else can read.

        Raises:
            DeidError: it cannot be made, or holds something others can read.
        """
        self._folder = folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not any(folder.iterdir()):
                folder.chmod(0o700)
            elif os.name == "posix" and folder.stat().st_mode & 0o077:
                raise DeidError(
                    "deid.quarantine", "Others can read the quarantine folder. Choose a new or empty one."
                )
        except OSError as error:
            raise DeidError("deid.quarantine", "The quarantine folder cannot be made.") from error
        self._listed = self._read()

    def keep(self, job: Job, code: str, reason: str) -> None:
        """Copy one refused input; a copy that fails is listed without a file."""
        name = f"{job.id}.dcm"
        try:
            with job.source.open() as file, _private(self._folder / name) as copy:
                shutil.copyfileobj(file, copy)
        except (OSError, DeidError):
            name = ""
        self._list((name, str(job.source), code, reason))

    def _list(self, row: _Row) -> None:
        """Add a line at once, so that a run that is killed leaves no copy unexplained; none twice."""
        if row in self._listed:
            return
        text = io.StringIO(newline="")
        csv.writer(text).writerows([row] if self._listed else [_COLUMNS, row])
        self._listed.add(row)
        with _private(self._folder / _LIST, os.O_APPEND) as file:
            file.write(text.getvalue().encode("utf-8", "surrogateescape"))

    def _read(self) -> set[_Row]:
        """What earlier runs have listed here."""
        try:
            text = (self._folder / _LIST).read_text("utf-8", "surrogateescape")
        except FileNotFoundError:
            return set()
        except OSError as error:
            raise DeidError("deid.quarantine", "The list of the quarantine cannot be read.") from error
        rows = csv.reader(io.StringIO(text, newline=""))
        return {(row[0], row[1], row[2], row[3]) for row in rows if len(row) == len(_COLUMNS)}


def _private(path: Path, mode: int = os.O_TRUNC) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | mode, 0o600), "wb")
