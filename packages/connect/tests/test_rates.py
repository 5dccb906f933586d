"""How fast each channel receives is told of each by itself."""

import json
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from collegium_connect.service import Gateway
from collegium_connect.settings import Settings
from collegium_testkit import pacs, phantoms
from collegium_testkit.fake_server import FakeServer
from collegium_testkit.patience import PATIENCE_S


def told(gateway: Gateway, path: str) -> str:
    address = f"http://127.0.0.1:{gateway.local_port}{path}"
    with urllib.request.urlopen(address, timeout=PATIENCE_S) as answer:
        return str(answer.read().decode())


@pytest.mark.requirement("C24")
def test_queue_rate_and_last_success_are_told_of_each_channel(
    settings: Settings,
    start: Callable[..., Gateway],
    server: FakeServer,
    tmp_path: Path,
    until: Callable[..., None],
) -> None:
    second = replace(server.channels[0], channel_id="ch-2", called_ae="TRIAL2", project_name="Another")
    server.channels = (*server.channels, second)
    gateway = start(settings)

    pacs.send(
        phantoms.ct_exam(tmp_path, slices=2, size=256).files, "127.0.0.1", gateway.receive_port, "TRIAL1"
    )
    until(lambda: len(server.receipted) == 2)
    until(lambda: [line.rate_in_mbps > 0 for line in gateway.status().channels] == [True, False])

    lines = {line["called_ae"]: line for line in json.loads(told(gateway, "/status.json"))["channels"]}
    assert {name: line["queue_objects"] for name, line in lines.items()} == {"TRIAL1": 0, "TRIAL2": 0}
    assert lines["TRIAL1"]["last_success_at"]
    assert lines["TRIAL2"]["last_success_at"] is None
    assert lines["TRIAL2"]["rate_in_mbps"] == 0
    assert "Mbps in" in told(gateway, "/")
    assert 'collegium_connect_channel_rate_in_mbps{channel="TRIAL2"} 0\n' in told(gateway, "/metrics")
