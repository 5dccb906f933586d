"""The way to the server: own authority, proxy, certificates that end; each trouble told in words."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from collegium_connect import SOFTWARE
from collegium_connect.send.client import ServerClient
from collegium_connect.send.errors import AttemptFailed
from collegium_connect.service import Gateway
from collegium_connect.settings import ServerSettings, Settings
from collegium_testkit import certificates, pacs, phantoms
from collegium_testkit.fake_server import FakeServer
from collegium_testkit.ports import closed_port
from collegium_testkit.proxy import Proxy
from collegium_wire import PROTOCOL, Heartbeat

Until = Callable[..., None]
BEAT = Heartbeat(
    protocol=PROTOCOL,
    software=SOFTWARE,
    queue_objects=0,
    queue_bytes=0,
    failures=0,
    last_success_at=None,
    channels=(),
)


def failure_of(settings: ServerSettings) -> AttemptFailed:
    """What one call says."""
    client = ServerClient(settings, settings.url, "any token")
    try:
        client.heartbeat(BEAT)
    except AttemptFailed as failure:
        return failure
    finally:
        client.close()
    raise AssertionError("The call went through.")


def test_a_server_of_an_own_authority_is_reached_when_its_file_is_named(tmp_path: Path) -> None:
    pem, tls = certificates.own_authority(tmp_path)
    with FakeServer(tls=tls) as server:
        client = ServerClient(ServerSettings(url=server.url, ca_file=pem), server.url, server.token)

        answer = client.heartbeat(BEAT)
        client.close()

    assert answer.protocol == PROTOCOL
    assert client.certificate_ends is not None
    assert client.certificate_ends == client.authority_ends
    assert timedelta(hours=23) < client.certificate_ends - datetime.now(UTC) <= timedelta(days=1)


def test_an_authority_that_nobody_named_is_not_trusted(tmp_path: Path) -> None:
    _, tls = certificates.own_authority(tmp_path)
    with FakeServer(tls=tls) as server:
        failure = failure_of(ServerSettings(url=server.url))

    assert failure.code == "connect.line.untrusted"
    assert failure.is_everywhere


def test_a_certificate_that_expired_is_told_apart_from_one_that_is_not_trusted(tmp_path: Path) -> None:
    pem, tls = certificates.own_authority(tmp_path, ends=datetime.now(UTC) - timedelta(hours=1))
    with FakeServer(tls=tls) as server:
        failure = failure_of(ServerSettings(url=server.url, ca_file=pem))

    assert failure.code == "connect.line.expired"
    assert failure.message == "The server's certificate has expired. Tell whoever runs the server."


@pytest.mark.requirement("C02")
def test_every_byte_goes_through_the_proxy_that_is_set(tmp_path: Path) -> None:
    pem, tls = certificates.own_authority(tmp_path)
    with FakeServer(tls=tls) as server, Proxy("secret") as proxy:
        settings = ServerSettings(url=server.url, ca_file=pem, proxy=proxy.url("secret"))
        client = ServerClient(settings, server.url, server.token)

        client.heartbeat(BEAT)
        client.close()

    assert proxy.tunnels == [server.url.removeprefix("https://")]
    assert client.certificate_ends is not None


def test_a_proxy_that_refuses_is_named_as_the_cause(tmp_path: Path) -> None:
    pem, tls = certificates.own_authority(tmp_path)
    with FakeServer(tls=tls) as server, Proxy("secret") as proxy:
        settings = ServerSettings(url=server.url, ca_file=pem, proxy=proxy.url("wrong"))
        failure = failure_of(settings)

    assert failure.code == "connect.line.proxy"
    assert failure.message == "The proxy did not let the call through. Check server.proxy."
    assert "wrong" not in failure.message
    assert server.sent == []


def test_a_server_that_does_not_answer_is_told_as_such() -> None:
    with closed_port() as port:
        failure = failure_of(ServerSettings(url=f"http://127.0.0.1:{port}"))

    assert failure.code == "connect.line.down"


def test_a_certificate_is_told_fourteen_days_before_it_ends(
    settings: Settings, start: Callable[..., Gateway], tmp_path: Path, server: FakeServer, until: Until
) -> None:
    pem, tls = certificates.own_authority(tmp_path / "tls", ends=datetime.now(UTC) + timedelta(days=9.5))
    with FakeServer(server.channels, tls=tls) as secure:
        start(settings).stop()
        secure.code, secure.token = server.code, server.token  # the token came with enrolment
        gateway = start(replace(settings, server=replace(settings.server, url=secure.url, ca_file=pem)))
        until(lambda: len(gateway.alarms.standing) == 2)

        exam = phantoms.ct_exam(tmp_path / "exam", slices=1, size=64)
        pacs.send(exam.folder, "127.0.0.1", gateway.receive_port, "TRIAL1")
        until(lambda: [line.state for line in gateway.status().exams] == ["delivered"])

    told = {alarm.code: alarm.message for alarm in gateway.alarms.standing}
    assert told.keys() == {"connect.server.certificate_ends", "connect.server.authority_ends"}
    assert "in 9 days. Tell whoever runs the server." in told["connect.server.certificate_ends"]
