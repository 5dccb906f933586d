"""Segments and records: many objects in one file, each whole or not there."""

import os
import sys
import threading
from pathlib import Path

import pytest

from collegium_connect.errors import SealBroken, SpoolDamaged, SpoolFull
from collegium_connect.settings import LimitSettings
from collegium_connect.spool import Place, Segments, Stored, Stores

KEY = bytes(range(32))
HEAD, ORIGINAL, PIXELS = b"new header " * 900, b"old header of somebody " * 900, bytes(range(256)) * 4096


def stores(folder: Path, limits: LimitSettings | None = None) -> Stores:
    return Stores.below(folder, limits or LimitSettings(keep_free_bytes=0), KEY)


def clean(into: Stores, object_id: str = "object-1") -> Stored:
    return into.keep_clean(
        object_id, b"{}", head=HEAD, original=ORIGINAL, is_whole=False, pixels=[PIXELS[:1000], PIXELS[1000:]]
    )


@pytest.mark.requirement("C14")
def test_a_cleaned_object_is_given_back_as_it_leaves_and_as_it_came(tmp_path: Path) -> None:
    spool = stores(tmp_path)

    place = clean(spool).place

    assert b"".join(spool.outbound("object-1", place)) == HEAD + PIXELS
    assert spool.original("object-1", place, is_clean=True) == ORIGINAL + PIXELS


def test_an_original_sealed_whole_is_given_back(tmp_path: Path) -> None:
    spool = stores(tmp_path)

    place = spool.keep_sealed("object-1", b"{}", ORIGINAL + PIXELS).place

    assert spool.original("object-1", place, is_clean=False) == ORIGINAL + PIXELS


@pytest.mark.requirement("C03")
def test_no_header_is_at_rest_in_clear_not_even_a_cleaned_one(tmp_path: Path) -> None:
    spool = stores(tmp_path)

    clean(spool)
    spool.keep_sealed("object-2", b"{}", ORIGINAL)

    (segment,) = (tmp_path / "spool").iterdir()
    content = segment.read_bytes()
    assert b"new header" not in content
    assert b"somebody" not in content
    assert PIXELS in content


def test_a_record_belongs_to_its_object(tmp_path: Path) -> None:
    spool = stores(tmp_path)
    place = clean(spool).place

    with pytest.raises(SealBroken):
        spool.open_clean("object-2", place)


def test_many_threads_write_into_one_segment_and_nothing_is_mixed(tmp_path: Path) -> None:
    spool = stores(tmp_path)
    places: dict[int, Place] = {}

    def write(number: int) -> None:
        for turn in range(10):
            name = 10 * number + turn
            places[name] = spool.keep_sealed(f"object-{name}", b"{}", f"content {name} ".encode() * 999).place

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(list((tmp_path / "spool").iterdir())) == 1
    for name, place in places.items():
        content = spool.original(f"object-{name}", place, is_clean=False)
        assert content == f"content {name} ".encode() * 999


def test_a_segment_goes_with_its_last_record_and_its_room_comes_back(tmp_path: Path) -> None:
    spool = stores(tmp_path)
    first, second = clean(spool, "object-1"), clean(spool, "object-2")
    used = spool.segments.used_bytes

    spool.forget(first.place)
    half_way = spool.segments.names()
    spool.forget(second.place)

    assert used == first.record_bytes + second.record_bytes
    assert len(half_way) == 1
    assert (spool.segments.names(), spool.segments.used_bytes) == ([], 0)
    assert b"".join(spool.outbound("object-3", clean(spool, "object-3").place)) == HEAD + PIXELS


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="holes are asked of Linux only")
def test_a_forgotten_record_gives_its_room_back_though_its_neighbour_stays(tmp_path: Path) -> None:
    spool = stores(tmp_path)
    first, held = clean(spool, "object-1"), clean(spool, "object-2")
    (segment,) = (tmp_path / "spool").iterdir()
    before = segment.stat().st_blocks

    spool.forget(first.place)

    assert spool.segments.used_bytes == held.record_bytes
    assert before * 512 - segment.stat().st_blocks * 512 > first.record_bytes - 8192
    assert not segment.read_bytes()[: first.record_bytes].strip(b"\0")
    assert b"".join(spool.outbound("object-2", held.place)) == HEAD + PIXELS


def test_a_full_segment_is_followed_by_the_next(tmp_path: Path) -> None:
    segments = Segments(tmp_path, segment_bytes=100)

    places = [segments.append([b"x" * 60]) for _ in range(3)]

    assert [place.segment for place in places] == segments.names()
    assert {place.offset for place in places} == {0}


def test_a_long_backlog_keeps_few_files_open_and_old_segments_can_be_synced(tmp_path: Path) -> None:
    segments = Segments(tmp_path, segment_bytes=100)

    places = [segments.append([b"x" * 60]) for _ in range(200)]
    segments.sync(place.segment for place in places)

    assert len(segments.names()) == 200
    assert open_files(tmp_path) <= 65
    segments.close()


def open_files(folder: Path) -> int:
    """Of this process, below a folder, where the system tells; what else is open there comes and goes."""
    told = Path("/proc/self/fd")
    return sum(folder in item.resolve().parents for item in told.iterdir()) if told.exists() else 0


@pytest.mark.parametrize("spoil", ["cut", "changed", "gone"])
def test_a_record_that_is_not_as_it_was_written_is_not_whole(tmp_path: Path, spoil: str) -> None:
    spool = stores(tmp_path)
    stored = clean(spool)
    spool.segments.close()
    (segment,) = (tmp_path / "spool").iterdir()
    if spoil == "cut":
        os.truncate(segment, stored.record_bytes - 1)
    elif spoil == "changed":
        segment.write_bytes(segment.read_bytes()[:30] + b"X" + segment.read_bytes()[31:])
    else:
        segment.unlink()

    again = stores(tmp_path)

    place = stored.place
    assert again.broken_in(place.segment, {place.offset: stored.record_bytes}) == {place.offset}
    if spoil == "gone":
        with pytest.raises(SpoolDamaged):
            list(again.outbound("object-1", stored.place))


@pytest.mark.requirement("C24")
@pytest.mark.parametrize(
    "limits",
    [LimitSettings(spool_bytes=1000, keep_free_bytes=0), LimitSettings(keep_free_bytes=1 << 60)],
    ids=["the spool's limit", "the disk's reserve"],
)
def test_the_spool_says_no_before_its_limit_and_before_the_disks_reserve(
    tmp_path: Path, limits: LimitSettings
) -> None:
    spool = stores(tmp_path, limits)

    with pytest.raises(SpoolFull):
        clean(spool)

    assert spool.segments.used_bytes == 0


def test_a_disk_without_room_is_told_and_leaves_nothing_live(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: object) -> int:
        raise OSError(28, "No space left on device")

    spool = stores(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os, "pwritev", no_room)
        with pytest.raises(SpoolFull):
            clean(spool)

    assert spool.segments.used_bytes == 0
    assert b"".join(spool.outbound("object-1", clean(spool).place)) == HEAD + PIXELS
