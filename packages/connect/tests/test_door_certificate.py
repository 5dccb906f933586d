"""The door's own certificate: a new one is taken up, an unfit one is told, and its end is told in time."""

import contextlib
import hashlib
import shutil
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from collegium_connect.receive import Door
from collegium_connect.receive.certificate import GRACE_S, Certificate
from collegium_connect.service import Gateway
from collegium_connect.settings import LimitSettings, ReceiveSettings, Settings
from collegium_testkit import certificates
from collegium_testkit.doors import Shelf
from collegium_testkit.patience import PATIENCE_S

Until = Callable[..., None]
UNFIT = "connect.receive.certificate_unfit"
ENDS = "connect.receive.certificate_ends"


class Files:
    """The PEM files that the settings name, as a person replaces them."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._made = folder, 0
        self.pem, self.key = folder / "dicom.pem", folder / "dicom.key"

    def renew(self, *, days: float = 90.0) -> bytes:
        """Put a new pair in place; the digest of its certificate."""
        self._made += 1
        ends = datetime.now(UTC) + timedelta(days=days)
        pem, _ = certificates.own_authority(self._folder / f"made{self._made}", ends=ends)
        for source, target in ((pem, self.pem), (pem.with_suffix(".key"), self.key)):
            Path(shutil.copy(source, self._folder / "partial")).replace(target)
        return digest(ssl.PEM_cert_to_DER_cert(pem.read_text("ascii")))

    def receive(self) -> ReceiveSettings:
        return ReceiveSettings(
            host="127.0.0.1", port=0, tls_port=0, is_plain_open=False,
            tls_certificate_file=self.pem, tls_key_file=self.key,
        )  # fmt: skip


def digest(der: bytes | None) -> bytes:
    return hashlib.sha256(der or b"").digest()


def shown(port: int, *, keep: contextlib.ExitStack | None = None) -> bytes:
    """Digest of the certificate that a caller is shown."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with contextlib.ExitStack() as held:
        stack = keep or held
        plain = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S))
        return digest(stack.enter_context(context.wrap_socket(plain)).getpeercert(binary_form=True))


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture
def door(files: Files, log_file: Path) -> Iterator[Door]:
    assert log_file.exists()
    files.renew()
    shelf = Shelf()
    door = Door(files.receive(), LimitSettings(), shelf, shelf)
    door.start()
    yield door
    door.stop()


def test_a_renewed_certificate_is_shown_to_who_comes_next(door: Door, files: Files, until: Until) -> None:
    with contextlib.ExitStack() as open_ones:
        before = shown(door.port, keep=open_ones)
        renewed = files.renew()
        until(lambda: shown(door.port) == renewed)

    assert before != renewed


def test_an_unreadable_certificate_leaves_the_one_before_in_force(door: Door, files: Files) -> None:
    before = shown(door.port)
    files.pem.write_text("no certificate", encoding="ascii")
    assert door.certificate is not None

    door.certificate.look()

    assert shown(door.port) == before


class Look:
    """A certificate with a clock that a test sets."""

    def __init__(self, files: Files) -> None:
        self.at_s = 0.0
        self.certificate = Certificate(files.receive(), lambda: self.at_s)

    def after(self, seconds: float) -> str:
        """The problem so many seconds later, in words."""
        self.at_s += seconds
        self.certificate.look()
        return self.certificate.problem


@pytest.fixture
def look(files: Files, log_file: Path) -> Look:
    assert log_file.exists()
    files.renew(days=30)
    return Look(files)


def test_a_key_that_does_not_fit_is_told_once_it_is_no_moment_between_two_files(
    look: Look, files: Files, tmp_path: Path
) -> None:
    other, _ = certificates.own_authority(tmp_path / "other")
    shutil.copy(other.with_suffix(".key"), files.key)

    at_once, later = look.after(2.0), look.after(GRACE_S)

    assert at_once == ""
    assert "cannot be read or do not fit" in later
    assert "The certificate before stays in force" in later


def test_a_missing_file_is_told_until_it_is_back(look: Look, files: Files) -> None:
    kept = files.key.rename(files.key.with_suffix(".away"))
    look.after(2.0)
    missing = look.after(GRACE_S)
    kept.rename(files.key)

    back = look.after(2.0)

    assert missing
    assert back == ""


def test_when_it_ends_is_that_of_the_certificate_in_force(look: Look, files: Files) -> None:
    in_force = x509.load_pem_x509_certificate(files.pem.read_bytes())
    files.pem.write_text("no certificate", encoding="ascii")
    look.after(2.0)

    assert look.certificate.ends == in_force.not_valid_after_utc


def test_a_gateway_tells_an_unfit_certificate_and_one_that_ends(
    files: Files,
    settings: Settings,
    start: Callable[..., Gateway],
    until: Until,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("collegium_connect.receive.certificate.GRACE_S", 0.0)
    files.renew(days=9.5)
    receive = replace(files.receive(), allowed_callers=settings.receive.allowed_callers)
    gateway = start(replace(settings, receive=receive))
    files.pem.write_text("no certificate", encoding="ascii")

    until(lambda: {alarm.code for alarm in gateway.status().alarms} == {UNFIT, ENDS})

    told = {alarm.code: alarm.message for alarm in gateway.status().alarms}
    assert "in 9 days. Renew receive.tls_certificate_file" in told[ENDS]
    files.renew()
    until(lambda: not gateway.status().alarms)
