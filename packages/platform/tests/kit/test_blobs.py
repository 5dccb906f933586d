from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collegium.kit.blobs import (
    BlobDamaged,
    BlobMissing,
    BlobRange,
    Blobs,
    BlobStore,
    BlobWrongKey,
    LocalStore,
    StorageFull,
)
from collegium.kit.blobs.frame import CHUNK_BYTES, HEADER_BYTES
from collegium.kit.ids import uuid7

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID

ORGANISATION, SPACE = uuid7(), uuid7()


@dataclass(frozen=True)
class Key:
    id: UUID
    secret: bytes


KEY = Key(uuid7(), os.urandom(32))


def keyed(store: BlobStore, key: Key, *, encrypted: bool = True) -> Blobs:
    return Blobs(store, newest_key=lambda _: key, key_by_id=lambda _: key, encrypted=encrypted)


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return keyed(LocalStore(tmp_path), KEY)


def stored(blobs: Blobs, clear: bytes) -> str:
    writer = blobs.create(organisation_id=ORGANISATION, space_id=SPACE)
    writer.write(clear)
    writer.finish()
    return writer.key


def file_of(blobs: Blobs, key: str) -> Path:
    assert isinstance(blobs.store, LocalStore)
    return blobs.store.root / key


@pytest.mark.parametrize(
    "size", [0, 1, CHUNK_BYTES - 1, CHUNK_BYTES, CHUNK_BYTES + 1, 3 * CHUNK_BYTES, 3 * CHUNK_BYTES + 7]
)
def test_what_was_written_is_read_again(blobs: Blobs, size: int) -> None:
    clear = os.urandom(size)

    key = stored(blobs, clear)

    assert blobs.read_all(key) == clear
    assert blobs.size(key) == size


def test_the_digest_is_that_of_the_clear_bytes(blobs: Blobs) -> None:
    writer = blobs.create(organisation_id=ORGANISATION, space_id=SPACE)
    writer.write(b"ab")
    writer.write(b"c")

    assert writer.finish() == hashlib.sha256(b"abc").hexdigest()


@given(data=st.data(), size=st.integers(0, 3 * CHUNK_BYTES))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_range_equals_the_slice(blobs: Blobs, data: st.DataObject, size: int) -> None:
    clear = os.urandom(size)
    key = stored(blobs, clear)
    start = data.draw(st.integers(0, size))
    length = data.draw(st.integers(0, size - start))

    assert blobs.read(key, start, length) == clear[start : start + length]


@given(cuts=st.lists(st.integers(0, 2 * CHUNK_BYTES + 5), max_size=8))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_pieces_of_any_size_make_the_same_object(blobs: Blobs, cuts: list[int]) -> None:
    clear = os.urandom(2 * CHUNK_BYTES + 5)
    edges = [0, *sorted(cuts), len(clear)]
    writer = blobs.create(organisation_id=ORGANISATION, space_id=SPACE)
    for start, end in pairwise(edges):
        writer.write(clear[start:end])
    writer.finish()

    assert blobs.read_all(writer.key) == clear


@pytest.mark.requirement("S06")
def test_nothing_of_the_clear_bytes_is_on_the_disk(blobs: Blobs) -> None:
    key = stored(blobs, b"canary-value" * 50_000)

    assert b"canary" not in file_of(blobs, key).read_bytes()


def test_a_file_is_readable_by_its_owner_alone(blobs: Blobs) -> None:
    key = stored(blobs, b"x")

    assert file_of(blobs, key).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("at", [0, 8, 12, 20, 33, 50, 93, 110, HEADER_BYTES, HEADER_BYTES + 5, -1, -17])
def test_a_flipped_byte_is_found(blobs: Blobs, at: int) -> None:
    key = stored(blobs, os.urandom(1000))
    raw = bytearray(file_of(blobs, key).read_bytes())
    raw[at] ^= 1
    file_of(blobs, key).write_bytes(raw)

    with pytest.raises((BlobDamaged, BlobWrongKey)):
        blobs.read_all(key)


CUTS = [0, 60, HEADER_BYTES, HEADER_BYTES + 16, -1, -16, -17, HEADER_BYTES + CHUNK_BYTES + 16]


@pytest.mark.parametrize("left", CUTS)
def test_a_cut_object_is_found(blobs: Blobs, left: int) -> None:
    key = stored(blobs, os.urandom(CHUNK_BYTES + 500))
    raw = file_of(blobs, key).read_bytes()
    file_of(blobs, key).write_bytes(raw[:left])

    with pytest.raises(BlobDamaged):
        blobs.read_all(key)


@pytest.mark.parametrize("added", [1, 16, 17, CHUNK_BYTES, CHUNK_BYTES + 16])
def test_a_lengthened_object_is_found(blobs: Blobs, added: int) -> None:
    key = stored(blobs, os.urandom(500))
    with file_of(blobs, key).open("ab") as file:
        file.write(bytes(added))

    with pytest.raises(BlobDamaged):
        blobs.read_all(key)


def test_swapped_chunks_are_found(blobs: Blobs) -> None:
    key = stored(blobs, os.urandom(3 * CHUNK_BYTES))
    raw = file_of(blobs, key).read_bytes()
    sealed = CHUNK_BYTES + 16
    first, second = raw[HEADER_BYTES:][:sealed], raw[HEADER_BYTES:][sealed : 2 * sealed]
    file_of(blobs, key).write_bytes(raw[:HEADER_BYTES] + second + first + raw[HEADER_BYTES + 2 * sealed :])

    with pytest.raises(BlobDamaged):
        blobs.read(key, 0, 10)


def test_another_objects_file_under_this_key_is_found(blobs: Blobs) -> None:
    key, other = stored(blobs, b"mine"), stored(blobs, b"theirs")
    file_of(blobs, key).write_bytes(file_of(blobs, other).read_bytes())

    with pytest.raises(BlobDamaged):
        blobs.read_all(key)


@pytest.mark.requirement("S06")
def test_the_wrong_key_opens_nothing(blobs: Blobs) -> None:
    key = stored(blobs, b"x")
    stranger = keyed(blobs.store, Key(KEY.id, os.urandom(32)))
    successor = keyed(blobs.store, Key(uuid7(), KEY.secret))

    with pytest.raises(BlobWrongKey):
        stranger.read_all(key)
    with pytest.raises(BlobWrongKey):
        successor.read_all(key)


def test_a_range_beyond_the_end_is_refused(blobs: Blobs) -> None:
    key = stored(blobs, bytes(10))

    with pytest.raises(BlobRange):
        blobs.read(key, 5, 6)
    with pytest.raises(BlobRange):
        blobs.read(key, -1, 2)


@pytest.mark.parametrize("key", ["../../etc/passwd", "a/b/c", f"{uuid7()}/{uuid7()}/../{uuid7()}", ""])
def test_a_key_of_another_form_is_nowhere(blobs: Blobs, key: str) -> None:
    with pytest.raises(BlobMissing):
        blobs.read_all(key)


def test_an_abandoned_writer_leaves_nothing(blobs: Blobs) -> None:
    with blobs.create(organisation_id=ORGANISATION, space_id=SPACE) as writer:
        writer.write(bytes(3 * CHUNK_BYTES))

    assert list(blobs.store.listing()) == []


def test_the_rest_of_a_killed_writer_is_listed_without_a_key(blobs: Blobs) -> None:
    writer = blobs.create(organisation_id=ORGANISATION, space_id=SPACE)
    writer.write(b"x")

    (found,) = blobs.store.listing()
    blobs.store.discard(found)

    assert found.key is None
    assert list(blobs.store.listing()) == []
    writer.abort()


def test_a_deleted_object_is_gone(blobs: Blobs) -> None:
    key = stored(blobs, b"x")
    blobs.read_all(key)

    blobs.delete(key)
    blobs.delete(key)

    with pytest.raises(BlobMissing):
        blobs.read_all(key)


def test_a_plain_frame_holds_the_clear_bytes_after_its_header(tmp_path: Path) -> None:
    blobs = keyed(LocalStore(tmp_path), KEY, encrypted=False)

    key = stored(blobs, b"clear bytes")

    assert file_of(blobs, key).read_bytes()[HEADER_BYTES:] == b"clear bytes"
    assert blobs.read(key, 6, 5) == b"bytes"
    assert keyed(blobs.store, KEY).read_all(key) == b"clear bytes"


def test_a_full_disk_is_said_in_words_and_leaves_nothing(
    blobs: Blobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = blobs.create(organisation_id=ORGANISATION, space_id=SPACE)

    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("collegium.kit.blobs.stores.os.write", full)
    with pytest.raises(StorageFull, match="out of space"):
        writer.write(bytes(CHUNK_BYTES + 1))
    writer.abort()

    assert list(blobs.store.listing()) == []
