"""What is sent to every server: the same exam again and again, each time with UIDs of its own.

Synthetic CT slices of 512 x 512 with a full scanner's header, held in memory. A second sender that is
no work of ours is DCMTK's `dcmsend`, from files.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from fast_sender import Blob, load

from collegium_testkit import phantoms

if TYPE_CHECKING:
    from pathlib import Path

_OURS: Final = re.compile(rb"2\.25\.\d{30,39}")
_HEAD: Final = 64 << 10


class Load:
    """An exam that is new each time it is asked for."""

    def __init__(self, folder: Path, slices: int) -> None:
        exam = phantoms.ct_exam(folder / "exam", slices=slices)
        self._blobs, self._count = load(exam.files), 0
        self._folder = folder
        self.files = list(exam.files)

    @property
    def objects(self) -> int:
        return len(self._blobs)

    @property
    def megabytes(self) -> float:
        return sum(len(blob.data) for blob in self._blobs) / 1e6

    def fresh(self, count: int | None = None) -> list[Blob]:
        """The exam under UIDs that were not sent before."""
        self._count += 1
        ending = b"%06d" % self._count
        return [_renamed(blob, ending) for blob in self._blobs[:count]]

    def fresh_folder(self) -> Path:
        """The same as files, for `dcmsend`."""
        self._count += 1
        ending, folder = b"%06d" % self._count, self._folder / f"files-{self._count}"
        folder.mkdir()
        for path in self.files:
            raw = path.read_bytes()
            (folder / path.name).write_bytes(_with_ending(raw[:_HEAD], ending) + raw[_HEAD:])
        return folder


def dcmsend(folder: Path, port: int, called: str, calling: str, *, associations: int) -> float:
    """Seconds that so many `dcmsend` at once take for a folder; 0 where it is not installed."""
    binary = shutil.which("dcmsend")
    if not binary or not port:
        return 0.0
    shares = [sorted(folder.iterdir())[at::associations] for at in range(associations)]
    began = time.perf_counter()
    running = [
        subprocess.Popen(
            [binary, "-aet", calling, "-aec", called, "127.0.0.1", str(port), *map(str, share)],
            stdout=subprocess.DEVNULL,
        )
        for share in shares
    ]
    codes = [process.wait() for process in running]
    if any(codes):
        raise SystemExit("dcmsend failed.")
    return time.perf_counter() - began


def _renamed(blob: Blob, ending: bytes) -> Blob:
    head = _with_ending(blob.data[:_HEAD], ending)
    return replace(blob, instance=_with_ending(blob.instance, ending), data=head + blob.data[_HEAD:])


def _with_ending(raw: bytes, ending: bytes) -> bytes:
    """Every UID of the phantom with other last digits: lengths stay, so nothing else moves."""
    return _OURS.sub(lambda found: found[0][: -len(ending)] + ending, raw)
