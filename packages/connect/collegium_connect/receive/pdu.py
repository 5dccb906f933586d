"""Upper Layer PDUs (PS3.8 section 9.3): parse what a requestor sends, build what an acceptor answers."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from collegium_connect.receive.errors import ProtocolViolation

APPLICATION_CONTEXT: Final = b"1.2.840.10008.3.1.1.1"
IMPLEMENTATION_UID: Final = b"2.25.264470517213985326163302513412301127361"
IMPLEMENTATION_NAME: Final = b"COLLEGIUM_CONN_1"


class Kind(IntEnum):
    ASSOCIATE_RQ = 1
    ASSOCIATE_AC = 2
    ASSOCIATE_RJ = 3
    DATA = 4
    RELEASE_RQ = 5
    RELEASE_RP = 6
    ABORT = 7


class ContextResult(IntEnum):
    """PS3.8 Table 9-18."""

    ACCEPTED = 0
    ABSTRACT_SYNTAX_NOT_SUPPORTED = 3
    TRANSFER_SYNTAXES_NOT_SUPPORTED = 4


@dataclass(frozen=True)
class ProposedContext:
    context_id: int
    abstract_syntax: str
    transfer_syntaxes: tuple[str, ...]


@dataclass(frozen=True)
class AssociateRequest:
    called_ae: str
    calling_ae: str
    contexts: tuple[ProposedContext, ...]
    max_pdu: int
    """Largest PDU the peer takes; 0 is any."""
    echo: bytes
    """The 64 bytes of titles and reserved fields that the answer repeats (PS3.8 9.3.3)."""


@dataclass(frozen=True)
class Context:
    """A presentation context as answered; `transfer_syntax` is empty unless accepted."""

    context_id: int
    result: ContextResult
    abstract_syntax: str
    transfer_syntax: str


def parse_associate_rq(body: bytes) -> AssociateRequest:
    """Read the body of an A-ASSOCIATE-RQ.

    Raises:
        ProtocolViolation: it is not one.
    """
    if len(body) < 68:
        raise ProtocolViolation("The association request is too short.")
    contexts, max_pdu = [], 0
    for kind, value in _items(body[68:]):
        if kind == 0x20:
            contexts.append(_parse_context(value))
        elif kind == 0x50:
            for sub_kind, sub_value in _items(value):
                if sub_kind == 0x51 and len(sub_value) == 4:
                    (max_pdu,) = struct.unpack(">I", sub_value)
    return AssociateRequest(_title(body[4:20]), _title(body[20:36]), tuple(contexts), max_pdu, body[4:68])


def associate_ac(request: AssociateRequest, contexts: list[Context], max_pdu: int) -> bytes:
    body = struct.pack(">HH", 1, 0) + request.echo + _item(0x10, APPLICATION_CONTEXT)
    for context in contexts:
        # A refused context carries a transfer syntax too; its value is not significant (Table 9-18).
        syntax = (context.transfer_syntax or "1.2.840.10008.1.2").encode()
        body += _item(0x21, bytes([context.context_id, 0, context.result, 0]) + _item(0x40, syntax))
    user = (
        _item(0x51, struct.pack(">I", max_pdu))
        + _item(0x52, IMPLEMENTATION_UID)
        + _item(0x55, IMPLEMENTATION_NAME)
    )
    return _pdu(Kind.ASSOCIATE_AC, body + _item(0x50, user))


def associate_rj(result: int, source: int, reason: int) -> bytes:
    return _pdu(Kind.ASSOCIATE_RJ, bytes([0, result, source, reason]))


def release_rp() -> bytes:
    return _pdu(Kind.RELEASE_RP, bytes(4))


def abort(reason: int) -> bytes:
    """A-ABORT by the service provider (source 2)."""
    return _pdu(Kind.ABORT, bytes([0, 0, 2, reason]))


def command(context_id: int, content: bytes) -> bytes:
    """One P-DATA-TF with one whole command."""
    return struct.pack(">BxIIBB", Kind.DATA, len(content) + 6, len(content) + 2, context_id, 3) + content


def _parse_context(value: bytes) -> ProposedContext:
    if len(value) < 4:
        raise ProtocolViolation("A presentation context is too short.")
    abstract, syntaxes = "", []
    for kind, content in _items(value[4:]):
        if kind == 0x30:
            abstract = _uid(content)
        elif kind == 0x40:
            syntaxes.append(_uid(content))
    return ProposedContext(value[0], abstract, tuple(syntaxes))


def _items(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position < len(data):
        if len(data) - position < 4:
            raise ProtocolViolation("An item of the association request is cut.")
        kind, length = struct.unpack_from(">BxH", data, position)
        position += 4
        if position + length > len(data):
            raise ProtocolViolation("An item of the association request is longer than the request.")
        yield kind, data[position : position + length]
        position += length


def _item(kind: int, content: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(content)) + content


def _pdu(kind: Kind, body: bytes) -> bytes:
    return struct.pack(">BxI", kind, len(body)) + body


def _title(raw: bytes) -> str:
    return raw.decode("ascii", "replace").strip(" \0")


def _uid(raw: bytes) -> str:
    return raw.decode("ascii", "replace").rstrip("\0 ")
