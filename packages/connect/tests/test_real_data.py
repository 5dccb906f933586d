"""Public test images, odd ones too: each is delivered or set aside, none is lost, none ends the gateway."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom.errors import InvalidDicomError
from pydicom.filereader import read_file_meta_info

from collegium_connect.service import Gateway
from collegium_testkit import pacs, real_data

FOLDER = real_data.folder()


def sendable(path: Path) -> bool:
    try:
        meta = read_file_meta_info(path)
    except (InvalidDicomError, OSError, ValueError, KeyError):
        return False
    return bool(meta.get("MediaStorageSOPClassUID")) and bool(meta.get("TransferSyntaxUID"))


@pytest.mark.skipif(FOLDER is None, reason="no real data on this machine")
@pytest.mark.filterwarnings(
    "ignore::UserWarning"
)  # pydicom on what is odd in these files, which is why they are here
def test_every_real_object_is_delivered_or_set_aside(gateway: Gateway, until: Callable[..., None]) -> None:
    assert FOLDER is not None
    folders = sorted(path for path in FOLDER.iterdir() if path.is_dir())
    paths = [
        path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file() and sendable(path)
    ]

    statuses = [
        item
        for start in range(0, len(paths), 60)
        for item in pacs.send(paths[start : start + 60], "127.0.0.1", gateway.receive_port, "TRIAL1")
    ]
    until(lambda: gateway.status().totals.queue_objects == 0)

    stored = [item for item in statuses if item.stored]
    refused = [item for item in statuses if not item.stored and item.status != pacs.NO_ANSWER]
    assert len(stored) > 50
    assert refused == []
