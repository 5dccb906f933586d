"""No identifier leaves, none lies on the disk in clear, none is in a log or on the page."""

import urllib.request
from collections.abc import Callable
from pathlib import Path

import pytest

from collegium_testkit import pacs, phantoms
from collegium_testkit.fake_server import FakeServer, Fault
from collegium_testkit.gateways import GatewayProcess
from collegium_testkit.patience import PATIENCE_S


def found(planted: tuple[str, ...], content: bytes) -> list[str]:
    """Which planted strings are in these bytes, in any encoding a header may have used."""
    lowered = content.lower()
    return [
        text
        for text in planted
        if any(text.encode(name, "ignore").lower() in lowered for name in ("utf-8", "latin-1", "utf-16-le"))
    ]


@pytest.fixture
def planted(
    process: GatewayProcess, server: FakeServer, tmp_path: Path, until: Callable[..., None]
) -> tuple[str, ...]:
    """A gateway that holds an exam it cannot send yet, one it sent, and one in quarantine."""
    process.start()
    waiting = phantoms.ct_exam(tmp_path / "waiting", slices=3, size=64, seed=11)
    sent = phantoms.ct_exam(tmp_path / "sent", slices=3, size=64, seed=12)
    pet = phantoms.pet_exam(tmp_path / "pet", ct=sent, slices=2, size=64)
    broken = phantoms.ct_exam(tmp_path / "broken", slices=1, size=64, seed=13)
    broken.files[0].write_bytes(broken.files[0].read_bytes()[:-50])
    for folder in (sent.folder, pet.folder):
        pacs.send(folder, "127.0.0.1", process.receive_port, "TRIAL1")
    until(lambda: len(server.receipted) == 5)
    server.faults = [Fault("complete", "cut_before", times=1000)]
    for folder in (waiting.folder, broken.folder):
        pacs.send(folder, "127.0.0.1", process.receive_port, "TRIAL1")
    until(lambda: len(server.objects) == 8)
    until(lambda: "object.quarantined" in process.log_text)
    return (*waiting.planted, *sent.planted, *pet.planted, *broken.planted)


@pytest.mark.requirement("C03")
def test_no_planted_identifier_is_in_any_byte_that_left(planted: tuple[str, ...], server: FakeServer) -> None:
    leaked = found(planted, b"\0".join(server.sent))

    assert server.sent
    assert leaked == []


@pytest.mark.requirement("C03", "C19")
def test_no_planted_identifier_lies_on_the_disk_in_clear(
    planted: tuple[str, ...], process: GatewayProcess
) -> None:
    process.kill()  # what lies there stays as it lies
    files = [path for path in process.data_dir.rglob("*") if path.is_file()]

    leaked = {path.name: found(planted, path.read_bytes()) for path in files}

    assert len(files) > 6
    assert [name for name, texts in leaked.items() if texts] == []


@pytest.mark.requirement("C03")
def test_no_planted_identifier_is_in_the_log(planted: tuple[str, ...], process: GatewayProcess) -> None:
    assert "object.quarantined" in process.log_text
    assert found(planted, process.log_text.encode()) == []


@pytest.mark.requirement("C03")
def test_no_planted_identifier_is_on_the_local_page_or_in_status(
    planted: tuple[str, ...], process: GatewayProcess
) -> None:
    address = f"http://127.0.0.1:{process.local_port}"
    with urllib.request.urlopen(address + "/", timeout=PATIENCE_S) as page:
        content = page.read()
    with urllib.request.urlopen(address + "/status.json", timeout=PATIENCE_S) as status:
        content += status.read()

    content += process.run("status").stdout.encode()

    assert b"LG-001" in content
    assert found(planted, content) == []


@pytest.mark.requirement("C03", "C19")
def test_what_the_gateway_writes_is_readable_by_its_own_account_only(
    planted: tuple[str, ...], process: GatewayProcess
) -> None:
    process.kill()  # what lies there stays as it lies
    modes = {
        path.name: path.stat().st_mode & 0o077 for path in [process.data_dir, *process.data_dir.rglob("*")]
    }

    assert planted
    # The lease tells the updater's account which version runs, and nothing else.
    assert {name: mode for name, mode in modes.items() if mode} == {"running": 0o040}
