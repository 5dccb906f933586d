"""Upper Layer PDUs (PS3.8 section 9.3): parse what a requestor sends, build what an acceptor answers."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
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


class Item(IntEnum):
    """Items and sub-items (PS3.8 section 9.3, PS3.7 annex D)."""

    APPLICATION_CONTEXT = 0x10
    PROPOSED_CONTEXT = 0x20
    ANSWERED_CONTEXT = 0x21
    ABSTRACT_SYNTAX = 0x30
    TRANSFER_SYNTAX = 0x40
    USER_INFORMATION = 0x50
    MAXIMUM_LENGTH = 0x51
    IMPLEMENTATION_UID = 0x52
    OPERATIONS_WINDOW = 0x53
    IMPLEMENTATION_NAME = 0x55
    USER_IDENTITY = 0x58
    USER_IDENTITY_ANSWER = 0x59


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
class UserIdentity:
    """PS3.7 D.3.3.7. Neither field is ever logged."""

    kind: int
    wants_answer: bool
    primary: bytes = field(repr=False)
    secondary: bytes = field(repr=False)


@dataclass(frozen=True)
class AssociateRequest:
    called_ae: str
    calling_ae: str
    contexts: tuple[ProposedContext, ...]
    max_pdu: int
    """Largest PDU the peer takes; 0 is any."""
    echo: bytes
    """The 64 bytes of titles and reserved fields that the answer repeats (PS3.8 9.3.3)."""
    has_version_1: bool = True
    application_context: bytes = APPLICATION_CONTEXT
    identity: UserIdentity | None = None
    asks_for_window: bool = False
    """Whether it proposes asynchronous operations; the answer is one at a time."""


@dataclass(frozen=True)
class Context:
    """A presentation context as answered; `transfer_syntax` is empty unless accepted."""

    context_id: int
    result: ContextResult
    abstract_syntax: str
    transfer_syntax: str


def parse_associate_rq(body: bytes) -> AssociateRequest:
    """Read the body of an A-ASSOCIATE-RQ. Items that this service does not know are passed over.

    Raises:
        ProtocolViolation: it is not one.
    """
    if len(body) < 68:
        raise ProtocolViolation("the association request is too short")
    contexts: dict[int, ProposedContext] = {}
    name, user = b"", b""
    for kind, value in _items(body[68:]):
        if kind == Item.PROPOSED_CONTEXT:
            context = _parse_context(value)
            if not context.context_id % 2 or context.context_id in contexts:
                raise ProtocolViolation("a presentation context has an id that is even or used twice")
            contexts[context.context_id] = context
        elif kind == Item.APPLICATION_CONTEXT:
            name = value.rstrip(b"\0 ")
        elif kind == Item.USER_INFORMATION:
            user = value
    details = dict(_items(user))
    return AssociateRequest(
        called_ae=_title(body[4:20]),
        calling_ae=_title(body[20:36]),
        contexts=tuple(contexts.values()),
        max_pdu=_number(details.get(Item.MAXIMUM_LENGTH, b"")),
        echo=body[4:68],
        has_version_1=bool(body[1] & 1),
        application_context=name,
        identity=_parse_identity(details[Item.USER_IDENTITY]) if Item.USER_IDENTITY in details else None,
        asks_for_window=Item.OPERATIONS_WINDOW in details,
    )


def associate_ac(request: AssociateRequest, contexts: list[Context], max_pdu: int) -> bytes:
    body = struct.pack(">HH", 1, 0) + request.echo + item(Item.APPLICATION_CONTEXT, APPLICATION_CONTEXT)
    for context in contexts:
        # A refused context carries a transfer syntax too; its value is not significant (Table 9-18).
        syntax = (context.transfer_syntax or "1.2.840.10008.1.2").encode()
        body += item(
            Item.ANSWERED_CONTEXT,
            bytes([context.context_id, 0, context.result, 0]) + item(Item.TRANSFER_SYNTAX, syntax),
        )
    user = item(Item.MAXIMUM_LENGTH, struct.pack(">I", max_pdu))
    user += item(Item.IMPLEMENTATION_UID, IMPLEMENTATION_UID)
    if request.asks_for_window:
        user += item(Item.OPERATIONS_WINDOW, struct.pack(">HH", 1, 1))
    user += item(Item.IMPLEMENTATION_NAME, IMPLEMENTATION_NAME)
    if request.identity is not None and request.identity.wants_answer and request.identity.kind in {1, 2}:
        user += item(Item.USER_IDENTITY_ANSWER, struct.pack(">H", 0))
    return pdu(Kind.ASSOCIATE_AC, body + item(Item.USER_INFORMATION, user))


def associate_rj(result: int, source: int, reason: int) -> bytes:
    return pdu(Kind.ASSOCIATE_RJ, bytes([0, result, source, reason]))


def release_rq() -> bytes:
    return pdu(Kind.RELEASE_RQ, bytes(4))


def release_rp() -> bytes:
    return pdu(Kind.RELEASE_RP, bytes(4))


def abort(source: int, reason: int) -> bytes:
    """A-ABORT by the service user (0, where the reason means nothing) or provider (2); PS3.8 Table 9-26."""
    return pdu(Kind.ABORT, bytes([0, 0, source, reason if source else 0]))


def command(context_id: int, content: bytes) -> bytes:
    """One P-DATA-TF with one whole command."""
    return struct.pack(">BxIIBB", Kind.DATA, len(content) + 6, len(content) + 2, context_id, 3) + content


def item(kind: int, content: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(content)) + content


def pdu(kind: Kind, body: bytes) -> bytes:
    return struct.pack(">BxI", kind, len(body)) + body


def _parse_context(value: bytes) -> ProposedContext:
    if len(value) < 4:
        raise ProtocolViolation("a presentation context is too short")
    abstract, syntaxes = "", []
    for kind, content in _items(value[4:]):
        if kind == Item.ABSTRACT_SYNTAX:
            abstract = _uid(content)
        elif kind == Item.TRANSFER_SYNTAX:
            syntaxes.append(_uid(content))
    return ProposedContext(value[0], abstract, tuple(syntaxes))


def _parse_identity(value: bytes) -> UserIdentity:
    """Type, whether an answer is wanted, and two fields with their lengths before them."""
    if len(value) < 4:
        raise ProtocolViolation("the user identity is cut")
    end = 4 + int.from_bytes(value[2:4], "big")
    after = end + 2 + int.from_bytes(value[end : end + 2], "big")
    if len(value) < end or (len(value) < after and len(value) != end):
        raise ProtocolViolation("the user identity is cut")
    return UserIdentity(value[0], value[1] == 1, value[4:end], value[end + 2 : after])


def _items(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position < len(data):
        if len(data) - position < 4:
            raise ProtocolViolation("an item of the association request is cut")
        kind, length = struct.unpack_from(">BxH", data, position)
        position += 4
        if position + length > len(data):
            raise ProtocolViolation("an item of the association request is longer than the request")
        yield kind, data[position : position + length]
        position += length


def _number(value: bytes) -> int:
    return int.from_bytes(value, "big") if len(value) == 4 else 0


def _title(raw: bytes) -> str:
    return raw.decode("ascii", "replace").strip(" \0")


def _uid(raw: bytes) -> str:
    return raw.decode("ascii", "replace").rstrip("\0 ")
