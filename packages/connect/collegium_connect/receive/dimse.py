"""DIMSE commands (PS3.7): only what a storage, verification and storage commitment provider needs."""

import struct
from enum import IntEnum
from functools import lru_cache
from typing import Final, NamedTuple

from collegium_connect.receive.errors import ServiceViolation

VERIFICATION: Final = "1.2.840.10008.1.1"
STORAGE_COMMITMENT: Final = "1.2.840.10008.1.20.1"
NO_DATA_SET: Final = 0x0101
UNRECOGNIZED_OPERATION: Final = 0x0211

_SOP_CLASS, _FIELD, _MESSAGE_ID, _ANSWERED_ID = 0x0002, 0x0100, 0x0110, 0x0120
_DATA_SET_TYPE, _STATUS, _SOP_INSTANCE = 0x0800, 0x0900, 0x1000
_REQUESTED_CLASS, _REQUESTED_INSTANCE, _ACTION = 0x0003, 0x1001, 0x1008
_ELEMENT: Final = struct.Struct("<HHI")


class Operation(IntEnum):
    C_STORE_RQ = 0x0001
    C_ECHO_RQ = 0x0030
    C_CANCEL_RQ = 0x0FFF
    N_ACTION_RQ = 0x0130


class Command(NamedTuple):
    """A request: its raw fields are repeated in the answer as they came."""

    operation: int
    message_id: int
    has_data: bool
    sop_class: bytes
    sop_instance: bytes
    action: int = 0
    """Action type of an N-ACTION."""

    @property
    def sop_class_uid(self) -> str:
        return _uid(self.sop_class)

    @property
    def sop_instance_uid(self) -> str:
        return _uid(self.sop_instance)


def parse(data: bytes) -> Command:
    """Read a command set (implicit VR little endian, group 0000).

    Raises:
        ServiceViolation: cut, or without the fields every request has.
    """
    fields, position, size, head = dict[int, bytes](), 0, len(data), _ELEMENT.unpack_from
    while position < size:
        if size - position < 8:
            raise ServiceViolation("a command is cut")
        group, element, length = head(data, position)
        start, position = position + 8, position + 8 + length
        if group or position > size:
            raise ServiceViolation("a command holds what is no command element")
        fields[element] = data[start:position]
    return Command(
        operation=_number(fields, _FIELD),
        message_id=_number(fields, _MESSAGE_ID) if _MESSAGE_ID in fields else 0,
        has_data=_number(fields, _DATA_SET_TYPE) != NO_DATA_SET,
        sop_class=fields.get(_SOP_CLASS, fields.get(_REQUESTED_CLASS, b"")),
        sop_instance=fields.get(_SOP_INSTANCE, fields.get(_REQUESTED_INSTANCE, b"")),
        action=_number(fields, _ACTION) if _ACTION in fields else 0,
    )


def response(request: Command, status: int) -> bytes:
    """The answer to a request, without a data set."""
    instance = request.sop_instance
    before, between, after = _template(request.operation, request.sop_class, len(instance))
    number, answer = request.message_id.to_bytes(2, "little"), status.to_bytes(2, "little")
    return b"".join((before, number, between, answer, after, instance))


@lru_cache(maxsize=256)  # one entry a kind of object, as the senders of the day use them
def _template(operation: int, sop_class: bytes, instance_bytes: int) -> tuple[bytes, bytes, bytes]:
    """The bytes of an answer before the message's number, between it and the status, and behind that."""
    before = _element(_SOP_CLASS, sop_class) if sop_class else b""
    before += _element(_FIELD, struct.pack("<H", operation | 0x8000)) + _ELEMENT.pack(0, _ANSWERED_ID, 2)
    between = _element(_DATA_SET_TYPE, struct.pack("<H", NO_DATA_SET)) + _ELEMENT.pack(0, _STATUS, 2)
    after = _ELEMENT.pack(0, _SOP_INSTANCE, instance_bytes) if instance_bytes else b""
    length = len(before) + 2 + len(between) + 2 + len(after) + instance_bytes
    return struct.pack("<HHII", 0, 0, 4, length) + before, between, after


def _element(element: int, value: bytes) -> bytes:
    return _ELEMENT.pack(0, element, len(value)) + value


def _uid(raw: bytes) -> str:
    return raw.decode("ascii", "replace").rstrip("\0 ")


def _number(fields: dict[int, bytes], element: int) -> int:
    value = fields.get(element, b"")
    if len(value) != 2:
        raise ServiceViolation("a command lacks a field that it must have")
    return int.from_bytes(value, "little")
