"""The gateway is killed, fed with rubbish and overheard, with the real server behind it."""

from __future__ import annotations

import base64
import contextlib
import json
import random
import shutil
import socket
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pydicom
import pytest

from collegium_testkit import pacs, phantoms
from collegium_testkit.leftovers import drops_its_socket
from collegium_testkit.patience import PATIENCE_S, until
from tests.journeys.hospital import Hospital

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

pytestmark = [pytest.mark.journey, pytest.mark.timeout(1200)]

EXAMS, SLICES = 5, 60


@pytest.fixture(scope="module")
def hospital() -> Iterator[Hospital]:
    """One installation for the whole module; each test counts what it adds."""
    place = Path(tempfile.mkdtemp(prefix="collegium-journey-"))
    place.chmod(0o755)
    with Hospital(place) as running:
        yield running
    shutil.rmtree(place, ignore_errors=True)


class ResendingPacs(threading.Thread):
    """Sends every file until each has once been answered with success, as a PACS's queue does."""

    def __init__(self, hospital: Hospital, paths: Sequence[Path]) -> None:
        super().__init__(daemon=True)
        self._hospital, self.waiting = hospital, list(paths)
        self._is_over = False

    def run(self) -> None:
        while self.waiting and not self._is_over:
            try:
                sent = self._hospital.push(self.waiting[:40])
            except (pacs.AssociationRefused, OSError, ValueError, KeyError):
                time.sleep(0.05)  # it is down, or just coming up
                continue
            stored = {one.path for one in sent if one.stored}
            self.waiting = [path for path in self.waiting if path not in stored]

    def end(self) -> None:
        """Send no more, and wait until nothing is being sent."""
        self._is_over = True
        self.join(PATIENCE_S)


def killed_again_and_again(hospital: Hospital, folder: Path, kills: int, seed: int) -> None:
    """Push 300 images, kill the gateway `kills` times meanwhile, and see that all arrive once."""
    chance = random.Random(seed)
    before = sum(hospital.instances().values())
    exams = [
        phantoms.ct_exam(folder / str(number), slices=SLICES, size=64, seed=1000 * seed + number)
        for number in range(EXAMS)
    ]
    sender = ResendingPacs(hospital, [path for exam in exams for path in exam.files])
    sender.start()

    try:
        for _ in range(kills):
            time.sleep(chance.uniform(0.1, 1.5))
            hospital.gateway.kill()
            hospital.gateway.start()
        until(lambda: not sender.waiting, "every file to be taken", 5 * PATIENCE_S, hospital.story)
    finally:
        sender.end()
    hospital.await_delivered(before + EXAMS * SLICES)

    assert_both_agree(hospital, before + EXAMS * SLICES)


def assert_both_agree(hospital: Hospital, images: int) -> None:
    """Exactly so many images, each receipted once, the same number at both ends, the trail whole."""
    until(lambda: set(hospital.tasks().values()) == {1}, "one task an exam", story=hospital.story)
    until(
        lambda: hospital.status()["queue_objects"] == 0,
        "the gateway to hold every receipt",
        story=hospital.story,
    )
    instances = hospital.instances()
    assert len(instances) == images
    assert set(instances.values()) == {1}
    assert hospital.receipts() == instances
    status = hospital.status()
    assert sum(exam["delivered"] for exam in status["exams"]) == images
    assert sum(exam["objects"] for exam in status["exams"]) == images
    verified = hospital.verify_trail()
    assert verified.returncode == 0, verified.stdout


@pytest.mark.requirement("C14", "C15")
@drops_its_socket
def test_killed_while_a_pacs_pushes_every_image_is_in_the_archive_once(
    hospital: Hospital, tmp_path: Path
) -> None:
    killed_again_and_again(hospital, tmp_path, kills=5, seed=1)


@pytest.mark.soak
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", [2, 3, 4, 5, 6])
@drops_its_socket
def test_killed_a_hundred_times_every_image_is_in_the_archive_once(
    hospital: Hospital, tmp_path: Path, seed: int
) -> None:
    killed_again_and_again(hospital, tmp_path, kills=20, seed=seed)


@pytest.mark.requirement("C01", "C03", "C13")
def test_rubbish_at_the_door_is_told_apart_in_words_and_harms_no_exam(
    hospital: Hospital, tmp_path: Path
) -> None:
    before = hospital.delivered()
    set_aside = hospital.status()["quarantined_objects"]
    good = phantoms.ct_exam(tmp_path / "good", slices=3, size=64, seed=91)
    cut = phantoms.ct_exam(tmp_path / "cut", slices=1, size=64, seed=92)
    cut.files[0].write_bytes(cut.files[0].read_bytes()[:-1000])

    say(hospital, b"GET / HTTP/1.1\r\nHost: gateway\r\n\r\n")
    with pytest.raises(pacs.AssociationRefused):
        hospital.push(good.files, called_ae="NOBODY")
    sent = hospital.push([*cut.files, *good.files])
    hospital.await_delivered(before + 3)

    assert {one.status for one in sent} == {pacs.SUCCESS}
    until(lambda: hospital.status()["quarantined_objects"] > set_aside, "what was cut to be set aside")
    assert hospital.status()["quarantined_objects"] == set_aside + 1
    for words in ("a PDU that has no place here, or is none", "no channel has this called AE title"):
        until(lambda: words in hospital.gateway.log_text, words)  # noqa: B023  asked here and now
    log = hospital.gateway.log_text
    (reason,) = {line["reason"] for line in hospital.status()["quarantine"]}
    assert "cut" in reason or "ends" in reason or "short" in reason, reason
    assert_silent(log + hospital.server.log_text + hospital.local_page(), (*good.planted, *cut.planted))


def say(hospital: Hospital, words: bytes) -> None:
    """Bytes of another protocol at the DICOM port, until it hangs up."""
    address = ("127.0.0.1", hospital.gateway.receive_port)
    with socket.create_connection(address, timeout=PATIENCE_S) as line, contextlib.suppress(ConnectionError):
        line.sendall(words)
        while line.recv(1024):
            continue


def assert_silent(text: str, planted: Sequence[str]) -> None:
    assert not [word for word in planted if word in text]


@pytest.mark.requirement("C26")
def test_the_doctors_test_exam_goes_the_whole_way_and_the_server_keeps_nothing_of_it(
    hospital: Hospital,
) -> None:
    before, tasks, kept = hospital.instances(), hospital.tasks(), hospital.used_bytes()

    done = hospital.gateway.run("doctor", "--json")

    found = {line["about"]: line for line in json.loads(done.stdout)["findings"]}
    assert found["Round trip"]["verdict"] == "good", found
    assert (hospital.instances(), hospital.tasks(), hospital.used_bytes()) == (before, tasks, kept)
    assert hospital.ask("select count(*) from imaging_archive_exam where subject_code like 'TEST-%%'") == [
        (0,)
    ]
    assert hospital.ask("select count(*) from imaging_connections_channel where tested_at is not null") == [
        (1,)
    ]


@pytest.mark.requirement("C03")
def test_of_all_bytes_that_leave_the_hospital_none_tells_who_it_is(
    hospital: Hospital, tmp_path: Path
) -> None:
    before = hospital.delivered()
    ct = phantoms.ct_exam(tmp_path / "ct", slices=4, size=64, seed=81)
    pet = phantoms.pet_exam(tmp_path / "pet", ct=ct, slices=3, size=64, seed=82)
    refused = phantoms.ct_exam(tmp_path / "refused", slices=1, size=64, seed=83)
    refused.files[0].write_bytes(refused.files[0].read_bytes()[:-1000])  # goes to quarantine

    hospital.push([*ct.files, *pet.files, *refused.files])
    hospital.await_delivered(before + 7)
    with hospital.altered("imaging_connections_gateway", "token_digest", bytes(32)):
        hospital.await_words("its access was revoked")  # failing calls are overheard as well
    until(lambda: "its access was revoked" not in hospital.local_page(), "the next heartbeat")

    overheard = hospital.line.streams
    everything = b"\n".join(overheard)
    (code,) = {exam["subject"] for exam in hospital.status()["exams"] if exam["objects"] == 7}
    assert pixels_of(ct.files[0]) in everything  # the capture does hold the images
    assert code.encode() in everything
    for planted in (*ct.planted, *pet.planted, *refused.planted):
        for spelling in spellings(planted):
            assert spelling not in everything, planted


def pixels_of(path: Path) -> bytes:
    return bytes(pydicom.dcmread(path).PixelData[:512])


def spellings(word: str) -> set[bytes]:
    """The ways in which a value could be written on the line."""
    plain = word.encode()
    encoded = base64.b64encode(plain).rstrip(b"=")[:-1]
    escaped = json.dumps(word)[1:-1].encode()
    return {plain, plain.lower(), word.encode("utf-16-le"), encoded, plain.hex().encode(), escaped}
