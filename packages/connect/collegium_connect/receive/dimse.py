"""DIMSE commands (PS3.7): only what a storage and verification provider needs."""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from collegium_connect.receive.errors import ProtocolViolation

VERIFICATION: Final = "1.2.840.10008.1.1"
NO_DATA_SET: Final = 0x0101
UNRECOGNIZED_OPERATION: Final = 0x0211

_SOP_CLASS, _FIELD, _MESSAGE_ID, _ANSWERED_ID = 0x0002, 0x0100, 0x0110, 0x0120
_DATA_SET_TYPE, _STATUS, _SOP_INSTANCE = 0x0800, 0x0900, 0x1000


class Operation(IntEnum):
    C_STORE_RQ = 0x0001
    C_ECHO_RQ = 0x0030
    C_CANCEL_RQ = 0x0FFF


@dataclass(frozen=True)
class Command:
    """A request: its raw fields are repeated in the answer as they came."""

    operation: int
    message_id: int
    has_data: bool
    sop_class: bytes
    sop_instance: bytes

    @property
    def sop_class_uid(self) -> str:
        return self.sop_class.decode("ascii", "replace").rstrip("\0 ")

    @property
    def sop_instance_uid(self) -> str:
        return self.sop_instance.decode("ascii", "replace").rstrip("\0 ")


def parse(data: bytes) -> Command:
    """Read a command set (implicit VR little endian, group 0000).

    Raises:
        ProtocolViolation: cut, or without the fields every request has.
    """
    fields, position = {}, 0
    while position < len(data):
        if len(data) - position < 8:
            raise ProtocolViolation("A command is cut.")
        group, element, length = struct.unpack_from("<HHI", data, position)
        position += 8
        if group != 0 or position + length > len(data):
            raise ProtocolViolation("A command holds what is no command element.")
        fields[element] = data[position : position + length]
        position += length
    return Command(
        operation=_number(fields, _FIELD),
        message_id=_number(fields, _MESSAGE_ID) if _MESSAGE_ID in fields else 0,
        has_data=_number(fields, _DATA_SET_TYPE) != NO_DATA_SET,
        sop_class=fields.get(_SOP_CLASS, b""),
        sop_instance=fields.get(_SOP_INSTANCE, b""),
    )


def response(request: Command, status: int) -> bytes:
    """The answer to a request, without a data set."""
    fields = [(_SOP_CLASS, request.sop_class)] if request.sop_class else []
    fields += [
        (_FIELD, struct.pack("<H", request.operation | 0x8000)),
        (_ANSWERED_ID, struct.pack("<H", request.message_id)),
        (_DATA_SET_TYPE, struct.pack("<H", NO_DATA_SET)),
        (_STATUS, struct.pack("<H", status)),
    ]
    if request.sop_instance:
        fields.append((_SOP_INSTANCE, request.sop_instance))
    body = b"".join(struct.pack("<HHI", 0, element, len(value)) + value for element, value in fields)
    return struct.pack("<HHII", 0, 0, 4, len(body)) + body


def _number(fields: dict[int, bytes], element: int) -> int:
    value = fields.get(element, b"")
    if len(value) != 2:
        raise ProtocolViolation("A command lacks a field that it must have.")
    return int.from_bytes(value, "little")
