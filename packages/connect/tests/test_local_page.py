"""The page on the gateway's own machine: what it shows and what it refuses."""

import http.client
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from collegium_connect.service import Gateway
from collegium_testkit import pacs, phantoms
from collegium_testkit.fake_server import FakeServer, Fault
from collegium_testkit.patience import PATIENCE_S

Until = Callable[..., None]


def get(gateway: Gateway, path: str, host: str = "127.0.0.1") -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.local_port, timeout=PATIENCE_S)
    try:
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        headers = {key.lower(): value for key, value in answer.getheaders()}
        return answer.status, headers, answer.read().decode()
    finally:
        connection.close()


@pytest.mark.requirement("C16", "C24")
def test_the_page_shows_channels_exams_and_why_one_waits(
    gateway: Gateway, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    server.faults = [Fault("manifest", "status", status=503, times=1000)]
    exam = phantoms.ct_exam(tmp_path / "exam", slices=2, size=64)
    pacs.send(exam.folder, "127.0.0.1", gateway.receive_port, "TRIAL1")
    until(lambda: [line.state for line in gateway.status().exams] == ["retrying"])

    _, _, page = get(gateway, "/")

    assert "Larkspur General" in page
    assert "TRIAL1" in page
    assert "LG-001" in page
    assert "Retrying" in page
    assert "A fault on purpose." in page


def test_the_page_takes_nothing_from_elsewhere_and_runs_only_its_own_script(gateway: Gateway) -> None:
    _, headers, page = get(gateway, "/")

    assert "default-src 'none'; style-src 'self'; script-src 'self'" in headers["content-security-policy"]
    assert (
        re.findall(r"<script(?! src=\"/(?:live|boxes|drop).js\" defer></script>)|\sstyle=|\son\w+=", page)
        == []
    )
    assert re.findall(r'(?:src|href)="(?![/#])', page) == []


def test_the_page_has_its_style(gateway: Gateway) -> None:
    status, headers, style = get(gateway, "/style.css")

    assert (status, headers["content-type"]) == (200, "text/css; charset=utf-8")
    assert "light dark" in style


def test_a_name_of_another_machine_is_refused(gateway: Gateway) -> None:
    status, _, _ = get(gateway, "/status.json", host="evil.example.org")

    assert status == 400


def test_what_the_server_names_a_channel_cannot_become_markup(
    start: Callable[..., Gateway], server: FakeServer
) -> None:
    server.channels = (replace(server.channels[0], name="<script>alert(1)</script>"),)
    gateway = start()

    _, _, page = get(gateway, "/")

    assert "<script>" not in page
    assert "&lt;script&gt;" in page
