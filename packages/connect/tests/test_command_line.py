"""The commands, as an administrator types them."""

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from collegium_testkit import phantoms
from collegium_testkit.fake_server import FakeServer
from collegium_testkit.gateways import GatewayProcess


def test_a_gateway_that_is_not_enrolled_says_what_to_do(tmp_path: Path, server: FakeServer) -> None:
    with GatewayProcess(tmp_path, server.url) as box:
        done = box.run("up")

    assert done.returncode == 1
    assert "collegium-connect enrol" in done.stderr


def test_a_code_works_once(process: GatewayProcess, server: FakeServer) -> None:
    again = process.run("enrol", "--server", server.url, "--code", server.code)
    replaced = process.run("enrol", "--server", server.url, "--code", server.code, "--replace")

    assert "connect.gateway.already_enrolled" in again.stderr
    assert "connections.enrolment.used" in replaced.stderr


def test_a_server_other_than_the_configured_one_is_refused(process: GatewayProcess) -> None:
    done = process.run("enrol", "--server", "https://elsewhere.example.org", "--code", "1", "--replace")

    assert done.returncode == 1
    assert "server.url" in done.stderr


def test_a_port_that_another_program_has_is_told_with_the_key_to_change(
    server: FakeServer, tmp_path: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        box = GatewayProcess(tmp_path, server.url, listen=(port, 0))
        box.enrol(server.url, server.code)

        done = box.run("up")

    assert done.returncode == 1
    assert f"Port {port} of 127.0.0.1" in done.stderr
    assert "receive.port" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_folder_is_handed_to_the_running_gateway(
    process: GatewayProcess, server: FakeServer, tmp_path: Path, until: Callable[..., None]
) -> None:
    exam = phantoms.ct_exam(tmp_path / "exam", slices=2, size=64)
    (exam.folder / "readme.txt").write_text("no image", encoding="utf-8")
    process.start()

    done = process.run("send", str(exam.folder))
    until(lambda: len(server.receipted) == 2)

    assert done.stdout.startswith("2 taken, 0 refused, 1 are no DICOM files.")
    assert done.returncode == 0


def test_without_a_running_gateway_a_folder_is_not_taken(process: GatewayProcess, tmp_path: Path) -> None:
    done = process.run("send", str(tmp_path))

    assert done.returncode == 1
    assert "collegium-connect up" in done.stderr


@pytest.mark.requirement("C24")
def test_status_tells_channels_and_exams(
    process: GatewayProcess, server: FakeServer, tmp_path: Path, until: Callable[..., None]
) -> None:
    exam = phantoms.ct_exam(tmp_path / "exam", slices=2, size=64)
    process.start()
    process.run("send", str(exam.folder))
    until(lambda: len(server.receipted) == 2)
    until(lambda: [exam["state"] for exam in process.status()["exams"]] == ["delivered"])

    done = process.run("status")

    assert "delivered" in done.stdout
    assert "TRIAL1" in done.stdout
    assert "LG-001" in done.stdout
    assert "2/2" in done.stdout
