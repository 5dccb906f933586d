"""`send`: a folder to any receiver, with or without TLS, with a summary in words."""

import io
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import UID, ExplicitVRLittleEndian
from pynetdicom.transport import AssociationSocket

from collegium_connect.cli import main
from collegium_connect.cli.send import Progress
from collegium_connect.peer import Peer
from collegium_connect.push import CannotPush, Pushed, in_words, push
from collegium_connect.push_here import push_here
from collegium_connect.receive import Door
from collegium_connect.receive.admission import CALLER_UNKNOWN, Refusal
from collegium_connect.receive.pdu import AssociateRequest
from collegium_connect.service import Gateway
from collegium_connect.settings import LimitSettings, ReceiveSettings, Settings
from collegium_testkit import certificates, pacs, phantoms
from collegium_testkit.doors import Shelf
from collegium_testkit.leftovers import drops_its_socket
from collegium_testkit.ports import closed_port

CT = "1.2.840.10008.5.1.4.1.1.2"


@dataclass
class Elsewhere:
    """A receiver that is not this machine's gateway, and what a person types to send there."""

    shelf: Shelf
    door: Door
    said: Callable[[], str]

    def send(self, folder: Path, *options: str, port: int | None = None) -> tuple[int, str]:
        """Exit code, and all that was said."""
        place = f"127.0.0.1:{port or self.door.port}"
        code = main(["send", str(folder), "--at", place, "--to", "TRIAL1", "--config", "none", *options])
        return code, self.said()


def receiving(capsys: pytest.CaptureFixture[str], **settings: object) -> Iterator[Elsewhere]:
    shelf = Shelf()
    chosen = ReceiveSettings(host="127.0.0.1", port=0, **settings)  # type: ignore[arg-type]  # as each fixture says
    door = Door(chosen, LimitSettings(), shelf, shelf)
    door.start()

    def said() -> str:
        told = capsys.readouterr()
        return told.out + told.err

    yield Elsewhere(shelf, door, said)
    door.stop()


@pytest.fixture
def elsewhere(capsys: pytest.CaptureFixture[str], log_file: Path) -> Iterator[Elsewhere]:
    assert log_file.exists()
    yield from receiving(capsys)


@pytest.fixture
def pem(tmp_path: Path) -> Path:
    return certificates.own_authority(tmp_path / "tls")[0]


@pytest.fixture
def secured(capsys: pytest.CaptureFixture[str], log_file: Path, pem: Path) -> Iterator[Elsewhere]:
    """It speaks TLS only, and wants a certificate."""
    assert log_file.exists()
    yield from receiving(
        capsys, is_plain_open=False, tls_port=0, tls_certificate_file=pem,
        tls_key_file=pem.with_suffix(".key"), tls_client_ca_file=pem,
    )  # fmt: skip


@pytest.fixture
def exam(tmp_path: Path) -> Path:
    return phantoms.ct_exam(tmp_path / "exam", slices=2, size=64).folder


def test_a_folder_goes_to_any_host_and_port(elsewhere: Elsewhere, exam: Path) -> None:
    code, said = elsewhere.send(exam, "--as", "SCANNER7")

    assert (code, said) == (0, "2 taken, 0 refused, 0 are no DICOM files.\n")
    assert len(elsewhere.shelf.whole) == 2
    assert elsewhere.shelf.requests[0].calling_ae == "SCANNER7"


def test_a_folder_goes_over_tls_with_a_certificate(secured: Elsewhere, exam: Path, pem: Path) -> None:
    key = str(pem.with_suffix(".key"))

    code, _ = secured.send(exam, "--ca-file", str(pem), "--certificate-file", str(pem), "--key-file", key)

    assert code == 0
    assert len(secured.shelf.whole) == 2


@drops_its_socket
@pytest.mark.usefixtures("collected")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "The receiver hung up."),
        (("--ca-file", "{tls}/server.pem"), "may not list this machine, want TLS, or want a certificate"),
        (("--ca-file", "{other}/server.pem"), "certificate is not trusted"),
        (("--ca-file", "{tls}/server.pem", "--tls-name", "pacs"), "certificate is not trusted: Hostname"),
        (("--ca-file", "{tls}/none.pem"), "The file of trusted certificates cannot be read as PEM."),
        (("--tls-name", "pacs"), "TLS needs --ca-file"),
    ],
)
def test_what_keeps_tls_from_coming_about_is_told_in_words(
    secured: Elsewhere, exam: Path, tmp_path: Path, options: tuple[str, ...], words: str
) -> None:
    certificates.own_authority(tmp_path / "other")
    filled = [item.format(tls=tmp_path / "tls", other=tmp_path / "other") for item in options]

    code, said = secured.send(exam, *filled)

    assert code == 1
    assert words in said
    assert secured.shelf.whole == []


@drops_its_socket
@pytest.mark.usefixtures("collected")
def test_where_nobody_answers_is_told(elsewhere: Elsewhere, exam: Path) -> None:
    with closed_port() as port:
        code, said = elsewhere.send(exam, port=port)

    assert code == 1
    assert f"Nobody answers at 127.0.0.1, port {port}." in said


@pytest.fixture
def slow_to_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine so busy that the answer is there, and the line closed, before pynetdicom looks at the line."""

    class Late(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            is_set = super().wait(timeout)
            threading.Event().wait(0.3)
            return is_set

    made = AssociationSocket.__init__

    def make(self: AssociationSocket, *arguments: Any, **named: Any) -> None:  # Any: as pynetdicom's
        made(self, *arguments, **named)
        self._ready = Late()

    monkeypatch.setattr(AssociationSocket, "__init__", make)


class Closed(Shelf):
    def decide(self, request: AssociateRequest, address: str) -> Refusal:
        assert (request.called_ae, address) == ("TRIAL1", "127.0.0.1")
        return CALLER_UNKNOWN


@pytest.fixture
def refusing(log_file: Path) -> Iterator[Door]:
    assert log_file.exists()
    shelf = Closed()
    door = Door(ReceiveSettings(host="127.0.0.1", port=0), LimitSettings(), shelf, shelf)
    door.start()
    yield door
    door.stop()


@pytest.mark.usefixtures("slow_to_look")
def test_a_refusal_that_comes_at_once_is_told_as_one(refusing: Door, exam: Path) -> None:
    with pytest.raises(CannotPush, match="refused COLLEGIUM calling TRIAL1"):
        push(Peer("127.0.0.1", refusing.port, "TRIAL1", "COLLEGIUM"), exam)


@pytest.mark.usefixtures("slow_to_look")
def test_the_pacs_of_tests_tells_such_a_refusal_too(refusing: Door) -> None:
    with pytest.raises(pacs.AssociationRefused) as error:
        pacs.echo("127.0.0.1", refusing.port, "TRIAL1")

    assert (error.value.result, error.value.source, error.value.reason) == (1, 1, 3)


def test_refused_objects_are_counted_by_status_in_words(elsewhere: Elsewhere, exam: Path) -> None:
    elsewhere.shelf.status = 0xA700

    code, said = elsewhere.send(exam)

    assert code == 1
    assert said == (
        "0 taken, 2 refused, 0 are no DICOM files.\n  2 refused: receiver out of resources, try later (A700)\n"
    )


def test_an_object_that_was_stored_with_a_remark_is_taken(elsewhere: Elsewhere, exam: Path) -> None:
    elsewhere.shelf.status = 0xB000

    assert elsewhere.send(exam)[0] == 0


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (0x0110, "unexpected fault"), (0x0122, "kind of object"), (0xA7FF, "out of resources"),
        (0xA900, "does not match"), (0xC123, "not understood (C123)"), (0x0999, "refused (0999)"),
    ],
)  # fmt: skip
def test_every_status_has_words(status: int, words: str) -> None:
    assert words in in_words(status)


def test_a_folder_of_more_kinds_than_an_association_names_is_sent_whole(
    elsewhere: Elsewhere, tmp_path: Path
) -> None:
    for number in range(130):
        tiny(tmp_path / "many" / f"{number}.dcm", f"{CT}.{number + 1}", f"1.2.3.{number + 1}")

    code, _ = elsewhere.send(tmp_path / "many")

    assert code == 0
    assert len(elsewhere.shelf.whole) == 130
    assert len(elsewhere.shelf.requests) == 2


def tiny(path: Path, sop_class: str, uid: str) -> None:
    """An object with nothing but its UIDs."""
    path.parent.mkdir(exist_ok=True)
    whole = Dataset()
    whole.SOPClassUID, whole.SOPInstanceUID = sop_class, uid
    whole.file_meta = FileMetaDataset()
    whole.file_meta.MediaStorageSOPClassUID = UID(sop_class)
    whole.file_meta.MediaStorageSOPInstanceUID = UID(uid)
    whole.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    whole.save_as(path, enforce_file_format=True)


def test_a_gateway_whose_port_without_tls_is_closed_is_pushed_a_folder_too(
    settings: Settings, start: Callable[..., Gateway], exam: Path, pem: Path
) -> None:
    receive = replace(
        settings.receive, is_plain_open=False, tls_port=0,
        tls_certificate_file=pem, tls_key_file=pem.with_suffix(".key"),
    )  # fmt: skip
    chosen = replace(settings, receive=receive)
    start(chosen)

    pushed = push_here(chosen, exam)

    assert (pushed.taken, pushed.refused) == (2, 0)


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def progress(stream: io.StringIO) -> str:
    """What is written while four files a second go out for a minute and a half."""
    at_s = 0.0
    shown = Progress(stream, lambda: at_s)
    pushed = Pushed(total=400)
    for number in range(1, 361):
        at_s, pushed.taken = number / 4, number
        shown.tell(pushed)
    shown.end()
    return stream.getvalue()


def test_on_a_screen_one_line_tells_how_far_it_is() -> None:
    told = progress(Screen())

    assert told.endswith("\r360 of 400 sent, 0 refused\n")
    assert told.count("\n") == 1


def test_in_a_file_a_line_is_added_every_half_minute() -> None:
    lines = progress(io.StringIO()).splitlines()

    assert lines == [f"{count} of 400 sent, 0 refused" for count in (120, 240, 360)]
