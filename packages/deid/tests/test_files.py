"""File to file: the kernel copies exactly the pixel data, whichever way it can, and nothing behind it."""

from __future__ import annotations

import errno
import io
import os
import struct
import zlib
from typing import TYPE_CHECKING, Any

import pytest
from pydicom import dcmread

from collegium_deid import Rejected, SiteKey, load_recipe
from collegium_deid.files import Task, place, write_cleaned

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from pydicom.dataset import Dataset

Tool = Any  # Any: the fixtures of conftest, which a test module cannot import by name
JPEG_2000 = b"1.2.840.10008.1.2.4.90"
SIZE = (1200, 960)
PIXELS = bytes(range(256)) * 9000
FRAME = b"\xff\x4f\xff\x90" + PIXELS  # as far as its marks go, a frame of JPEG 2000
BEHIND = b"\xfc\xff\xfc\xffOB\0\0\x0c\0\0\0Brambleworth"


@pytest.fixture
def task(key: SiteKey) -> Task:
    """A recipe that looks at no pixels."""
    return Task(load_recipe("strict"), key, "S-001")


@pytest.fixture
def data(ct: Dataset, write: Tool) -> bytes:
    """A native file whose pixels go on far behind what is read first."""
    ct.Rows, ct.Columns = SIZE
    whole: bytes = write(ct, pixels=PIXELS)
    return whole


def encapsulated(native: bytes, *fragments: bytes) -> bytes:
    """A native file without pixels made into a compressed one."""
    body = native.replace(b"UI\x14\x001.2.840.10008.1.2.1\0", struct.pack("<2sH", b"UI", 22) + JPEG_2000)
    items = b"".join(struct.pack("<HHI", 0xFFFE, 0xE000, len(part)) + part for part in (b"", *fragments))
    start = struct.pack("<HH2s2xI", 0x7FE0, 0x10, b"OB", 0xFFFFFFFF)
    return body + start + items + struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


def cleaned(task: Task, tmp_path: Path, data: bytes) -> bytes:
    (tmp_path / "in").write_bytes(data)
    with (tmp_path / "in").open("rb", buffering=0) as file:
        write_cleaned(task, file, tmp_path / "part")
    place(tmp_path / "part", tmp_path / "out.dcm")
    return (tmp_path / "out.dcm").read_bytes()


@pytest.mark.parametrize("implicit", [False, True])
def test_native_pixels_pass_whole_and_what_lies_behind_them_does_not(
    tmp_path: Path, ct: Dataset, write: Tool, task: Task, *, implicit: bool
) -> None:
    ct.Rows, ct.Columns = SIZE

    out = cleaned(task, tmp_path, write(ct, pixels=PIXELS, implicit=implicit) + BEHIND)

    assert out.endswith(PIXELS)
    assert dcmread(io.BytesIO(out)).PixelData == PIXELS


def test_compressed_pixels_pass_to_their_end_mark_and_no_further(
    tmp_path: Path, ct: Dataset, write: Tool, task: Task
) -> None:
    data = encapsulated(write(ct), FRAME, b"more of it\xff\xd9\0\0")

    out = cleaned(task, tmp_path, data + BEHIND)

    assert out.endswith(data[data.index(b"\xe0\x7f\x10\0OB") :])
    assert b"Brambleworth" not in out


@pytest.mark.parametrize("cut", [1, 9, 4000])
def test_pixels_that_are_cut_are_refused_and_leave_nothing(
    tmp_path: Path, ct: Dataset, write: Tool, task: Task, cut: int
) -> None:
    ct.Rows, ct.Columns = SIZE
    (tmp_path / "a").write_bytes(write(ct, pixels=PIXELS)[:-cut])
    (tmp_path / "b").write_bytes(encapsulated(write(ct), FRAME)[:-cut])

    for name in ("a", "b"):
        with (tmp_path / name).open("rb", buffering=0) as file, pytest.raises(Rejected) as error:
            write_cleaned(task, file, tmp_path / "part")
        assert error.value.code == "deid.truncated"

    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b"]


def test_a_code_is_asked_for_once_and_only_for_a_header_that_is_taken(
    ct: Dataset, write: Tool, key: SiteKey, tmp_path: Path
) -> None:
    asked: list[str] = []

    def code_for(local_id: str) -> str:
        asked.append(local_id)
        return "S-007"

    task = Task(load_recipe("strict"), key, code_for)
    ct.add_new(0x00041220, "SQ", [])

    with pytest.raises(Rejected, match="index of a medium"):
        write_cleaned(task, io.BytesIO(write(ct)), tmp_path / "part")
    del ct[0x00041220]
    written = write_cleaned(task, io.BytesIO(write(ct, pixels=bytes(8))), tmp_path / "part")

    assert asked == ["MRN-4471123"]
    assert written.cleaned.subject_code == "S-007"


def not_here(*_arguments: int, **_options: int) -> int:
    raise OSError(errno.EXDEV, "Not between these two")


def a_little(original: Callable[..., int]) -> Callable[..., int]:
    """A kernel that copies only some of what it is asked for, then nothing."""
    calls = iter(range(3))

    def step(source: int, target: int, count: int, **options: int) -> int:
        return original(source, target, min(count, 1000), **options) if next(calls, None) is not None else 0

    return step


@pytest.mark.parametrize("ways", ["both fail", "first fails", "little by little", "none there"])
def test_every_way_of_copying_gives_the_same_bytes(
    tmp_path: Path, data: bytes, task: Task, monkeypatch: pytest.MonkeyPatch, ways: str
) -> None:
    (tmp_path / "one").mkdir()
    expected = cleaned(task, tmp_path / "one", data)
    little = a_little(os.copy_file_range)
    if ways == "none there":
        monkeypatch.delattr(os, "copy_file_range")
        monkeypatch.delattr(os, "sendfile")
    else:
        monkeypatch.setattr(os, "copy_file_range", little if ways == "little by little" else not_here)
    if ways == "both fail":
        monkeypatch.setattr(os, "sendfile", not_here)

    assert cleaned(task, tmp_path, data) == expected


def test_a_full_disk_is_an_error_and_leaves_nothing(
    tmp_path: Path, data: bytes, task: Task, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_arguments: int, **_options: int) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "copy_file_range", full)

    with pytest.raises(OSError, match="No space"):
        cleaned(task, tmp_path, data)

    assert [path.name for path in tmp_path.iterdir()] == ["in"]


def test_a_stream_gives_the_same_as_a_file(tmp_path: Path, data: bytes, task: Task) -> None:
    write_cleaned(task, io.BytesIO(data + BEHIND), tmp_path / "part")

    assert (tmp_path / "part").read_bytes() == cleaned(task, tmp_path, data + BEHIND)


def test_a_deflated_file_is_inflated_and_cleaned(tmp_path: Path, data: bytes, task: Task) -> None:
    start = data.index(b"\x08\0\x08\0CS")
    squeeze = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    meta = data[:start].replace(b"UI\x14\x001.2.840.10008.1.2.1\0", b"UI\x16\x001.2.840.10008.1.2.1.99")

    out = cleaned(task, tmp_path, meta + squeeze.compress(data[start:]) + squeeze.flush())

    assert out == cleaned_elsewhere(task, tmp_path, data)


def cleaned_elsewhere(task: Task, tmp_path: Path, data: bytes) -> bytes:
    (tmp_path / "elsewhere").mkdir()
    return cleaned(task, tmp_path / "elsewhere", data)
