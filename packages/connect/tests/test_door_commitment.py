"""Storage commitment: a PACS hears "committed" after the receipt, and of what failed, why."""

import contextlib
import hashlib
import queue
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pytest
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import AE, evt

from collegium_connect.channels import Channel
from collegium_connect.clock import to_ms
from collegium_connect.journal import channels, commitments, objects
from collegium_connect.journal.database import Journal
from collegium_connect.journal.objects import Arrival, Product, State
from collegium_connect.peer import LOST, Peer, associated
from collegium_connect.receive import Door, dimse
from collegium_connect.receive.admission import Refusal
from collegium_connect.receive.commitment import Commitments, Status
from collegium_connect.receive.pdu import AssociateRequest
from collegium_connect.settings import CallerSettings, LimitSettings, PeerTlsSettings, ReceiveSettings
from collegium_connect.spool import Place, Stored
from collegium_testkit import certificates, doors
from collegium_testkit.leftovers import drops_its_socket
from collegium_testkit.patience import PATIENCE_S
from collegium_testkit.ports import closed_port

CT: Final = "1.2.840.10008.5.1.4.1.1.2"
CHANNEL: Final = replace(doors.CHANNEL, setup=replace(doors.SETUP, storage_commitment=True))
BEGAN: Final = datetime(2026, 11, 2, 9, tzinfo=UTC)


@dataclass
class Reported:
    kind: int
    transaction: str
    committed: list[str]
    failed: dict[str, int]


class Pacs:
    """Listens for N-EVENT-REPORT, as a PACS that asked does."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.reports: queue.Queue[Reported] = queue.Queue()
        ae = AE(ae_title="TESTPACS")
        ae.add_supported_context(dimse.STORAGE_COMMITMENT, scu_role=True, scp_role=True)
        handlers = [(evt.EVT_N_EVENT_REPORT, self._take)]
        self.server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=handlers, ssl_context=tls)  # type: ignore[arg-type]  # one handler of many kinds
        assert self.server is not None
        assert self.server.socket is not None
        self.port = int(self.server.socket.getsockname()[1])

    def _take(self, event: evt.Event) -> tuple[int, None]:
        told = event.event_information
        self.reports.put(
            Reported(
                int(event.event_type or 0),
                str(told.TransactionUID),
                [str(item.ReferencedSOPInstanceUID) for item in told.get("ReferencedSOPSequence", [])],
                {
                    str(item.ReferencedSOPInstanceUID): int(item.FailureReason)
                    for item in told.get("FailedSOPSequence", [])
                },
            )
        )
        return 0x0000, None


class Clock:
    def __init__(self) -> None:
        self.at = BEGAN

    def __call__(self) -> datetime:
        return self.at


class Desk:
    """A journal with one channel, the commitments over it, and a PACS."""

    def __init__(self, folder: Path, pacs: Pacs) -> None:
        self.journal, self.clock, self.pacs = Journal(folder / "journal.sqlite3"), Clock(), pacs
        with self.journal.change() as db:
            channels.save_channel(db, CHANNEL.setup, to_ms(BEGAN), offered=CHANNEL.setup)
        caller = CallerSettings(ae="TESTPACS", address="127.0.0.1", commit_port=pacs.port)
        self.commitments = Commitments(self.journal, self, (caller,), bytes(32), self.clock)

    def by_id(self, channel_id: str) -> Channel | None:
        return CHANNEL if channel_id == "ch-1" else None

    def keep(self, old_uid: str, state: State) -> None:
        """An object in the journal as if it had come and gone so far."""
        uid = doors.KEY.uid(old_uid)
        product = Product(
            study_uid="2.25.1", series_uid="2.25.2", sop_instance_uid=uid, sop_class_uid=CT,
            transfer_syntax_uid="1.2.840.10008.1.2.1", subject_code="LG-001",
            sha256=hashlib.sha256(uid.encode()).hexdigest(), size_bytes=1, recipe_name="trial",
            recipe_version="1", recipe_digest="0" * 64, counts={}, seconds=0.0,
        )  # fmt: skip
        arrival = Arrival(
            object_id=old_uid, new_exam_id="exam", channel_id="ch-1", received_ms=to_ms(BEGAN),
            is_clean=True, product=product, input_mac=None,
        )  # fmt: skip
        with self.journal.change() as db:
            objects.record(db, arrival, Stored(Place("0000000001", 0), 1))
            db.execute("UPDATE objects SET state = ? WHERE object_id = ?", (state, old_uid))

    def ask(self, *uids: str) -> int:
        return self.commitments.ask(
            CHANNEL, "TESTPACS", "127.0.0.1", request(*uids), str(ExplicitVRLittleEndian)
        )

    def waiting(self) -> int:
        with self.journal.look() as db:
            return commitments.waiting(db)


def request(*uids: str, implicit: bool = False) -> bytes:
    asked = Dataset()
    asked.TransactionUID = "1.2.3.4"
    asked.ReferencedSOPSequence = []
    for uid in uids:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = CT, uid
        asked.ReferencedSOPSequence.append(item)
    buffer = DicomBytesIO()
    buffer.is_implicit_VR, buffer.is_little_endian = implicit, True
    write_dataset(buffer, asked)
    return buffer.getvalue()


@pytest.fixture(scope="module")
def pacs() -> Iterator[Pacs]:
    listening = Pacs()
    yield listening
    assert listening.server is not None
    listening.server.shutdown()


@pytest.fixture
def desk(tmp_path: Path, pacs: Pacs) -> Iterator[Desk]:
    pacs.reports = queue.Queue()
    made = Desk(tmp_path, pacs)
    yield made
    made.journal.close()


def test_what_is_delivered_is_committed(desk: Desk) -> None:
    desk.keep("1.2.1", State.DELIVERED)
    desk.keep("1.2.2", State.DELIVERED)

    asked = desk.ask("1.2.1", "1.2.2")
    desk.commitments.run_once()

    assert asked == Status.SUCCESS
    assert desk.pacs.reports.get(timeout=PATIENCE_S) == Reported(1, "1.2.3.4", ["1.2.1", "1.2.2"], {})
    assert desk.waiting() == 0


def test_nothing_is_committed_before_its_receipt(desk: Desk) -> None:
    desk.keep("1.2.1", State.DELIVERED)
    desk.keep("1.2.2", State.QUEUED)

    desk.ask("1.2.1", "1.2.2")
    desk.commitments.run_once()
    before = desk.pacs.reports.empty()
    with desk.journal.change() as db:
        db.execute("UPDATE objects SET state = ?", (State.DELIVERED,))
    desk.clock.at += timedelta(seconds=5)
    desk.commitments.run_once()

    assert before
    assert desk.pacs.reports.get(timeout=PATIENCE_S).committed == ["1.2.1", "1.2.2"]


def test_what_never_came_or_was_refused_fails_with_its_reason(desk: Desk) -> None:
    desk.keep("1.2.1", State.DELIVERED)
    desk.keep("1.2.2", State.REFUSED)

    desk.ask("1.2.1", "1.2.2", "1.2.3")
    desk.commitments.run_once()

    assert desk.pacs.reports.get(timeout=PATIENCE_S) == Reported(
        2, "1.2.3.4", ["1.2.1"], {"1.2.2": Status.PROCESSING_FAILURE, "1.2.3": Status.NO_SUCH_INSTANCE}
    )


def test_what_waits_for_a_person_for_a_day_is_not_committed(desk: Desk) -> None:
    desk.keep("1.2.1", State.QUARANTINED)

    desk.ask("1.2.1")
    desk.clock.at += timedelta(hours=25)
    desk.commitments.run_once()

    assert desk.pacs.reports.get(timeout=PATIENCE_S).failed == {"1.2.1": Status.PROCESSING_FAILURE}


@drops_its_socket
@pytest.mark.usefixtures("collected")
def test_a_report_that_nobody_takes_is_made_again(desk: Desk) -> None:
    desk.keep("1.2.1", State.DELIVERED)

    with closed_port() as port:
        gone = CallerSettings(ae="TESTPACS", address="127.0.0.1", commit_port=port)
        away = Commitments(desk.journal, desk, (gone,), bytes(32), desk.clock)
        away.ask(CHANNEL, "TESTPACS", "127.0.0.1", request("1.2.1"), str(ExplicitVRLittleEndian))
        away.run_once()

    assert desk.waiting() == 1


@pytest.fixture
def secured(tmp_path: Path) -> Iterator[Pacs]:
    """A PACS that takes reports over TLS only; its certificate is tls/server.pem."""
    _, context = certificates.own_authority(tmp_path / "tls")
    listening = Pacs(context)
    yield listening
    assert listening.server is not None
    listening.server.shutdown()


def reporting(desk: Desk, pacs: Pacs, tls: PeerTlsSettings | None) -> Commitments:
    """One request about a delivered object, looked at once."""
    caller = CallerSettings(ae="TESTPACS", address="127.0.0.1", commit_port=pacs.port, commit_tls=tls)
    commitments = Commitments(desk.journal, desk, (caller,), bytes(32), desk.clock)
    desk.keep("1.2.1", State.DELIVERED)
    commitments.ask(CHANNEL, "TESTPACS", "127.0.0.1", request("1.2.1"), str(ExplicitVRLittleEndian))
    commitments.run_once()
    return commitments


def test_a_report_goes_over_tls_where_the_callers_entry_says_so(
    desk: Desk, secured: Pacs, tmp_path: Path
) -> None:
    reporting(desk, secured, PeerTlsSettings(ca_file=tmp_path / "tls" / "server.pem"))

    assert secured.reports.get(timeout=PATIENCE_S).committed == ["1.2.1"]
    assert desk.waiting() == 0


@drops_its_socket
@pytest.mark.usefixtures("collected")
def test_a_report_is_kept_rather_than_told_to_who_shows_another_certificate(
    desk: Desk, secured: Pacs, tmp_path: Path
) -> None:
    other, _ = certificates.own_authority(tmp_path / "other")

    reporting(desk, secured, PeerTlsSettings(ca_file=other))

    assert secured.reports.empty()
    assert desk.waiting() == 1


def test_a_report_waits_for_a_file_of_authorities_that_is_missing(
    desk: Desk, secured: Pacs, tmp_path: Path
) -> None:
    reporting(desk, secured, PeerTlsSettings(ca_file=tmp_path / "no.pem"))

    assert secured.reports.empty()
    assert desk.waiting() == 1


def test_a_caller_that_is_listed_no_more_is_told_nothing(desk: Desk) -> None:
    desk.keep("1.2.1", State.DELIVERED)
    desk.ask("1.2.1")
    after = Commitments(desk.journal, desk, (), bytes(32), desk.clock)

    after.run_once()

    assert desk.pacs.reports.empty()
    assert desk.waiting() == 1


def test_no_uid_of_the_sender_is_in_the_journal_in_clear(desk: Desk, tmp_path: Path) -> None:
    desk.ask("1.2.826.0.1.3680043.99.7")

    desk.journal.close()

    assert all(b"3680043.99.7" not in path.read_bytes() for path in tmp_path.glob("journal.sqlite3*"))


@pytest.mark.parametrize("data", [b"", b"\0" * 40, b"nonsense that is no data set", request()])
def test_what_is_no_request_is_refused(desk: Desk, data: bytes) -> None:
    status = desk.commitments.ask(CHANNEL, "TESTPACS", "127.0.0.1", data, str(ImplicitVRLittleEndian))

    assert status == Status.INVALID_ARGUMENT
    assert desk.waiting() == 0


def test_a_caller_without_a_port_for_reports_is_refused(desk: Desk) -> None:
    status = desk.commitments.ask(
        CHANNEL, "OTHER", "127.0.0.1", request("1.2.1"), str(ExplicitVRLittleEndian)
    )

    assert status == Status.PROCESSING_FAILURE


class OpenGate:
    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def decide(self, request: AssociateRequest, address: str) -> Channel | Refusal:
        assert (request.calling_ae, address) == ("TESTPACS", "127.0.0.1")
        return self._channel

    def store(self, channel: Channel, data: memoryview) -> int:
        raise AssertionError((channel, len(data)))

    begin = store


@pytest.mark.parametrize(("is_on", "expected"), [(True, 0x0000), (False, None)])
def test_a_pacs_asks_over_an_association(desk: Desk, *, is_on: bool, expected: int | None) -> None:
    channel = replace(CHANNEL, setup=replace(CHANNEL.setup, storage_commitment=is_on))
    gate = OpenGate(channel)
    door = Door(ReceiveSettings(host="127.0.0.1", port=0), LimitSettings(), gate, gate, desk.commitments)  # type: ignore[arg-type]  # stores nothing
    door.start()
    peer = Peer("127.0.0.1", door.port, "TRIAL1", "TESTPACS", timeout_s=PATIENCE_S)
    contexts = [(str(dimse.STORAGE_COMMITMENT), None), (str(dimse.VERIFICATION), None)]

    status = None
    try:
        with associated(peer, contexts) as line, contextlib.suppress(*LOST):  # no accepted context
            answer, _ = line.send_n_action(asked(), 1, dimse.STORAGE_COMMITMENT, "1.2.840.10008.1.20.1.1")
            status = int(answer.Status)
    finally:
        door.stop()

    assert status == expected
    assert desk.waiting() == (1 if is_on else 0)


def asked() -> Dataset:
    whole = Dataset()
    whole.TransactionUID, whole.ReferencedSOPSequence = "1.2.3.4", [Dataset()]
    item = whole.ReferencedSOPSequence[0]
    item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = CT, "1.2.1"
    return whole
