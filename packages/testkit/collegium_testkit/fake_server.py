"""A stand-in for the platform's gateway calls, with faults on demand.

Speaks the wire protocol over real HTTP on this machine: enrol, heartbeat, manifest, objects, complete.
Strict about digests and lengths; remembers every byte it was sent, so that a test can look for what
must not be there. A fault cuts the connection or answers with an error at a chosen call.
"""

import contextlib
import hashlib
import re
import secrets
import socket
import ssl
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, Literal, Self

from collegium_testkit.patience import PATIENCE_S
from collegium_wire import (
    NEWEST,
    PROTOCOL,
    ChannelSetup,
    EnrolmentAnswer,
    EnrolmentRequest,
    Heartbeat,
    HeartbeatAnswer,
    Manifest,
    Message,
    Missing,
    ObjectsAnswer,
    Outcome,
    Problem,
    Receipt,
    ReceiptItem,
    RefusedObject,
    TrailEntry,
    WireError,
    paths,
)

_DELIVERY: Final = re.compile(r"/gateway/v1/deliveries/([0-9a-f-]{36})(/objects|/complete)?")
Call = Literal["enrol", "heartbeat", "manifest", "objects", "complete"]
Kind = Literal[
    "cut_before", "cut_during", "cut_after", "status", "garbage", "unreadable", "wrong_receipt",
    "half_closed", "hang",
]  # fmt: skip


@dataclass
class Fault:
    """What goes wrong, at which call, how often.

    `cut_before` closes the connection without reading; `cut_during` after half of the body;
    `cut_after` does the work and never answers; `status` answers with an error; `garbage` with
    bytes that are no message, `unreadable` likewise after the work; `wrong_receipt` with a receipt for
    something else; `half_closed` closes its own side and goes on listening; `hang` never answers, while
    the server lives.
    """

    call: Call
    kind: Kind
    status: int = 500
    times: int = 1

    def __str__(self) -> str:
        return f"{self.call} {self.kind}"


@dataclass
class _Delivery:
    manifest: Manifest
    objects: dict[str, bytes] = field(default_factory=dict)
    receipt: Receipt | None = None

    @property
    def missing(self) -> tuple[str, ...]:
        return tuple(item.sha256 for item in self.manifest.objects if item.sha256 not in self.objects)


class _Refusal(Exception):
    def __init__(self, status: int, message: Message) -> None:
        super().__init__(status)
        self.status, self.message = status, message


class FakeServer:
    """Use as a context manager. Everything it saw is in its attributes."""

    def __init__(
        self,
        channels: Sequence[ChannelSetup] = (),
        *,
        tls: ssl.SSLContext | None = None,
        host: str = "127.0.0.1",
    ) -> None:
        self.channels = tuple(channels)
        self.code, self.token = secrets.token_hex(4), secrets.token_hex(16)
        self.faults: list[Fault] = []
        self.refuse: set[str] = set()
        """Digests or SOP instance UIDs that the receipt refuses."""
        self.cleaned_otherwise = False
        """Whether what it has with another content counts as cleaned by another version."""
        self.deliveries: dict[str, _Delivery] = {}
        self.archive: dict[str, list[str]] = {}
        """SOP instance UID to the digests it was stored with."""
        self.receipted: Counter[str] = Counter()
        """How many receipts name an instance."""
        self.heartbeats: list[Heartbeat] = []
        self.clock_ahead_s = 0.0
        """By how much its clock is ahead, as its answers say."""
        self.is_shared = False
        """Two runs took turns with the one enrolment; a test may set it back."""
        self.pinned_software = ""
        self.newest = NEWEST
        """The newest protocol it speaks; an earlier one makes it a server of before."""
        self.trail: list[TrailEntry] = []
        """The gateway's trail, as far as heartbeats brought it."""
        self.sent: list[bytes] = []
        """Every request's line, headers and body."""
        self._lock = threading.Lock()
        self._lines: set[socket.socket] = set()
        """Connections that are open; whoever is served on one does not outlive the server."""
        self._used_codes: dict[str, str] = {}
        self._http = ThreadingHTTPServer((host, 0), type("Handler", (_Handler,), {"fake": self}))
        self._http.daemon_threads = True
        self.ending = threading.Event()
        self._scheme = "https" if tls else "http"
        if tls is not None:
            self._http.socket = tls.wrap_socket(
                self._http.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ending.set()
        self._http.shutdown()
        with self._lock:
            for line in self._lines:
                _hang_up(line)
        self._http.server_close()
        self._thread.join(timeout=PATIENCE_S)

    @contextlib.contextmanager
    def line(self, connection: socket.socket) -> Iterator[None]:
        """Hold a connection as open while it is served."""
        with self._lock:
            self._lines.add(connection)
            if self.ending.is_set():
                _hang_up(connection)
        try:
            yield
        finally:
            with self._lock:
                self._lines.discard(connection)

    @property
    def url(self) -> str:
        host, port = self._http.server_address[:2]
        return f"{self._scheme}://{host!s}:{port}"

    @property
    def objects(self) -> list[bytes]:
        """The bytes of every object of every delivery."""
        with self._lock:
            return [data for item in self.deliveries.values() for data in item.objects.values()]

    @property
    def receipts(self) -> list[Receipt]:
        with self._lock:
            return [item.receipt for item in self.deliveries.values() if item.receipt is not None]

    def fault_at(self, call: Call) -> Fault | None:
        """The fault that strikes this call, used up once."""
        with self._lock:
            for fault in self.faults:
                if fault.call == call and fault.times:
                    fault.times -= 1
                    return fault
        return None

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        """Do what a call asks; status and body of the answer."""
        if path == paths.LINE:
            return 200, b""
        with self._lock:
            try:
                return 200, self._answer(method, path, headers, body).to_json()
            except _Refusal as refusal:
                return refusal.status, refusal.message.to_json()
            except WireError as error:
                return 422, Problem(code=error.code, message=error.message, reference="").to_json()

    def _answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Message:
        if (method, path) == ("POST", paths.ENROL):
            return self._enrol(EnrolmentRequest.from_json(body))
        if headers.get("authorization") != f"Bearer {self.token}":
            raise _problem(401, "connections.token.unknown", "The token is not known.")
        if (method, path) == ("POST", paths.HEARTBEAT):
            beat = Heartbeat.from_json(body)
            if beat.protocol > self.newest:
                raise _problem(422, "wire.protocol.unsupported", "Update the older side.")
            runs = [item.run for item in self.heartbeats]
            self.is_shared |= beat.run in runs and beat.run != runs[-1]
            self.heartbeats.append(beat)
            self.trail += [entry for entry in beat.trail if entry.seq == len(self.trail) + 1]
            return HeartbeatAnswer(
                protocol=beat.protocol,
                channels=self.channels,
                trail_seq=len(self.trail),
                is_shared=self.is_shared,
                pinned_software=self.pinned_software,
            ).as_of(beat.protocol)
        match = _DELIVERY.fullmatch(path)
        if match is None:
            raise _problem(404, "http.not_found", "No such call.")
        if method == "PUT":
            return self._open(match[1], Manifest.from_json(body))
        delivery = self.deliveries.get(match[1])
        if delivery is None:
            raise _problem(404, "ingest.delivery.unknown", "No such delivery.")
        if match[2] == "/objects":
            return self._store(delivery, headers["content-type"], body)
        if match[2] == "/complete":
            return self._complete(delivery)
        return delivery.receipt or Missing(missing=delivery.missing)

    def _enrol(self, request: EnrolmentRequest) -> Message:
        used_with = self._used_codes.get(request.code)
        if request.code != self.code or (used_with is not None and used_with != request.token):
            raise _problem(409, "connections.enrolment.used", "The code was used, or is not one.")
        self.token = self._used_codes[request.code] = request.token or self.token
        answer = EnrolmentAnswer(
            protocol=PROTOCOL, gateway_id="gw-1", token=self.token, channels=self.channels
        )
        return answer.as_of(PROTOCOL)

    def _open(self, delivery_id: str, manifest: Manifest) -> Message:
        if manifest.protocol > self.newest:
            raise _problem(422, "wire.protocol.unsupported", "Update the older side.")
        known = self.deliveries.setdefault(delivery_id, _Delivery(manifest))
        if known.manifest.digest() != manifest.digest() or manifest.delivery_id != delivery_id:
            raise _problem(409, "ingest.delivery.other_manifest", "The id belongs to another manifest.")
        return Missing(missing=known.missing)

    def _store(self, delivery: _Delivery, content_type: str, body: bytes) -> Message:
        wanted = {item.sha256: item.size_bytes for item in delivery.manifest.objects}
        stored, refused = [], []
        for sha256, data in _parts(content_type, body):
            if hashlib.sha256(data).hexdigest() != sha256 or wanted.get(sha256) != len(data):
                refused.append(
                    RefusedObject(sha256=sha256, code="ingest.object.digest", message="Not as announced.")
                )
                continue
            delivery.objects[sha256] = data
            stored.append(sha256)
        return ObjectsAnswer(stored=tuple(stored), refused=tuple(refused))

    def _complete(self, delivery: _Delivery) -> Message:
        if delivery.missing:
            raise _Refusal(409, Missing(missing=delivery.missing))
        if delivery.receipt is None:
            judge = self._prove if delivery.manifest.is_test else self._judge
            items = tuple(judge(item.sop_instance_uid, item.sha256) for item in delivery.manifest.objects)
            self.receipted.update(item.sop_instance_uid for item in items)
            delivery.receipt = Receipt(
                protocol=NEWEST if delivery.manifest.is_test else PROTOCOL,
                delivery_id=delivery.manifest.delivery_id,
                manifest_digest=delivery.manifest.digest(),
                exam_id=delivery.manifest.study_uid,
                items=items,
                at=datetime.now(UTC),
            )
        return delivery.receipt

    def _prove(self, sop_instance_uid: str, sha256: str) -> ReceiptItem:
        return ReceiptItem(
            sop_instance_uid=sop_instance_uid, sha256=sha256, outcome=Outcome.PROVEN, reason=""
        )

    def _judge(self, sop_instance_uid: str, sha256: str) -> ReceiptItem:
        known = self.archive.setdefault(sop_instance_uid, [])
        outcome, reason = Outcome.STORED, ""
        if sop_instance_uid in self.refuse:
            outcome, reason = Outcome.REFUSED, "The recipe of the channel was not followed."
        elif sha256 in known:
            outcome = Outcome.DUPLICATE
        elif known and self.cleaned_otherwise:
            outcome, reason = Outcome.DUPLICATE, "Cleaned by another."
        elif known:
            outcome, reason = Outcome.HELD, "Other content under a known instance UID."
        if outcome is not Outcome.REFUSED:
            known.append(sha256)
        return ReceiptItem(sop_instance_uid=sop_instance_uid, sha256=sha256, outcome=outcome, reason=reason)


def _problem(status: int, code: str, message: str) -> _Refusal:
    return _Refusal(status, Problem(code=code, message=message, reference=""))


def _parts(content_type: str, body: bytes) -> list[tuple[str, bytes]]:
    """The parts of a multipart body by their stated lengths; each must end where it says."""
    boundary = b"--" + content_type.rpartition("boundary=")[2].strip('"').encode()
    found: list[tuple[str, bytes]] = []
    position = 0
    while True:
        start = body.index(boundary, position) + len(boundary)
        if body[start : start + 2] == b"--":
            return found
        head_end = body.index(b"\r\n\r\n", start) + 4
        heads = dict(
            line.lower().split(": ", 1) for line in body[start:head_end].decode("ascii").strip().split("\r\n")
        )
        end = head_end + int(heads["content-length"])
        assert body[end : end + 2 + len(boundary)] == b"\r\n" + boundary
        found.append((heads["content-id"].strip("<>"), body[head_end:end]))
        position = end


class _Handler(BaseHTTPRequestHandler):
    """One connection of a gateway; the faults strike here, at the socket."""

    protocol_version = "HTTP/1.1"
    timeout = PATIENCE_S
    disable_nagle_algorithm = True
    fake: FakeServer

    def _serve(self) -> None:
        fault = self.fake.fault_at(_call_of(self.path))
        kind = fault.kind if fault is not None else ""
        length = int(self.headers.get("Content-Length", "0"))
        if kind == "cut_before":
            self._cut()
            return
        if kind == "cut_during":
            self.fake.sent.append(self.rfile.read(length // 2))
            self._cut()
            return
        body = self.rfile.read(length)
        self.fake.sent.append(f"{self.requestline}\r\n{self.headers}".encode() + body)
        self._answer(fault, body)

    do_GET = do_PUT = do_POST = _serve  # noqa: N815 - the names that http.server calls

    def _answer(self, fault: Fault | None, body: bytes) -> None:
        kind = fault.kind if fault is not None else ""
        if fault is not None and kind == "status":
            problem = Problem(code="http.fault", message="A fault on purpose.", reference="")
            self._reply(fault.status, problem.to_json())
            return
        if kind == "hang":
            self.fake.ending.wait()
            self._cut()
            return
        if kind == "half_closed":
            self.close_connection = True
            self.connection.shutdown(socket.SHUT_WR)
            return
        if kind == "garbage":
            self._reply(200, b"<html>captive portal</html>")
            return
        headers = {key.lower(): value for key, value in self.headers.items()}
        status, content = self.fake.answer(self.command, self.path, headers, body)
        if kind == "cut_after":
            self._cut()
            return
        if kind == "unreadable":
            content = b"{}"
        if kind == "wrong_receipt":
            receipt = Receipt.from_json(content)
            content = content.replace(receipt.manifest_digest.encode(), b"0" * 64)
        self._reply(status, content)

    def _reply(self, status: int, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", paths.JSON_TYPE)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _cut(self) -> None:
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def handle(self) -> None:
        # The gateway was killed, does not trust us, or the fault cut the line: all on purpose.
        with (
            self.fake.line(self.connection),
            contextlib.suppress(ConnectionError, TimeoutError, ValueError, ssl.SSLError),
        ):
            super().handle()

    def date_time_string(self, timestamp: float | None = None) -> str:
        return super().date_time_string((timestamp or time.time()) + self.fake.clock_ahead_s)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
        """Nothing: the test's output stays readable."""


def _hang_up(line: socket.socket) -> None:
    """Past TLS, which another thread may be reading."""
    with contextlib.suppress(OSError):
        socket.socket.shutdown(line, socket.SHUT_RDWR)


def _call_of(path: str) -> Call:
    if path == paths.ENROL:
        return "enrol"
    if path == paths.HEARTBEAT:
        return "heartbeat"
    if path.endswith("/objects"):
        return "objects"
    return "complete" if path.endswith("/complete") else "manifest"
