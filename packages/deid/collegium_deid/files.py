"""Clean files and folders: the engine over a disk, for the command line and for tests.

One bad file never stops the rest. Output names are made from the new UIDs, never from the old names;
a file appears whole or not at all. Memory: the header of one file, and 1 MiB of its pixels.
"""

from __future__ import annotations

import contextlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from collegium_deid.engine.clean import Cleaned, clean_object
from collegium_deid.engine.elements import parse_file
from collegium_deid.engine.passage import PixelPassage
from collegium_deid.errors import DeidError, NeedMoreBytes
from collegium_deid.verify.against import verify_against
from collegium_deid.verify.identifiers import identifiers_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from collegium_deid.keys import SiteKey
    from collegium_deid.rules.recipe import Recipe

_FIRST_READ: Final = 64 * 1024
_CHUNK: Final = 1024 * 1024


@dataclass(frozen=True)
class FileResult:
    """What became of one input file: an output, or the reason why not."""

    source: Path
    output: Path | None
    code: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Task:
    """Recipe, key and subject for a run."""

    recipe: Recipe
    key: SiteKey
    subject: str


def inputs(path: Path) -> Iterator[Path]:
    """The file itself, or every file below a folder in a steady order; links are not followed."""
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders.sort()
        for name in sorted(names):
            yield path.__class__(folder) / name


def apply_to_all(task: Task, source: Path, target: Path) -> Iterator[FileResult]:
    """Clean a file or a folder into `target`; yields one result per input file.

    A single file goes to `target` itself unless that is a folder; a folder goes to
    `target/<study>/<series>/<instance>.dcm`.
    """
    into_folder = source.is_dir() or target.is_dir()
    for file in inputs(source):
        try:
            output = apply_to_file(task, file, target, into_folder=into_folder)
        except DeidError as error:
            yield FileResult(file, None, error.code, error.message)
        except OSError as error:
            yield FileResult(file, None, "deid.file", f"It cannot be read or written ({error.strerror}).")
        else:
            yield FileResult(file, output)


def apply_to_file(task: Task, source: Path, target: Path, *, into_folder: bool) -> Path:
    """Clean one file, verify it against its input and only then give it its name.

    Raises:
        Rejected: the object cannot be cleaned with certainty; no output is left.
        DeidError: the output exists already.
    """
    with source.open("rb") as file:
        head, cleaned = read_cleaned(task, file)
        verify_against(identifiers_of(head), cleaned.head)
        output = target
        if into_folder:
            output = target / cleaned.study_uid / cleaned.series_uid / f"{cleaned.sop_instance_uid}.dcm"
        if output.exists():
            raise DeidError("deid.file.exists", "The output exists already; nothing is overwritten.")
        output.parent.mkdir(parents=True, exist_ok=True)
        part = output.with_name(output.name + ".part")
        try:
            with part.open("wb") as out:
                _copy(file, out, cleaned)
            part.replace(output)
        except BaseException:
            with contextlib.suppress(OSError):
                part.unlink()
            raise
    return output


def read_cleaned(task: Task, file: BinaryIO) -> tuple[bytes, Cleaned]:
    """Read as much of a file as its header needs; returns those bytes and the cleaned header."""
    head = file.read(_FIRST_READ)
    wanted = _FIRST_READ
    while True:
        complete = len(head) < wanted
        try:
            cleaned = clean_object(
                head, recipe=task.recipe, key=task.key, subject=task.subject, complete=complete
            )
        except NeedMoreBytes as error:
            wanted = max(error.at_least, 2 * len(head))
            head += file.read(wanted - len(head))
        else:
            return head, cleaned


def _copy(file: BinaryIO, out: BinaryIO, cleaned: Cleaned) -> None:
    passage = PixelPassage(cleaned)
    out.write(cleaned.head)
    file.seek(cleaned.pixel_start)
    while chunk := file.read(_CHUNK):
        out.writelines(passage.feed(chunk))
    passage.finish()


def read_header(path: Path) -> bytes:
    """The first bytes of a file, as many as its header needs; for the verifiers."""
    with path.open("rb") as file:
        head, wanted = file.read(_FIRST_READ), _FIRST_READ
        while True:
            try:
                parse_file(head, complete=len(head) < wanted)
            except NeedMoreBytes as error:
                wanted = max(error.at_least, 2 * len(head))
                head += file.read(wanted - len(head))
            else:
                return head
