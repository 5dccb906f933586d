"""One association, from its request to its end, on a blocking socket in its own thread.

Memory bound: the largest object of the association, up to the configured size.
"""

import struct
from dataclasses import dataclass
from typing import Final, Protocol

from collegium_connect.channels import Channel
from collegium_connect.receive import dimse, part10, pdu
from collegium_connect.receive.admission import Refusal, negotiate
from collegium_connect.receive.errors import ObjectTooLarge, PeerGone, ProtocolViolation
from collegium_connect.receive.pdu import AssociateRequest, Context, ContextResult, Kind
from collegium_connect.receive.stream import Stream

_REQUEST_LIMIT: Final = 1 << 20
_COMMAND_LIMIT: Final = 64 << 10
_KEEP_BUFFER: Final = 32 << 20


class Gate(Protocol):
    def decide(self, request: AssociateRequest, address: str) -> Channel | Refusal: ...


class Taker(Protocol):
    def store(self, channel: Channel, data: memoryview) -> int: ...


@dataclass
class Tally:
    """What an association did, for the log."""

    stored: int = 0
    refused: int = 0
    echoes: int = 0
    bytes_received: int = 0


class Association:
    """Serves one peer. `run` returns when it released; it raises what ended it otherwise."""

    def __init__(self, stream: Stream, gate: Gate, taker: Taker, *, max_pdu: int, object_limit: int) -> None:
        self._stream, self._gate, self._taker = stream, gate, taker
        self._max_pdu, self._object_limit = max_pdu, object_limit
        self._contexts: dict[int, Context] = {}
        self._object = _ObjectBuffer(object_limit)
        self.request: AssociateRequest | None = None
        self.channel: Channel | None = None
        self.tally = Tally()

    def open(self, address: str) -> Refusal | None:
        """Read the request and answer it; the refusal, if it was one."""
        kind, length = self._header()
        if kind != Kind.ASSOCIATE_RQ or length > _REQUEST_LIMIT:
            raise ProtocolViolation("The first bytes are no association request.", reason=2)
        self.request = pdu.parse_associate_rq(self._stream.take(length))
        decision = self._gate.decide(self.request, address)
        if isinstance(decision, Refusal):
            self._stream.send(pdu.associate_rj(decision.result, decision.source, decision.reason))
            return decision
        self.channel = decision
        answers = [negotiate(proposed) for proposed in self.request.contexts]
        self._contexts = {item.context_id: item for item in answers if item.result is ContextResult.ACCEPTED}
        self._stream.send(pdu.associate_ac(self.request, answers, self._max_pdu))
        return None

    def run(self) -> None:
        """Serve until the peer releases.

        Raises:
            PeerGone: it closed or aborted instead, or fell silent.
            ProtocolViolation, ObjectTooLarge: the caller aborts.
        """
        incoming = _Incoming()
        while True:
            kind, length = self._header()
            if kind == Kind.DATA:
                self._data(length, incoming)
            elif kind == Kind.RELEASE_RQ:
                self._stream.take(length)
                self._stream.send(pdu.release_rp())
                return
            elif kind == Kind.ABORT:
                raise PeerGone
            else:
                raise ProtocolViolation("A PDU that has no place here.", reason=2)

    def _header(self) -> tuple[int, int]:
        kind, length = struct.unpack(">BxI", self._stream.take(6))
        return kind, length

    def _data(self, length: int, incoming: "_Incoming") -> None:
        """One P-DATA-TF: its values one after the other."""
        left = length
        while left:
            if left < 6:
                raise ProtocolViolation("A presentation data value is cut.")
            size, context_id, control = struct.unpack(">IBB", self._stream.take(6))
            if size < 2 or size + 4 > left:
                raise ProtocolViolation("A presentation data value does not fit its PDU.")
            left -= size + 4
            if control & 1:
                self._command_part(size - 2, control, context_id, incoming)
            else:
                self._object_part(size - 2, control, context_id, incoming)

    def _command_part(self, size: int, control: int, context_id: int, incoming: "_Incoming") -> None:
        if incoming.command is not None or len(incoming.command_bytes) + size > _COMMAND_LIMIT:
            raise ProtocolViolation("A command where data are due.")
        incoming.command_bytes += self._stream.take(size)
        if not control & 2:
            return
        command, incoming.command_bytes = dimse.parse(incoming.command_bytes), b""
        context = self._contexts.get(context_id)
        if context is None:
            raise ProtocolViolation("A command in a context that was not accepted.", reason=5)
        if command.operation == dimse.Operation.C_STORE_RQ and command.has_data:
            head = part10.head(command.sop_class_uid, command.sop_instance_uid, context.transfer_syntax)
            self._object.begin(head)
            incoming.command, incoming.context_id = command, context_id
        elif command.operation == dimse.Operation.C_ECHO_RQ:
            self.tally.echoes += 1
            self._answer(context_id, command, 0)
        elif command.operation != dimse.Operation.C_CANCEL_RQ:
            if command.has_data:
                raise ProtocolViolation("An operation that this service does not offer.")
            self._answer(context_id, command, dimse.UNRECOGNIZED_OPERATION)

    def _object_part(self, size: int, control: int, context_id: int, incoming: "_Incoming") -> None:
        if incoming.command is None or context_id != incoming.context_id:
            raise ProtocolViolation("Data without a command.")
        self._stream.read_into(self._object.room(size))
        if not control & 2:
            return
        command, incoming.command = incoming.command, None
        assert self.channel is not None
        data = self._object.content()
        try:
            status = self._taker.store(self.channel, data)
        finally:
            self.tally.bytes_received += len(data)
            data.release()
        self.tally.stored += status == 0
        self.tally.refused += status != 0
        self._answer(context_id, command, status)

    def _answer(self, context_id: int, command: dimse.Command, status: int) -> None:
        self._stream.send(pdu.command(context_id, dimse.response(command, status)))


@dataclass
class _Incoming:
    """A message under way: a command so far, then the data it announced."""

    command_bytes: bytes = b""
    command: dimse.Command | None = None
    context_id: int = 0


class _ObjectBuffer:
    """One growing buffer that the objects of an association take turns in."""

    def __init__(self, limit: int) -> None:
        self._limit, self._data, self._used = limit, bytearray(1 << 20), 0

    def begin(self, head: bytes) -> None:
        if len(self._data) > _KEEP_BUFFER:
            self._data = bytearray(1 << 20)
        self._data[: len(head)] = head
        self._used = len(head)

    def room(self, size: int) -> memoryview:
        """The next `size` bytes, to be filled by the caller at once."""
        end = self._used + size
        if end > self._limit:
            raise ObjectTooLarge
        if end > len(self._data):
            # A new buffer, not a longer one: a view of the old one may still be alive somewhere.
            grown = bytearray(max(end, 2 * len(self._data)))
            grown[: self._used] = self._data[: self._used]
            self._data = grown
        start, self._used = self._used, end
        return memoryview(self._data)[start:end]

    def content(self) -> memoryview:
        return memoryview(self._data)[: self._used]
