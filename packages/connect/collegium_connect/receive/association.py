"""One association, from its request to its end, on a blocking socket in its own thread."""

import struct
from dataclasses import dataclass
from typing import Final, Protocol

from collegium_connect.channels import Channel
from collegium_connect.receive import dimse, pdu
from collegium_connect.receive.admission import Refusal
from collegium_connect.receive.errors import AssociationEnded, ProtocolViolation, ServiceViolation
from collegium_connect.receive.negotiation import negotiate
from collegium_connect.receive.pdu import AssociateRequest, Context, ContextResult
from collegium_connect.receive.reception import Reception
from collegium_connect.receive.stream import Stream
from collegium_connect.receive.upper_layer import UpperLayer

_VALUE_HEAD: Final = struct.Struct(">IBB")
_C_STORE: Final = int(dimse.Operation.C_STORE_RQ)  # named with every object
_COMMAND_LIMIT: Final = 64 << 10
_ACTION_LIMIT: Final = 8 << 20


class Gate(Protocol):
    def decide(self, request: AssociateRequest, address: str) -> Channel | Refusal: ...


class Committer(Protocol):
    """Answers storage commitment requests."""

    def ask(self, channel: Channel, calling_ae: str, address: str, data: bytes, transfer_syntax: str) -> int:
        """Take a request (its data set as it came); the N-ACTION status."""
        ...


@dataclass
class Tally:
    """What an association did, for the log."""

    stored: int = 0
    refused: int = 0
    echoes: int = 0
    bytes_received: int = 0


@dataclass
class _Incoming:
    """A message under way: a command so far, then the data it announced."""

    command_bytes: bytes = b""
    command: dimse.Command | None = None
    context_id: int = 0
    action: bytearray | None = None
    """Data of an N-ACTION so far; None while an object is received."""


class Association:
    """Serves one peer."""

    def __init__(  # noqa: PLR0913 - the parts that one association works with
        self,
        upper: UpperLayer,
        stream: Stream,
        gate: Gate,
        reception: Reception,
        *,
        address: str,
        object_timeout_s: float,
        committer: Committer | None = None,
    ) -> None:
        self.upper, self._stream, self._gate, self._reception = upper, stream, gate, reception
        self._address, self._object_timeout_s, self._committer = address, object_timeout_s, committer
        self._contexts: dict[int, Context] = {}
        self.request: AssociateRequest | None = None
        self.channel: Channel | None = None
        self.is_refused = False
        self.is_answered = False
        """Whether the peer was told that it is in, or is not, or nobody waits for that any more."""
        self.tally = Tally()

    def serve(self) -> str:
        """From the request to the last byte; how it ended, in words. Raises nothing of the peer's making."""
        ending = "released"
        try:
            if self._open():
                self._run()
            else:
                ending = "refused"
        except AssociationEnded as ended:
            ending = ended.words
            self.upper.end(ended)
        finally:
            self.is_answered = True
            self._reception.close()
        return ending

    def _open(self) -> bool:
        """Read the request and answer it; whether it was accepted."""
        self.request = self.upper.request()
        decision = self._gate.decide(self.request, self._address)
        if isinstance(decision, Refusal):
            self.is_refused = True
            self.upper.reject(decision.result, decision.source, decision.reason)
            return False
        self.channel = decision
        answers = [negotiate(proposed, decision.setup) for proposed in self.request.contexts]
        self._contexts = {item.context_id: item for item in answers if item.result is ContextResult.ACCEPTED}
        self.upper.accept(pdu.associate_ac(self.request, answers, self.upper.max_pdu))
        self.is_answered = True
        return True

    def _run(self) -> None:
        incoming = _Incoming()
        while length := self.upper.next_data():
            self._data(length, incoming)

    def _data(self, length: int, incoming: _Incoming) -> None:
        """One P-DATA-TF: its values one after the other."""
        left = length
        while left:
            if left < 6:
                raise ProtocolViolation("a presentation data value is cut")
            size, context_id, control = self._stream.unpack(_VALUE_HEAD)
            if size < 2 or size + 4 > left:
                raise ProtocolViolation("a presentation data value does not fit its PDU")
            left -= size + 4
            if control & 1:
                self._command_part(size - 2, control, context_id, incoming)
            else:
                self._data_part(size - 2, control, context_id, incoming)

    def _command_part(self, size: int, control: int, context_id: int, incoming: _Incoming) -> None:
        if incoming.command is not None or len(incoming.command_bytes) + size > _COMMAND_LIMIT:
            raise ServiceViolation("a command where data are due, or one that does not end")
        if not incoming.command_bytes:
            self._stream.end_within(self._object_timeout_s)
        incoming.command_bytes += self._stream.take(size)
        if not control & 2:
            return
        command, incoming.command_bytes = dimse.parse(incoming.command_bytes), b""
        context = self._contexts.get(context_id)
        if context is None:
            raise ServiceViolation("a command in a context that was not accepted")
        if command.operation == _C_STORE and command.has_data:
            self._begin_object(command, context)
            incoming.command, incoming.context_id, incoming.action = command, context_id, None
        elif command.operation == dimse.Operation.N_ACTION_RQ and command.has_data:
            incoming.command, incoming.context_id, incoming.action = command, context_id, bytearray()
        elif command.has_data:
            raise ServiceViolation("an operation that this service does not offer")
        elif command.operation == dimse.Operation.C_ECHO_RQ:
            self.tally.echoes += 1
            self._answer(context_id, command, 0)
        elif command.operation == dimse.Operation.C_CANCEL_RQ:
            self._rest()  # there is nothing to cancel, and no answer to it (PS3.7 section 9.3.2.3)
        else:
            self._answer(context_id, command, dimse.UNRECOGNIZED_OPERATION)

    def _begin_object(self, command: dimse.Command, context: Context) -> None:
        assert self.channel is not None
        self._reception.begin(
            self.channel, command.sop_class_uid, command.sop_instance_uid, context.transfer_syntax
        )

    def _data_part(self, size: int, control: int, context_id: int, incoming: _Incoming) -> None:
        if incoming.command is None or context_id != incoming.context_id:
            raise ServiceViolation("data without a command")
        if incoming.action is None:
            self._reception.take(self._stream, size)
        elif len(incoming.action) + size > _ACTION_LIMIT:
            raise ServiceViolation("an action with more data than this service takes")
        else:
            incoming.action += self._stream.take(size)
        if not control & 2:
            return
        command, incoming.command = incoming.command, None
        status = self._store() if incoming.action is None else self._act(command, incoming)
        self._answer(context_id, command, status)

    def _store(self) -> int:
        size = self._reception.size
        status = self._reception.finish()
        self.tally.bytes_received += size
        self.tally.stored += status == 0
        self.tally.refused += status != 0
        return status

    def _act(self, command: dimse.Command, incoming: _Incoming) -> int:
        context = self._contexts[incoming.context_id]
        if (
            context.abstract_syntax != dimse.STORAGE_COMMITMENT
            or self._committer is None
            or command.action != 1
        ):
            return dimse.UNRECOGNIZED_OPERATION
        assert self.channel is not None
        assert self.request is not None
        assert incoming.action is not None
        return self._committer.ask(
            self.channel,
            self.request.calling_ae,
            self._address,
            bytes(incoming.action),
            context.transfer_syntax,
        )

    def _answer(self, context_id: int, command: dimse.Command, status: int) -> None:
        self.upper.send(pdu.command(context_id, dimse.response(command, status)))
        self._rest()

    def _rest(self) -> None:
        self._stream.end_within(None)
        self.upper.rest()
