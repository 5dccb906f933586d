"""What one large object takes in memory."""

from __future__ import annotations

import io
import time
from typing import TYPE_CHECKING, Final

from connect_ours import CALLED, CALLING, forget_peak, peak_mb, receiving, resident_mb
from connect_rows import Row, row
from fast_sender import Blob, push_large
from pydicom import dcmread

from collegium_testkit import phantoms

if TYPE_CHECKING:
    from pathlib import Path

    from connect_load import Load

FRAMES: Final = 4000  # of 512 x 512 x 2 bytes: 2.1 GB


def rows(folder: Path, _load: Load, _rounds: int) -> list[Row]:
    """A multi-frame of 2 GB through one association: cleaned in flight, and sealed whole."""
    found = []
    for look in ("doubtful", "all"):
        with receiving(folder / f"large-{look}", look=look) as gateway:
            for frames in (64, FRAMES):  # the first one warms it up
                blob, tail = large(folder / f"large-{look}-{frames}", frames)
                forget_peak(gateway.pid)
                before, began = resident_mb(gateway.pid), time.perf_counter()
                push_large(blob, tail, gateway.receive_port, CALLED, CALLING)
                seconds = time.perf_counter() - began
            peak = peak_mb(gateway.pid)
        name = f"One multi-frame of {tail / 1e9:.1f} GB, look: {look}"
        found += [
            row(f"{name}, memory of the receiving process", "MB", [peak], most=200),
            row(f"{name}, of it for this object", "MB", [peak - before]),
            row(f"{name}, received at", "MB/s", [tail / 1e6 / seconds]),
        ]
    return found


def large(folder: Path, frames: int) -> tuple[Blob, int]:
    """A CT with so many frames: its data set up to the pixels, and how many bytes of pixels follow."""
    dataset = dcmread(phantoms.ct_exam(folder, slices=1).files[0])
    tail = frames * 512 * 512 * 2
    dataset.NumberOfFrames = frames
    dataset.PixelData = b""
    raw = io.BytesIO()
    dataset.save_as(raw, enforce_file_format=True)
    content = raw.getvalue()
    start = content.index(b"\xe0\x7f\x10\x00O")
    meta_end = 144 + int.from_bytes(content[140:144], "little")
    data = content[meta_end : start + 8] + tail.to_bytes(4, "little")
    blob = Blob(
        str(dataset.SOPClassUID).encode(), str(dataset.SOPInstanceUID).encode(),
        str(dataset.file_meta.TransferSyntaxUID).encode(), data,
    )  # fmt: skip
    return blob, tail
