"""DCMTK's programs at the door, where they are installed: other people's reading of the same standard."""

import hashlib
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydicom import dcmread

from collegium_connect.receive import Door
from collegium_connect.settings import LimitSettings, ReceiveSettings
from collegium_testkit import certificates, phantoms
from collegium_testkit.doors import Shelf
from collegium_testkit.patience import PATIENCE_S

pytestmark = pytest.mark.skipif(
    any(shutil.which(name) is None for name in ("echoscu", "storescu", "dcmsend", "findscu")),
    reason="DCMTK is not installed",
)
Opens = Callable[..., Door]


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
def opens(shelf: Shelf) -> Iterator[Opens]:
    doors: list[Door] = []

    def begin(**settings: object) -> Door:
        chosen = ReceiveSettings(host="127.0.0.1", port=0, **settings)  # type: ignore[arg-type]  # as each test says
        door = Door(chosen, LimitSettings(), shelf, shelf)
        door.start()
        doors.append(door)
        return door

    yield begin
    for door in doors:
        door.stop()


def run(program: str, port: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    options = ["-aec", "TRIAL1", "-aet", "TESTPACS", *arguments]
    return subprocess.run(
        [shutil.which(program) or program, *options[:4], "127.0.0.1", str(port), *options[4:]],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


def exam(folder: Path, slices: int = 3) -> list[Path]:
    return list(phantoms.ct_exam(folder, slices=slices, size=64).files)


def test_echoscu_is_answered_and_releases(opens: Opens) -> None:
    done = run("echoscu", opens().port, "-v")

    assert done.returncode == 0, done.stderr


def test_storescu_with_every_proposal_it_can_make_is_served(
    opens: Opens, shelf: Shelf, tmp_path: Path
) -> None:
    files = exam(tmp_path)

    # --required would offer one class; by default storescu proposes 120 contexts, as many PACS do.
    done = run("storescu", opens().port, "-usr", "somebody", "-pwd", "something", *map(str, files))

    (request,) = shelf.requests
    assert done.returncode == 0, done.stderr
    assert len(request.contexts) > 100
    assert request.identity is not None
    assert len(shelf.whole) == 3


def test_storescu_that_aborts_instead_of_releasing_loses_nothing(
    opens: Opens, shelf: Shelf, tmp_path: Path, until: Callable[..., None]
) -> None:
    door = opens()

    done = run("storescu", door.port, "--abort", *map(str, exam(tmp_path)))

    until(lambda: door.associations == 0)
    assert done.returncode == 0, done.stderr
    assert len(shelf.whole) == 3


def test_small_pdus_carry_the_same_bytes(opens: Opens, shelf: Shelf, tmp_path: Path) -> None:
    (file,) = exam(tmp_path, slices=1)
    meta = dcmread(file, stop_before_pixels=True).file_meta
    start = 132 + 12 + int(meta.FileMetaInformationGroupLength)

    done = run("storescu", opens(max_pdu=4096).port, "--max-send-pdu", "4096", "-R", str(file))

    assert done.returncode == 0, done.stderr
    assert shelf.whole == [hashlib.sha256(file.read_bytes()[start:]).hexdigest()]


def test_dcmsend_hears_that_an_object_was_refused(opens: Opens, shelf: Shelf, tmp_path: Path) -> None:
    shelf.status = 0xA700

    done = run("dcmsend", opens().port, "-v", *map(str, exam(tmp_path, slices=1)))

    assert "with status REFUSED  : 1" in done.stderr


def test_findscu_learns_that_queries_are_not_offered(opens: Opens) -> None:
    done = run("findscu", opens().port, "-P", "-k", "QueryRetrieveLevel=PATIENT", "-k", "PatientName=*")

    assert done.returncode != 0
    assert "No Acceptable Presentation Contexts" in done.stderr


@pytest.mark.parametrize("profile", ["--profile-bcp195", "--profile-bcp195-nd", "--profile-bcp195-ex"])
def test_storescu_over_tls_with_certificates_on_both_sides(
    opens: Opens, shelf: Shelf, tmp_path: Path, profile: str
) -> None:
    pem, _ = certificates.own_authority(tmp_path / "tls")
    key = pem.with_suffix(".key")
    door = opens(
        is_plain_open=False,
        tls_port=0,
        tls_certificate_file=pem,
        tls_key_file=key,
        tls_client_ca_file=pem,
    )

    tls = ("+tls", str(key), str(pem), "+cf", str(pem), profile)
    done = run("storescu", door.port, *tls, *map(str, exam(tmp_path / "exam")))

    assert done.returncode == 0, done.stderr
    assert len(shelf.whole) == 3
