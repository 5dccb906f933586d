"""What is refused is let go at once: a request of many small parts costs the server no memory a part."""

from __future__ import annotations

import os
import weakref
from typing import TYPE_CHECKING

from collegium.imaging.ingest.corridor import Arrival
from collegium.imaging.ingest.upload import Upload
from collegium.kit.blobs import Blobs, LocalStore
from collegium.kit.ids import uuid7

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


class _Key:
    id = uuid7()
    secret = os.urandom(32)


def test_no_refused_part_keeps_its_buffers(tmp_path: Path) -> None:
    blobs = Blobs(LocalStore(tmp_path), newest_key=lambda _: _Key, key_by_id=lambda _: _Key)
    begun: list[weakref.ref[Arrival]] = []

    def begin(_headers: Mapping[str, str]) -> Arrival:
        arrival = Arrival(lambda: blobs.create(organisation_id=uuid7(), space_id=uuid7()))
        begun.append(weakref.ref(arrival))
        return arrival

    upload = Upload.of(b"b", begin)
    upload.feed([*[b"\r\n--b\r\n\r\nx"] * 20, b"\r\n--b--\r\n"])
    upload.close()

    assert len(upload.refused) == 20
    assert [arrival for arrival in begun if arrival()] == []
