"""Clean a file on a disk: read its header, write a new one, let the kernel copy the pixels.

An output appears whole, under a name made from the new UIDs, or not at all. Memory: the header of one
file, and 1 MiB of its pixels; the whole file where pixels must be looked at or bytes be converted.
"""

from __future__ import annotations

import contextlib
import os
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from collegium_deid.copying import CHUNK, copy_range, write_all
from collegium_deid.engine.clean import Cleaned, clean_object
from collegium_deid.engine.convert import prepare
from collegium_deid.engine.elements import FileHead, parse_file
from collegium_deid.engine.passage import PixelPassage
from collegium_deid.engine.pixelplan import Look
from collegium_deid.errors import DeidError, NeedMoreBytes, Rejected
from collegium_deid.rules.recipe import parse_recipe
from collegium_deid.verify.against import verify_against
from collegium_deid.verify.identifiers import identifiers_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import BinaryIO

    from collegium_deid.keys import SiteKey
    from collegium_deid.pixels import Area, CleanedPixels
    from collegium_deid.pixels.masks import Masks
    from collegium_deid.rules.recipe import Recipe

_FIRST_READ: Final = 64 * 1024


@dataclass(frozen=True)
class Task:
    """Recipe, key and subject (a code, or what finds it for a local id) for many files."""

    recipe: Recipe
    key: SiteKey
    subject: str | Callable[[str], str]
    masks: Masks | None = None
    """Confirmed places of text by device, when the pixel step shall use and learn them."""

    def __reduce__(self) -> tuple[Callable[..., Task], tuple[object, ...]]:
        """Travels to another process as the text of the recipe, which is compiled anew there."""
        return _task, (self.recipe.text, self.key, self.subject, self.masks)


def _task(text: str, key: SiteKey, subject: str | Callable[[str], str], masks: Masks | None) -> Task:
    return Task(parse_recipe(text), key, subject, masks)


@dataclass(frozen=True)
class Written:
    """What was written for one file."""

    cleaned: Cleaned = field(repr=False)
    size: int
    pixels: str
    """`untouched`: nothing to look at; or what the pixel step says: `no_text`, `kept`, `redacted`."""
    areas: tuple[Area, ...]
    """What was hidden in the pixels."""
    device: str
    """The key under which masks are learned; empty when nothing was hidden, or none are wanted."""
    seconds: float

    @property
    def name(self) -> str:
        """Where it belongs below an output folder; slashes on every system."""
        cleaned = self.cleaned
        return f"{cleaned.study_uid}/{cleaned.series_uid}/{cleaned.sop_instance_uid}.dcm"


def write_cleaned(task: Task, file: BinaryIO, part: Path, *, fsync: bool = False) -> Written:
    """Clean what `file` holds from its beginning, verify it against its input and write it to `part`.

    Raises:
        Rejected: the object cannot be cleaned with certainty; no `part` is left.
    """
    began = time.perf_counter()
    head, cleaned, is_whole = read_cleaned(task, file)
    identifiers = identifiers_of(head)
    looked: CleanedPixels | None = None
    if cleaned.plan.look is not Look.NONE:
        head, is_whole = head if is_whole else head + file.read(), True
        looked = _look(task, head, cleaned)
    verify_against(identifiers, cleaned.head if looked is None else looked.head)
    try:
        with part.open("wb", buffering=0) as out:
            if looked is not None:
                for piece in (looked.head, *looked.pixels):
                    write_all(out, piece)
            elif is_whole or not _is_on_disk(file):
                write_all(out, cleaned.head)
                _stream_pixels(head, None if is_whole else file, out, cleaned)
            else:
                write_all(out, cleaned.head)
                _copy_pixels(file, out, cleaned)
            size = out.tell()
            if fsync:
                os.fsync(out.fileno())
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    pixels, areas = ("untouched", ()) if looked is None else (looked.code, looked.areas)
    device = _device(head) if areas and task.masks is not None else ""
    return Written(cleaned, size, pixels, areas, device, time.perf_counter() - began)


def _look(task: Task, data: bytes, cleaned: Cleaned) -> CleanedPixels:
    from collegium_deid import pixels  # noqa: PLC0415 - most files need none of it, and it may not be installed

    return pixels.clean_pixels(data, cleaned, recipe=task.recipe, masks=task.masks)


def _device(data: bytes) -> str:
    from collegium_deid.pixels.masks import device_of  # noqa: PLC0415 - as above

    return device_of(parse_file(data, complete=True))


def place(part: Path, output: Path) -> bool:
    """Give a written file its name; False when the very same bytes are there already.

    Raises:
        DeidError: other bytes are there; nothing is ever overwritten. `part` is gone in any case.
    """
    if not output.exists():
        try:
            part.replace(output)
        except FileNotFoundError:  # the first of its series
            output.parent.mkdir(parents=True, exist_ok=True)
            part.replace(output)
        return True
    try:
        if _same(part, output):
            return False
    finally:
        part.unlink()
    raise DeidError(
        "deid.file.exists",
        "An output of this UID with other content is there already; nothing is overwritten.",
    )


def _same(one: Path, other: Path) -> bool:
    if one.stat().st_size != other.stat().st_size:
        return False
    with one.open("rb") as left, other.open("rb") as right:
        while chunk := left.read(CHUNK):
            if chunk != right.read(CHUNK):
                return False
    return True


def read_cleaned(task: Task, file: BinaryIO) -> tuple[bytes, Cleaned, bool]:
    """Read as much of a file as its header needs.

    Returns:
        Those bytes, the cleaned header, and whether the bytes are the whole (then maybe converted) file.
    """
    wanted = _FIRST_READ
    head = file.read(wanted)
    while True:
        complete = len(head) < wanted
        try:
            return head, _clean(task, head, complete=complete), complete
        except NeedMoreBytes as error:
            wanted = max(error.at_least, 2 * len(head))
            head += file.read(wanted - len(head))
        except Rejected as error:
            prepared = _prepared(head, file, error, complete=complete)
            return prepared, _clean(task, prepared, complete=True), True


def _clean(task: Task, head: bytes, *, complete: bool) -> Cleaned:
    return clean_object(head, recipe=task.recipe, key=task.key, subject=task.subject, complete=complete)


def read_head(file: BinaryIO) -> FileHead:
    """Read and walk as much of a file as its header needs, converted where that must be.

    Raises:
        Rejected: it is no header that can be read.
    """
    wanted = _FIRST_READ
    head = file.read(wanted)
    while True:
        complete = len(head) < wanted
        try:
            return parse_file(head, complete=complete)
        except NeedMoreBytes as error:
            wanted = max(error.at_least, 2 * len(head))
            head += file.read(wanted - len(head))
        except Rejected as error:
            prepared = _prepared(head, file, error, complete=complete)
            return parse_file(prepared, complete=True)


def _prepared(head: bytes, file: BinaryIO, error: Rejected, *, complete: bool) -> bytes:
    """The whole file in a syntax that can be read; raises `error` when that is not what is wrong."""
    if error.code != "deid.syntax_declined":
        raise error
    whole = head if complete else head + file.read()
    prepared = prepare(whole)
    if prepared is whole:
        raise error
    return prepared


def _stream_pixels(head: bytes, file: BinaryIO | None, out: BinaryIO, cleaned: Cleaned) -> None:
    """From a stream that cannot be read twice, such as an archive's: what is in memory, then the rest."""
    passage = PixelPassage(cleaned)
    for piece in passage.feed(memoryview(head)[cleaned.pixel_start :]):
        write_all(out, piece)
    while file is not None and (chunk := file.read(CHUNK)):
        for piece in passage.feed(chunk):
            write_all(out, piece)
    passage.finish()


def _copy_pixels(file: BinaryIO, out: BinaryIO, cleaned: Cleaned) -> None:
    """Walk the marks of the pixel data, then have the kernel copy all of it in one piece."""
    passage = PixelPassage(cleaned)
    size = os.fstat(file.fileno()).st_size
    end = cleaned.pixel_start
    while end < size:
        file.seek(end)
        seen = sum(map(len, passage.feed(file.read(passage.wanted))))
        if not seen:
            break
        end += seen + passage.passing
        if end <= size:
            passage.skip()
    passage.finish()
    copy_range(file, out, cleaned.pixel_start, end - cleaned.pixel_start)


def _is_on_disk(file: BinaryIO) -> bool:
    try:
        file.fileno()
    except OSError:
        return False
    return True
