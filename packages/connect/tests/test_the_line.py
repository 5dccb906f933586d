"""The line to the server: TLS only, only to who is trusted, through a proxy, and never in the way of stopping."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from collegium_connect.errors import SettingsInvalid
from collegium_connect.send.client import ServerClient
from collegium_connect.service import Gateway
from collegium_connect.settings import ServerSettings, Settings
from collegium_testkit import certificates, pacs, phantoms
from collegium_testkit.fake_server import FakeServer, Fault
from collegium_testkit.proxy import Proxy

Until = Callable[..., None]


@pytest.fixture
def tls_server(
    server: FakeServer, settings: Settings, start: Callable[..., Gateway], tmp_path: Path
) -> Iterator[tuple[FakeServer, Path]]:
    """The server that the gateway is enrolled with, over TLS, and the authority of its certificate."""
    start(settings).stop()  # enrolled: the token is the gateway's
    pem, context = certificates.own_authority(tmp_path / "tls")
    with FakeServer(server.channels, tls=context) as fake:
        fake.code, fake.token = server.code, server.token
        yield fake, pem


def push(gateway: Gateway, folder: Path) -> None:
    exam = phantoms.ct_exam(folder, slices=2, size=64)
    pacs.send(exam.folder, "127.0.0.1", gateway.receive_port, "TRIAL1")


@pytest.mark.requirement("C02")
def test_an_exam_is_delivered_over_tls_to_a_server_whose_authority_is_named(
    settings: Settings,
    start: Callable[..., Gateway],
    tls_server: tuple[FakeServer, Path],
    tmp_path: Path,
    until: Until,
) -> None:
    fake, pem = tls_server
    gateway = start(replace(settings, server=replace(settings.server, url=fake.url, ca_file=pem)))

    push(gateway, tmp_path / "exam")

    until(lambda: len(fake.receipted) == 2)


@pytest.mark.requirement("C02")
def test_nothing_is_sent_to_a_server_that_is_not_trusted(
    settings: Settings,
    start: Callable[..., Gateway],
    tls_server: tuple[FakeServer, Path],
    tmp_path: Path,
    until: Until,
) -> None:
    fake, _ = tls_server
    gateway = start(replace(settings, server=replace(settings.server, url=fake.url)))

    push(gateway, tmp_path / "exam")
    until(lambda: [line.state for line in gateway.status().exams] == ["retrying"])

    (line,) = gateway.status().exams
    assert line.reason == "The server's certificate is not trusted. Check server.ca_file."
    assert fake.sent == []


@pytest.mark.requirement("C02")
def test_a_configured_proxy_carries_everything(
    settings: Settings,
    start: Callable[..., Gateway],
    tls_server: tuple[FakeServer, Path],
    tmp_path: Path,
    until: Until,
) -> None:
    fake, pem = tls_server
    with Proxy() as proxy:
        chosen = replace(settings.server, url=fake.url, ca_file=pem, proxy=proxy.url())
        gateway = start(replace(settings, server=chosen))
        push(gateway, tmp_path / "exam")
        until(lambda: len(fake.receipted) == 2)
        gateway.stop()

    assert set(proxy.tunnels) == {fake.url.removeprefix("https://")}
    assert proxy.refused == 0


@pytest.mark.requirement("C02")
def test_images_are_never_sent_in_clear_over_a_network() -> None:
    with pytest.raises(SettingsInvalid):
        ServerClient(ServerSettings(url="https://a.example.org"), "http://a.example.org")


def test_a_server_that_hangs_does_not_keep_the_gateway_from_stopping(  # noqa: PLR0917 - fixtures
    settings: Settings,
    start: Callable[..., Gateway],
    server: FakeServer,
    log_file: Path,
    tmp_path: Path,
    until: Until,
) -> None:
    gateway = start(replace(settings, server=replace(settings.server, timeout_s=3600.0)))
    server.faults = [Fault("objects", "hang", times=100)]
    push(gateway, tmp_path / "exam")
    until(lambda: server.faults[0].times < 100)

    gateway.stop()

    # It hangs on, and this gateway would wait for an hour; the test's own time is up long before.
    assert not server.ending.is_set()
    assert '"gateway.stopped"' in log_file.read_text("utf-8")
