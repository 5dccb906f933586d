"""The journal of a run: what is done already, so that a killed run goes on where it stopped.

One line of JSON for each finished file, in the output folder. Free of identifiers, because output
folders are sent: files and patients appear as keyed hashes only.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Final, Self

from collegium_deid.cli.lock import lock
from collegium_deid.cli.sources import STATE_FOLDER
from collegium_deid.errors import DeidError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

    from collegium_deid.cli.sources import Source
    from collegium_deid.keys import SiteKey

_FORMAT: Final = 1
_SETTINGS: Final = {
    "engine": "another version of this program",
    "recipe": "another recipe",
    "key": "another key",
    "subject": "another subject code",
    "masks": "other masks",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One finished file. Nothing here identifies anybody."""

    id: str
    """Keyed hash of the input's place, size and times of change."""
    who: str
    """Keyed hash of the local id."""
    subject: str
    output: str
    size: int
    study: str
    series: str
    counts: dict[str, int]
    seconds: float
    pixels: str
    look_at: bool
    """A kind of picture that a person must see before it leaves, says the recipe."""
    areas: list[dict[str, int | str]] = field(default_factory=list)
    """Redacted areas, as the pixel step reports them."""


_FIELDS: Final = tuple(one.name for one in fields(Entry))


def source_id(key: SiteKey, source: Source) -> str:
    """The id of an input in journal and quarantine: says nothing without the key."""
    path = source.path.absolute().as_posix()
    what = f"file\0{path}\0{source.name}\0{source.size}\0{source.stamp}"
    return key.uid_bytes(what.encode("utf-8", "surrogateescape")).decode()[5:]


def patient_id(key: SiteKey, local_id: str) -> str:
    """The same for a local id."""
    return key.uid_bytes(b"patient\0" + local_id.encode()).decode()[5:]


class Journal:
    """Opened for one run at a time; `add` what is finished.

    Raises:
        DeidError: the folder holds the output of a run with other settings, or another run works here.
    """

    def __init__(self, folder: Path, settings: dict[str, str], *, fsync: bool = False) -> None:
        self.folder = folder / STATE_FOLDER
        self.folder.mkdir(parents=True, exist_ok=True)
        self._fsync = fsync
        self._file = (self.folder / "journal.jsonl").open("a+b")
        try:
            lock(self._file)
            self.entries = self._read(folder, {"format": str(_FORMAT)} | settings)
        except BaseException:
            self._file.close()
            raise

    def _read(self, folder: Path, settings: dict[str, str]) -> dict[str, Entry]:
        """Finished files whose outputs are still there; a line that was cut is as good as none."""
        self._file.seek(0)
        lines = [line for line in self._file.read().split(b"\n") if line]
        if not lines:
            self._write(settings)
            return {}
        rows: list[Any] = []  # Any: JSON
        for line in lines:
            try:
                rows.append(json.loads(line))
            except ValueError:
                continue
        if not rows or rows[0] != settings:
            raise DeidError(
                "deid.run.other",
                f"The output folder holds a run with {_differing(rows, settings)}. Choose a new folder.",
            )
        # A cut last line must not swallow the next one.
        self._file.seek(0, os.SEEK_END)
        self._file.write(b"\n")
        entries = [Entry(**row) for row in rows[1:]]
        return {entry.id: entry for entry in entries if _is_there(folder / entry.output, entry.size)}

    def add(self, entry: Entry) -> None:
        self.entries[entry.id] = entry
        self._write({name: getattr(entry, name) for name in _FIELDS})

    def _write(self, row: dict[str, Any]) -> None:  # Any: JSON
        self._file.write(json.dumps(row, separators=(",", ":")).encode() + b"\n")
        self._file.flush()
        if self._fsync:
            os.fsync(self._file.fileno())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._file.close()


def _differing(rows: list[Any], settings: dict[str, str]) -> str:  # Any: JSON
    """What is not as the first line of a journal says, in words of the command line."""
    before = rows[0] if rows and isinstance(rows[0], dict) else {}
    other = [words for name, words in _SETTINGS.items() if before.get(name) != settings.get(name)]
    return " and ".join(other) or "other settings"


def _is_there(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except OSError:
        return False
