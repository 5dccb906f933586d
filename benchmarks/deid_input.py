"""The input of the timed parts: a CT as a busy scanner sends it, 534 KB with 139 attributes a slice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from pydicom import dcmread

from collegium_testkit.phantoms import ct_exam

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pydicom import Dataset

ATTRIBUTES: Final = 139
FILE_BYTES: Final = 534_000
_CREATORS: Final = ("INVENTED PARM 01", "INVENTED HELIOS 01", "INVENTED ACQU 02")


def ct_series(folder: Path, slices: int) -> list[Path]:
    """Write the slices; every one has its own position, times and UID, the rest repeats as in real series."""
    folder.mkdir(parents=True)
    exam = ct_exam(folder, slices=slices)
    for number, file in enumerate(exam.files):
        dataset = dcmread(file)
        _fill(dataset, number)
        dataset.save_as(file)
    return sorted(exam.files)


def subjects(prefix: str = "S") -> Callable[[str], str]:
    """A code for each patient, in the order they come."""
    known: dict[str, str] = {}
    return lambda local_id: known.setdefault(local_id, f"{prefix}-{len(known) + 1:03d}")


def _fill(dataset: Dataset, number: int) -> None:
    for group, creator in zip((0x0043, 0x0045, 0x0047), _CREATORS, strict=True):
        block = dataset.private_block(group, creator, create=True)
        for element in range(20):
            if len(dataset) >= ATTRIBUTES:
                break
            block.add_new(element, "DS", f"{element + number / 1000:.3f}")
    missing = FILE_BYTES - dataset.PixelData.__len__() - 4400
    block = dataset.private_block(0x0043, _CREATORS[0])
    block.add_new(0, "OB", bytes(missing - missing % 2))
