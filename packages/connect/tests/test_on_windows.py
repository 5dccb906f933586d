"""The whole line on a Windows that is pretended: no positioned write, no modes, other locks, other links."""

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from collegium_connect import machine
from collegium_connect.errors import AlreadyRunning
from collegium_connect.machine.windows import Windows
from collegium_connect.service import Gateway
from collegium_connect.settings import InspectSettings, Settings
from collegium_testkit import pacs, phantoms
from collegium_testkit.fake_server import FakeServer
from collegium_testkit.windows import TRUSTED, PretendedWindows


@pytest.fixture
def pretended(monkeypatch: pytest.MonkeyPatch) -> PretendedWindows:
    """From here on this process runs on Windows, as far as the gateway can tell."""
    pretended = PretendedWindows()
    here = Windows(pretended.library, pretended.module, pretended.commands.append, lambda _: None)
    monkeypatch.setattr(machine, "HERE", here)
    for name in ("pwritev", "pwrite", "pread", "preadv", "fdatasync", "posix_fallocate", "sched_getaffinity"):
        monkeypatch.delattr(os, name, raising=False)
    return pretended


@pytest.fixture
def on_windows(
    pretended: PretendedWindows, start: Callable[..., Gateway], settings: Settings
) -> tuple[Gateway, PretendedWindows]:
    # The inspectors of other processes would find themselves on the real system.
    return start(replace(settings, inspect=InspectSettings(processes=0))), pretended


@pytest.mark.requirement("C23")
def test_an_exam_is_received_cleaned_and_delivered(
    on_windows: tuple[Gateway, PretendedWindows],
    server: FakeServer,
    tmp_path: Path,
    until: Callable[..., None],
) -> None:
    gateway, _ = on_windows
    exam = phantoms.ct_exam(tmp_path / "exam", slices=3, size=64)

    sent = pacs.send(exam.folder, "127.0.0.1", gateway.receive_port, "TRIAL1")
    until(lambda: len(server.receipted) == 3)

    assert [item.status for item in sent] == [0, 0, 0]


def test_every_key_gets_an_access_list_where_its_folder_lets_others_read(
    pretended: PretendedWindows, start: Callable[..., Gateway], settings: Settings
) -> None:
    pretended.access_list = f"{TRUSTED}(A;ID;0x1200a9;;;BU)"
    start(replace(settings, inspect=InspectSettings(processes=0)))

    keys = {str(path) for path in (settings.gateway.data_dir / "keys").glob("*.key")}

    assert keys
    assert keys <= {command[1] for command in pretended.commands}


@pytest.mark.usefixtures("on_windows")
def test_a_second_gateway_stays_out(settings: Settings) -> None:
    with pytest.raises(AlreadyRunning):
        Gateway(settings)
