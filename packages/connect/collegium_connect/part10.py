"""The file meta information (PS3.10 section 7.1) for a data set that came over the network."""

import struct
from typing import Final

_PREAMBLE: Final = bytes(128) + b"DICM"


def head(sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str) -> bytes:
    """Preamble and group 0002, so that preamble + data set is a file."""
    body = (
        struct.pack("<HH2s2xI", 2, 1, b"OB", 2)
        + b"\0\1"
        + _uid(0x02, sop_class_uid)
        + _uid(0x03, sop_instance_uid)
        + _uid(0x10, transfer_syntax_uid)
    )
    return _PREAMBLE + struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(body)) + body


def _uid(element: int, uid: str) -> bytes:
    value = uid.encode("ascii", "replace")
    value += b"\0" * (len(value) % 2)
    return struct.pack("<HH2sH", 2, element, b"UI", len(value)) + value
