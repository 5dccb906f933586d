"""One record of a segment: what it is, what is sealed, what is clear.

    magic, CRC-32, three lengths | note | sealed | clear

The *note* is the JSON from which the journal's row could be made again; it holds no identifier. The
*sealed* part holds every header, the new one and the original, or the whole original. The *clear* part
holds pixel bytes as they leave the gateway. The CRC covers the lengths and the note; the sealed part
carries its own tags, and the object as a whole the digest that its manifest names.
"""

import struct
import zlib
from dataclasses import dataclass
from typing import BinaryIO, Final

from collegium_connect.errors import SpoolDamaged

MAGIC: Final = b"CLGREC1\n"
_LENGTHS: Final = struct.Struct(">IQQ")
_HEAD: Final = struct.Struct(f">{len(MAGIC)}sI{_LENGTHS.size}s")
HEAD_BYTES: Final = _HEAD.size
_LOOK_BYTES: Final = 2048  # a head and most notes


@dataclass(frozen=True)
class RecordHead:
    """Lengths in bytes of the three parts, which follow the head in this order."""

    note: int
    sealed: int
    clear: int
    crc: int

    @property
    def sealed_at(self) -> int:
        return HEAD_BYTES + self.note

    @property
    def clear_at(self) -> int:
        return HEAD_BYTES + self.note + self.sealed

    @property
    def size(self) -> int:
        return HEAD_BYTES + self.note + self.sealed + self.clear


def pack(note: bytes, sealed: int, clear: int) -> bytes:
    """The head of a record and its note."""
    lengths = _LENGTHS.pack(len(note), sealed, clear)
    return _HEAD.pack(MAGIC, zlib.crc32(note, zlib.crc32(lengths)), lengths) + note


def unpack(data: bytes) -> RecordHead:
    """Read a head, not its note.

    Raises:
        SpoolDamaged: here is no record.
    """
    if len(data) < HEAD_BYTES:
        raise SpoolDamaged
    magic, crc, lengths = _HEAD.unpack_from(data)
    if magic != MAGIC:
        raise SpoolDamaged
    note, sealed, clear = _LENGTHS.unpack(lengths)
    return RecordHead(note, sealed, clear, crc)


def begins(file: BinaryIO, offset: int, size: int) -> bool:
    """Whether a record of this size begins here, its head and note as they were written."""
    file.seek(offset)
    data = file.read(_LOOK_BYTES)
    try:
        head = unpack(data)
        note = data[HEAD_BYTES : HEAD_BYTES + head.note]
        if len(note) < head.note:
            file.seek(offset + HEAD_BYTES)
            note = file.read(head.note)
        check(head, note)
    except SpoolDamaged:
        return False
    return head.size == size


def check(head: RecordHead, note: bytes) -> None:
    """Whether head and note are as they were written.

    Raises:
        SpoolDamaged: a byte of either changed, or the note is cut.
    """
    lengths = _LENGTHS.pack(head.note, head.sealed, head.clear)
    if len(note) != head.note or zlib.crc32(note, zlib.crc32(lengths)) != head.crc:
        raise SpoolDamaged
