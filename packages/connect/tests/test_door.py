"""Who is let in, what is refused, and what a rude peer can do."""

import json
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from collegium_connect.receive import pdu
from collegium_connect.service import Gateway
from collegium_connect.settings import CallerSettings, Settings
from collegium_testkit import pacs, phantoms
from collegium_testkit.patience import PATIENCE_S

CT = "1.2.840.10008.5.1.4.1.1.2"


def events(log_file: Path, name: str) -> list[dict[str, object]]:
    lines = [json.loads(line) for line in log_file.read_text("utf-8").splitlines()]
    return [line for line in lines if line["event"] == name]


@pytest.mark.requirement("C01")
def test_a_listed_caller_is_answered_an_echo(gateway: Gateway) -> None:
    assert pacs.echo("127.0.0.1", gateway.receive_port, "TRIAL1") == pacs.SUCCESS


@pytest.mark.requirement("C01")
def test_an_unlisted_caller_is_refused_with_a_logged_reason(gateway: Gateway, log_file: Path) -> None:
    with pytest.raises(pacs.AssociationRefused) as error:
        pacs.echo("127.0.0.1", gateway.receive_port, "TRIAL1", "STRANGER")

    assert (error.value.result, error.value.source, error.value.reason) == (1, 1, 3)
    (event,) = events(log_file, "association.refused")
    assert event["calling"] == "STRANGER"
    assert event["reason"] == "calling AE title or address not listed"


@pytest.mark.requirement("C01")
def test_a_listed_title_from_another_address_is_refused(
    settings: Settings, start: Callable[..., Gateway]
) -> None:
    elsewhere = (CallerSettings(ae="TESTPACS", address="10.20.0.0/16"),)
    gateway = start(replace(settings, receive=replace(settings.receive, allowed_callers=elsewhere)))

    with socket.create_connection(("127.0.0.1", gateway.receive_port), timeout=PATIENCE_S) as peer:
        assert peer.recv(1) == b""


@pytest.mark.requirement("C01")
def test_nobody_is_listed_by_default(settings: Settings, start: Callable[..., Gateway]) -> None:
    gateway = start(replace(settings, receive=replace(settings.receive, allowed_callers=())))

    with pytest.raises(pacs.AssociationRefused):
        pacs.echo("127.0.0.1", gateway.receive_port, "TRIAL1")


@pytest.mark.requirement("C01", "C04")
def test_a_called_title_without_a_channel_is_refused(gateway: Gateway, log_file: Path) -> None:
    with pytest.raises(pacs.AssociationRefused) as error:
        pacs.echo("127.0.0.1", gateway.receive_port, "NOBODY")

    assert error.value.reason == 7
    assert events(log_file, "association.refused")


def refusal(gateway: Gateway) -> tuple[int, int, int]:
    """Result, source and reason that a C-ECHO is refused with."""
    with pytest.raises(pacs.AssociationRefused) as error:
        pacs.echo("127.0.0.1", gateway.receive_port, "TRIAL1")
    return error.value.result, error.value.source, error.value.reason


@pytest.mark.requirement("C24")
def test_too_many_associations_are_refused_for_now(settings: Settings, start: Callable[..., Gateway]) -> None:
    gateway = start(replace(settings, receive=replace(settings.receive, max_associations=1)))

    with socket.create_connection(("127.0.0.1", gateway.receive_port), timeout=PATIENCE_S) as inside:
        inside.sendall(_associate_rq())
        inside.recv(1)
        refused = [refusal(gateway) for _ in range(3)]

    assert set(refused) == {(2, 3, 2)}


@pytest.mark.parametrize(
    "rude",
    [
        b"GET / HTTP/1.1\r\nHost: gateway\r\n\r\n",
        b"\x01\x00\x00\x00\x00\x04abcd",
        b"\x04\x00\x00\x00\x00\x04abcd",
        b"\x01\x00\xff\xff\xff\xff",
        b"\x07\x00\x00\x00\x00\x04\x00\x00\x00\x00",
    ],
)
def test_what_is_no_association_request_ends_only_its_own_connection(gateway: Gateway, rude: bytes) -> None:
    with socket.create_connection(("127.0.0.1", gateway.receive_port), timeout=PATIENCE_S) as peer:
        peer.sendall(rude)
        answer = peer.recv(100)

    assert answer[:1] in {b"", b"\x07"}
    assert pacs.echo("127.0.0.1", gateway.receive_port, "TRIAL1") == pacs.SUCCESS


def test_a_silent_peer_is_let_go(settings: Settings, start: Callable[..., Gateway]) -> None:
    gateway = start(replace(settings, receive=replace(settings.receive, artim_s=0.3)))

    with socket.create_connection(("127.0.0.1", gateway.receive_port), timeout=PATIENCE_S) as peer:
        assert peer.recv(1) == b""


def test_a_peer_that_leaves_in_the_middle_of_an_object_leaves_nothing(
    gateway: Gateway, settings: Settings
) -> None:
    with socket.create_connection(("127.0.0.1", gateway.receive_port), timeout=PATIENCE_S) as peer:
        peer.sendall(_associate_rq())
        assert peer.recv(6)[:1] == b"\x02"
        peer.sendall(b"\x04\x00\x00\x10\x00\x00" + b"\x00\x00\x0f\xfc\x01\x03" + b"half a command")

    assert pacs.echo("127.0.0.1", gateway.receive_port, "TRIAL1") == pacs.SUCCESS
    assert list((settings.gateway.data_dir / "spool").iterdir()) == []


def test_objects_larger_than_the_limit_end_the_association(
    settings: Settings, start: Callable[..., Gateway], tmp_path: Path
) -> None:
    gateway = start(replace(settings, limits=replace(settings.limits, object_bytes=5000)))
    exam = phantoms.ct_exam(tmp_path / "exam", slices=1, size=64)

    sent = pacs.send(exam.folder, "127.0.0.1", gateway.receive_port, "TRIAL1")

    assert [item.stored for item in sent] == [False]


def _associate_rq() -> bytes:
    """A request for CT storage as PS3.8 section 9.3.2 lays it out, made by hand."""
    context = pdu.item(
        0x20, b"\1\0\0\0" + pdu.item(0x30, CT.encode()) + pdu.item(0x40, b"1.2.840.10008.1.2.1")
    )
    user = pdu.item(0x50, pdu.item(0x51, b"\0\1\0\0") + pdu.item(0x52, b"1.2.3"))
    titles = b"TRIAL1".ljust(16) + b"TESTPACS".ljust(16) + bytes(32)
    body = b"\0\1\0\0" + titles + pdu.item(0x10, pdu.APPLICATION_CONTEXT) + context + user
    return pdu.pdu(pdu.Kind.ASSOCIATE_RQ, body)
