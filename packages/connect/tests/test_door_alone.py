"""The door by itself: large objects, limits, time-outs, TLS, and ways to end."""

import contextlib
import hashlib
import json
import select
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import pytest

from collegium_connect import log
from collegium_connect.receive import Door, pdu, reception
from collegium_connect.receive.pdu import Kind
from collegium_connect.settings import LimitSettings, ReceiveSettings
from collegium_testkit import certificates, pacs
from collegium_testkit.doors import Shelf, SlowLog
from collegium_testkit.patience import PATIENCE_S

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
EXPLICIT: Final = "1.2.840.10008.1.2.1"
VERIFICATION: Final = "1.2.840.10008.1.1"
Opens = Callable[..., "Opened"]
Settings = dict[str, Any]  # Any: each setting has its type
LONG_S: Final = 600.0
"""Of the door's time-outs that are not looked at: no peer here is as slow, and no test waits as long."""


class Opened:
    def __init__(self, shelf: Shelf, door: Door, log_file: Path) -> None:
        self.shelf, self.door, self._log_file = shelf, door, log_file

    def events(self, name: str) -> list[dict[str, object]]:
        lines = [json.loads(line) for line in self._log_file.read_text("utf-8").splitlines()]
        return [line for line in lines if line["event"] == name]


@pytest.fixture
def opens(tmp_path: Path) -> Iterator[Opens]:
    """Open doors with settings; all are stopped in the end."""
    path, doors = tmp_path / "events.log", list[Door]()

    def begin(limits: LimitSettings | None = None, **settings: Any) -> Opened:  # Any: as each test says
        shelf = Shelf()
        chosen: Settings = {"host": "127.0.0.1", "port": 0, "artim_s": LONG_S, **settings}
        door = Door(ReceiveSettings(**chosen), limits or LimitSettings(), shelf, shelf)
        door.start()
        doors.append(door)
        return Opened(shelf, door, path)

    with path.open("w", encoding="utf-8") as stream:
        log.configure(stream)
        yield begin
        for door in doors:
            door.stop()
        log.configure()


class Line:
    """A sender by hand: one association for CT images on context 1, verification on 3."""

    def __init__(self, door: "Door | Port") -> None:
        self.socket = socket.create_connection(("127.0.0.1", door.port), timeout=PATIENCE_S)
        contexts = b"".join(
            pdu.item(
                0x20, bytes([number, 0, 0, 0]) + pdu.item(0x30, name) + pdu.item(0x40, EXPLICIT.encode())
            )
            for number, name in ((1, CT.encode()), (3, VERIFICATION.encode()))
        )
        user = pdu.item(0x50, pdu.item(0x51, b"\0\1\0\0") + pdu.item(0x52, b"1.2.3"))
        titles = b"TRIAL1".ljust(16) + b"TESTPACS".ljust(16) + bytes(32)
        body = b"\0\1\0\0" + titles + pdu.item(0x10, pdu.APPLICATION_CONTEXT) + contexts + user
        self.socket.sendall(pdu.pdu(Kind.ASSOCIATE_RQ, body))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def pdu(self) -> tuple[int, bytes]:
        """The next PDU from the gateway; type 0 once it has hung up."""
        head = self._take(6)
        if len(head) < 6:
            return 0, b""
        kind, length = struct.unpack(">BxI", head)
        return kind, self._take(length)

    def has_answer(self) -> bool:
        return bool(select.select([self.socket], [], [], 0)[0])

    def begin_object(self) -> None:
        fields = (
            (0x0002, CT.encode() + b"\0"),
            (0x0100, b"\1\0"),
            (0x0110, b"\7\0"),
            (0x0800, b"\0\0"),
            (0x1000, b"1.2.3\0"),
        )
        body = b"".join(struct.pack("<HHI", 0, element, len(value)) + value for element, value in fields)
        self.socket.sendall(pdu.command(1, struct.pack("<HHII", 0, 0, 4, len(body)) + body))

    def data(self, part: bytes, *, is_last: bool) -> None:
        head = struct.pack(">BxIIBB", Kind.DATA, len(part) + 6, len(part) + 2, 1, 2 if is_last else 0)
        self.socket.sendall(head + part)

    def store(self, content: bytes) -> int:
        """Send an object whole; the status that was answered."""
        self.begin_object()
        step = 262144 - 6
        for start in range(0, len(content), step):
            self.data(content[start : start + step], is_last=start + step >= len(content))
        return status(self.pdu()[1])

    def _take(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            got = self.socket.recv(size - len(data))
            if not got:
                break
            data += got
        return bytes(data)


def status(body: bytes) -> int:
    at = body.index(struct.pack("<HHI", 0, 0x0900, 2)) + 8
    return int.from_bytes(body[at : at + 2], "little")


def test_small_objects_come_whole_and_are_answered_with_the_takers_status(opens: Opens) -> None:
    opened = opens()
    opened.shelf.status = 0xA700

    with Line(opened.door) as line:
        assert line.pdu()[0] == Kind.ASSOCIATE_AC
        answer = line.store(b"small" * 1000)

    assert answer == 0xA700
    assert opened.shelf.whole == [hashlib.sha256(b"small" * 1000).hexdigest()]


def test_an_object_of_many_megabytes_comes_in_pieces_of_bounded_size(
    opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reception.Reception.__init__, "__defaults__", (2 << 20,))
    opened, content = opens(), bytes(range(256)) * 50_000

    with Line(opened.door) as line:
        line.pdu()
        first = line.store(content)
        second = line.store(b"and a small one")

    assert (first, second) == (0, 0)
    assert opened.shelf.pieces == [hashlib.sha256(content).hexdigest()]
    assert opened.shelf.whole == [hashlib.sha256(b"and a small one").hexdigest()]
    assert opened.shelf.largest_piece <= 2 << 20


def test_without_memory_left_an_object_passes_in_pieces_and_is_not_refused(opens: Opens) -> None:
    opened, content = opens(memory_bytes=0), bytes(3 << 20)

    with Line(opened.door) as line:
        line.pdu()
        answer = line.store(content)

    assert answer == 0
    assert opened.shelf.pieces == [hashlib.sha256(content).hexdigest()]
    assert opened.shelf.largest_piece <= 1 << 20


def test_a_large_object_that_breaks_off_is_abandoned(opens: Opens, until: Callable[..., None]) -> None:
    opened = opens(memory_bytes=0)

    with Line(opened.door) as line:
        line.pdu()
        line.begin_object()
        for _ in range(8):
            line.data(bytes(200_000), is_last=False)

    until(lambda: opened.shelf.abandoned == 1)
    until(lambda: opened.door.associations == 0)
    assert opened.shelf.pieces == []


def test_memory_is_given_back_by_every_association(opens: Opens, until: Callable[..., None]) -> None:
    opened, content = opens(memory_bytes=4 << 20), bytes(3 << 20)

    for _ in range(4):
        with Line(opened.door) as line:
            line.pdu()
            line.store(content)
        until(lambda: opened.door.associations == 0)

    assert len(opened.shelf.whole) == 4


def test_an_object_above_the_limit_ends_its_association_with_a_reason(
    opens: Opens, until: Callable[..., None]
) -> None:
    opened = opens(LimitSettings(object_bytes=100_000))

    with Line(opened.door) as line:
        line.pdu()
        line.begin_object()
        line.data(bytes(150_000), is_last=False)
        kind, body = line.pdu()

    assert (kind, body) == (Kind.ABORT, b"\0\0\0\0")
    until(lambda: opened.events("association.ended"))
    assert opened.events("association.ended")[0]["ending"] == "an object is larger than limits.object_bytes"


def test_an_object_that_drips_is_given_up(opens: Opens, until: Callable[..., None]) -> None:
    opened = opens(object_timeout_s=0.2)

    with Line(opened.door) as line:
        line.pdu()
        line.begin_object()

        def drip() -> bool:
            line.data(b"drop", is_last=False)
            return line.has_answer()

        until(drip)
        kind, body = line.pdu()

    assert (kind, body) == (Kind.ABORT, b"\0\0\0\0")
    assert opened.shelf.whole == []


def test_one_address_cannot_take_all_the_places(opens: Opens) -> None:
    opened = opens(max_associations=8, max_associations_per_caller=2)

    with Line(opened.door) as one, Line(opened.door) as two, Line(opened.door) as three:
        kinds = sorted(line.pdu()[0] for line in (one, two, three))

    assert kinds == [Kind.ASSOCIATE_AC, Kind.ASSOCIATE_AC, Kind.ASSOCIATE_RJ]
    (event,) = opened.events("association.refused")
    assert event["reason"] == "too many associations at once from this address"


def test_an_idle_association_is_aborted(opens: Opens) -> None:
    opened = opens(idle_timeout_s=0.2)

    with Line(opened.door) as line:
        line.pdu()
        kind, body = line.pdu()

    assert (kind, body) == (Kind.ABORT, b"\0\0\0\0")


def test_a_leaving_gateway_releases_who_is_idle_and_refuses_who_comes(
    opens: Opens, until: Callable[..., None]
) -> None:
    opened, results = opens(), list[bool]()

    with Line(opened.door) as line:
        line.pdu()
        until(lambda: opened.door.associations == 1)
        drained = threading.Thread(target=lambda: results.append(opened.door.drain(PATIENCE_S)))
        drained.start()
        asked = line.pdu()
        with Line(opened.door) as late:
            refused = late.pdu()
        line.socket.sendall(pdu.release_rp())
        drained.join()

    assert asked == (Kind.RELEASE_RQ, bytes(4))
    assert refused == (Kind.ASSOCIATE_RJ, bytes([0, 2, 3, 1]))
    assert results == [True]


def test_a_leaving_gateway_waits_for_who_is_about_to_ask(opens: Opens, until: Callable[..., None]) -> None:
    opened = opens()

    with socket.create_connection(("127.0.0.1", opened.door.port), timeout=PATIENCE_S):
        until(lambda: opened.door._open)
        is_done = opened.door.drain(0.05)

    assert not is_done
    until(lambda: opened.door.drain(0.05))


def test_a_leaving_gateway_answers_the_object_under_way_first(opens: Opens) -> None:
    opened = opens()
    opened.shelf.go_on.clear()
    answers = list[int]()

    with Line(opened.door) as line:
        line.pdu()
        sending = threading.Thread(target=lambda: answers.append(line.store(b"the last")))
        sending.start()
        opened.shelf.is_storing.wait(PATIENCE_S)
        was_drained = opened.door.drain(0.05)
        opened.shelf.go_on.set()
        sending.join()
        asked = line.pdu()

    assert not was_drained
    assert answers == [0]
    assert asked[0] == Kind.RELEASE_RQ


@pytest.fixture
def tls(tmp_path: Path) -> Settings:
    pem, _ = certificates.own_authority(tmp_path / "tls")
    return {"tls_port": 0, "tls_certificate_file": pem, "tls_key_file": pem.with_suffix(".key")}


def trusting(settings: Settings) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(settings["tls_certificate_file"]))
    context.check_hostname = True
    return context


def test_a_sender_over_tls_is_served_beside_one_without(opens: Opens, tls: Settings) -> None:
    opened = opens(**tls)
    assert opened.door.tls_port is not None

    secured = pacs.echo("127.0.0.1", opened.door.tls_port, "TRIAL1", tls=(trusting(tls), "127.0.0.1"))
    plain = pacs.echo("127.0.0.1", opened.door.port, "TRIAL1")

    assert (secured, plain) == (0, 0)


def test_the_port_without_tls_can_be_closed(opens: Opens, tls: Settings) -> None:
    opened = opens(is_plain_open=False, **tls)

    assert opened.door.port == opened.door.tls_port


def test_old_versions_of_tls_are_refused(opens: Opens, tls: Settings) -> None:
    opened = opens(is_plain_open=False, **tls)
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    old.set_ciphers("AES128-SHA256:AES256-SHA")  # TLS 1.2 without forward secrecy
    old.maximum_version = ssl.TLSVersion.TLSv1_2

    with (
        socket.create_connection(("127.0.0.1", opened.door.port), timeout=PATIENCE_S) as line,
        pytest.raises((ssl.SSLError, ConnectionError)),
        old.wrap_socket(line),
    ):
        pass


def test_a_sender_without_the_certificate_that_is_asked_for_is_refused(
    opens: Opens, tls: Settings, until: Callable[..., None]
) -> None:
    opened = opens(is_plain_open=False, tls_client_ca_file=tls["tls_certificate_file"], **tls)

    with (
        pytest.raises((ssl.SSLError, ConnectionError)),
        socket.create_connection(("127.0.0.1", opened.door.port), timeout=PATIENCE_S) as line,
        trusting(tls).wrap_socket(line, server_hostname="127.0.0.1") as secured,
    ):
        secured.recv(1)
    until(lambda: opened.events("association.refused"))

    assert str(opened.events("association.refused")[0]["reason"]).startswith("TLS: ")


def test_a_sender_with_the_certificate_that_is_asked_for_is_served(opens: Opens, tls: Settings) -> None:
    opened = opens(is_plain_open=False, tls_client_ca_file=tls["tls_certificate_file"], **tls)
    known = trusting(tls)
    known.load_cert_chain(str(tls["tls_certificate_file"]), str(tls["tls_key_file"]))

    answer = pacs.echo("127.0.0.1", opened.door.port, "TRIAL1", tls=(known, "127.0.0.1"))

    assert answer == 0


def test_what_is_no_tls_ends_only_its_own_connection(opens: Opens, tls: Settings) -> None:
    opened = opens(is_plain_open=False, **tls)

    with socket.create_connection(("127.0.0.1", opened.door.port), timeout=PATIENCE_S) as line:
        line.sendall(pdu.release_rq() * 20)
        with contextlib.suppress(ConnectionError):
            line.recv(100)

    answer = pacs.echo("127.0.0.1", opened.door.port, "TRIAL1", tls=(trusting(tls), "127.0.0.1"))
    assert answer == 0


def test_a_door_that_closes_hangs_up_on_who_is_silent_in_the_handshake(
    opens: Opens, tls: Settings, until: Callable[..., None]
) -> None:
    opened = opens(is_plain_open=False, **tls)

    with socket.create_connection(("127.0.0.1", opened.door.port), timeout=PATIENCE_S) as silent:
        until(lambda: opened.door._open)
        opened.door.stop()
        answer = silent.recv(1)

    assert answer == b""


def test_who_comes_while_the_door_closes_is_answered_or_waits_for_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Who has knocked is heard for this moment, which a busy machine may need to hear anybody at all.
    monkeypatch.setattr("collegium_connect.receive.door._MOMENT_S", PATIENCE_S)
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    shelf, there = Shelf(), Port(listener.getsockname()[1])
    with listener.dup():  # a service manager holds it over the stop
        door = Door(ReceiveSettings(host="127.0.0.1", port=0), LimitSettings(), shelf, shelf)
        door.start([(listener, False)])
        closing = threading.Thread(target=door.stop, args=(PATIENCE_S,))
        closing.start()
        try:
            answers = list(iter(lambda: first_answer(there), "waits"))
        finally:
            closing.join()

    assert set(answers) <= {Kind.ASSOCIATE_AC, Kind.ASSOCIATE_RJ}


def test_who_is_being_refused_while_the_door_closes_hears_the_refusal(opens: Opens) -> None:
    opened = opens()
    opened.door.drain(0)  # it is leaving

    with SlowLog() as slow_log, Line(opened.door) as line:
        slow_log.is_writing.wait(PATIENCE_S)
        closing = threading.Thread(target=opened.door.stop, args=(PATIENCE_S,))
        closing.start()
        is_cut = select.select([line.socket], [], [], 0.5)[0]  # it has time to do so
        slow_log.goes_on.set()
        answer = line.pdu()
        closing.join()

    assert not is_cut
    assert answer == (Kind.ASSOCIATE_RJ, bytes([0, 2, 3, 1]))


@dataclass(frozen=True)
class Port:
    port: int


def first_answer(there: Port) -> int | str:
    with Line(there) as line:
        line.socket.settimeout(0.5)
        try:
            return line.pdu()[0]
        except TimeoutError:
            return "waits"
