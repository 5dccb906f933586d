"""Decisions of people survive `kill -9` at any moment: released once, deleted for good, nothing in between."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from pydicom import dcmread

from collegium_connect import settings
from collegium_connect.actor import Actor, Role
from collegium_connect.cli.parts import LocalParts, local_parts
from collegium_connect.quarantine import TooLate
from collegium_testkit import pacs, phantoms
from collegium_testkit.captures import captures
from collegium_testkit.fake_server import FakeServer, Fault
from collegium_testkit.gateways import GatewayProcess

ONA = Actor("Ona Operator", Role.OPERATOR)
WHY = "Decided in a test."
Until = Callable[..., None]


def decide(parts: LocalParts, object_id: str, number: int) -> str:
    """Delete every third, release the others; the digest of what may leave, or nothing."""
    if number % 3 == 0:
        parts.quarantine.delete(ONA, object_id, WHY)
        return ""
    seen = parts.quarantine.look(ONA, object_id)
    parts.quarantine.release(ONA, seen.look_id, WHY)
    return seen.view.sha256


@pytest.mark.soak
@pytest.mark.requirement("C14", "C18")
def test_no_decision_is_lost_or_done_twice_when_the_gateway_is_killed(
    process: GatewayProcess, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    chance, count = random.Random(54), 12
    process.start()
    pacs.send(captures(tmp_path / "exam", count), "127.0.0.1", process.receive_port, "TRIAL1")
    released: set[str] = set()
    with local_parts(settings.load(process.config)) as parts:
        waiting = [item.object_id for item in parts.quarantine.objects(limit=count)]
        for number, object_id in enumerate(waiting):
            released |= {decide(parts, object_id, number)} - {""}
            if chance.random() < 0.5:
                process.kill()
                process.start()
        until(lambda: len(server.receipted) == len(released))

        left = parts.quarantine.objects(limit=count)
        verdict = parts.trail.verify()
    process.stop()

    assert (len(waiting), len(released), left) == (count, count - count // 3, [])
    assert set(server.receipted.values()) == {1}
    assert verdict.is_whole
    segments = (process.data_dir / "spool").glob("*.segment")
    assert not any(any(path.read_bytes()) for path in segments)


@pytest.mark.requirement("C14", "C18")
def test_a_decision_stays_when_the_gateway_is_killed_while_the_server_hears_of_the_exam(
    process: GatewayProcess, server: FakeServer, tmp_path: Path, until: Until
) -> None:
    server.faults = [Fault("manifest", "hang", times=10_000)]
    process.start()
    pacs.send(mixed(tmp_path / "exam"), "127.0.0.1", process.receive_port, "TRIAL1")
    with local_parts(settings.load(process.config)) as parts:
        (exam,) = parts.two_patients.exams()
        parts.two_patients.split(ONA, exam.exam_id, WHY)
        until(lambda: any(one.startswith(b"PUT ") for one in server.sent))
        process.kill()

        with pytest.raises(TooLate):
            parts.two_patients.take_back(ONA, exam.exam_id, "That was too quick of me.")


def mixed(folder: Path) -> list[Path]:
    """Two slices of one exam, with two patients' ids."""
    files = list(phantoms.ct_exam(folder, slices=2, size=64).files)
    dataset = dcmread(files[1])
    dataset.PatientID = "SOMEONE-ELSE"
    dataset.save_as(files[1], enforce_file_format=True)
    return files
